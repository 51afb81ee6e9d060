# set
dict values mark b set true;ok;dict values meta mark b set true
dict values mark i int set -5;ok;dict values meta mark i int set -5
dict values mark i set 5000000000;fail;out of range
dict values mark s set user123;ok;dict values meta mark s set "user123"
dict values mark s set "a b";ok;dict values meta mark s set "a b"
dict values mark s set a*b;fail;value "a*b": invalid: a pattern cannot be stored
dict values mark s set a\*b;ok;dict values meta mark s set "a\*b"
dict values mark s set ct;ok;dict values meta mark s set "ct"
dict values mark s set mark;fail;value meta mark: wrong type: it yields int64, want long_string, or put it in double quotes
dict values mark i set 5-10;fail;more than one value cannot be stored
dict values mark a4 set 10.0.0.0/8;fail;more than one value cannot be stored
dict values mark i set { 5 };fail;expected a value
dict values mark a set ::1;ok;dict values meta mark a set ::1
dict values mark a set ip saddr;ok;dict values meta mark a set ip saddr
dict values mark a ipv6_addr set ip saddr;fail;it yields ipv4_addr, want ipv6_addr
dict values mark a6 set ip6 daddr;ok;dict values meta mark a6 set ip6 daddr
dict values mark a6 set ip saddr;fail;it yields ipv4_addr, want ipv6_addr
dict values mark e set ether daddr;ok;dict values meta mark e set ether daddr
dict values mark l set ct id;ok;dict values meta mark l set ct id
dict values mark l int set meta length;ok;dict values meta mark l int set meta length
dict values mark l set ct mark;ok;dict values meta mark l set ct mark
dict values mark i set iif;ok;dict values meta mark i set iif
dict values mark i set meta length;ok;dict values meta mark i set meta length
dict values mark i set ct mark;fail;value ct mark: wrong type: it has 32 bits without a sign, which int does not hold, use a field of type int64
dict values mark b set meta mark;fail;it yields int64, want bool
dict values mark nothing set 5;fail;field "nothing": does not exist
# add and sub
dict values mark i add 5;ok;dict values meta mark i add 5
dict values mark i sub -5;ok;dict values meta mark i sub -5
dict values mark l sub meta length;ok;dict values meta mark l sub meta length
dict values mark i add ct mark;ok;dict values meta mark i add ct mark
dict values mark b add true;fail;add: wrong type: bool is no number, use set
dict values mark s add x;fail;add: wrong type: long_string is no number, use set
dict values mark a4 sub ip saddr;fail;ipv4_addr is no number
# from another field
dict values mark s set dict hosts ip saddr username;ok;dict values meta mark s set dict hosts ip saddr username
dict values mark l add dict values ct mark i;ok;dict values meta mark l add dict values ct mark i
dict values mark i add dict values ct mark l;ok;dict values meta mark i add dict values ct mark l
dict values mark i set dict values ct mark l;fail;it yields int64, want int
dict values mark a set dict sessions ct id client_address;ok;dict values meta mark a set dict sessions ct id client_address
dict values mark a4 set dict sessions ct id client_address;ok;dict values meta mark a4 set dict sessions ct id client_address
dict values mark a set dict values ct mark a4;ok;dict values meta mark a set dict values ct mark a4
dict values mark a4 set dict values ct mark a6;fail;it yields ipv6_addr, want ipv4_addr
dict values mark s set dict users ip saddr usergroups;fail;the keys are string
# open tables
dict loose mark x set true;ok;dict loose meta mark x set true
dict loose mark x set word;ok;dict loose meta mark x set "word"
dict loose mark x set 5;fail;table loose is open, write int, int64 or long_string before it
dict loose mark x int add 5;ok;dict loose meta mark x int add 5
dict loose mark x set ether saddr;ok;dict loose meta mark x set ether saddr
dict loose mark x set meta length;fail;table loose is open, write int or int64 before set
dict loose mark x int set meta length;ok;dict loose meta mark x int set meta length
dict loose mark x set dict values mark i;ok;dict loose meta mark x set dict values meta mark i
dict loose mark x set dict loose ct mark y;fail;both tables are open, write the type behind the field
dict loose mark x set dict loose ct mark y int;ok;dict loose meta mark x set dict loose ct mark y int
dict values mark i set dict loose ct mark y;ok;dict values meta mark i set dict loose ct mark y
# flush
dict values mark flush;ok;dict values meta mark flush
dict users dict sessions ct id username flush;ok;-
dict sessions ip saddr flush;fail;the keys are ct_id
dict nowhere ip saddr flush;fail;table "nowhere": does not exist
