# bool
dict values mark b true;ok;dict values meta mark b true
dict values mark b bool false;ok;dict values meta mark b bool false
dict values mark b != true;ok;dict values meta mark b != true
dict values mark b 1;ok;dict values meta mark b 1
dict values mark b { true, false };ok;dict values meta mark b { true, false }
dict values mark b "true";ok;dict values meta mark b "true"
dict values mark b exists;ok;dict values meta mark b exists
dict values mark b maybe;fail;dict values meta mark: field "b": bool "maybe": invalid, want true or false
dict values mark b < true;fail;operator <: wrong type: bool has no order, use == or !=
dict values mark b 5;fail;want true or false
dict values mark b 0-1;fail;range 0-1: wrong type: bool has no ranges
dict values mark b int 1;fail;field "b": wrong type: it is bool, not int
# int
dict values mark i 5;ok;dict values meta mark i 5
dict values mark i int -5;ok;dict values meta mark i int -5
dict values mark i 0x1f;ok;dict values meta mark i 0x1f
dict values mark i +5;ok;dict values meta mark i +5
dict values mark i -2147483648;ok;dict values meta mark i -2147483648
dict values mark i 2147483647;ok;dict values meta mark i 2147483647
dict values mark i 2147483648;fail;int "2147483648": out of range, int holds 32 bits with a sign
dict values mark i -2147483649;fail;out of range
dict values mark i 99999999999999999999;fail;out of range
dict values mark i 5-10;ok;dict values meta mark i 5-10
dict values mark i != 5-10;ok;dict values meta mark i != 5-10
dict values mark i -5--1;ok;dict values meta mark i -5--1
dict values mark i -5-5;ok;dict values meta mark i -5-5
dict values mark i 5 - 10;ok;dict values meta mark i 5-10
dict values mark i 10-5;fail;range 10-5: out of range: the first is greater, write 5-10
dict values mark i 0-2147483648;fail;out of range
dict values mark i < -5;ok;dict values meta mark i < -5
dict values mark i >= 0x10;ok;dict values meta mark i >= 0x10
dict values mark i < 5-10;fail;operator <: invalid: 5-10 is more than one value, use == or !=
dict values mark i { 1, 3-5, -7 };ok;dict values meta mark i { 1, 3-5, -7 }
dict values mark i != { 1, 3-5, -7 };ok;dict values meta mark i != { 1, 3-5, -7 }
dict values mark i "5";ok;dict values meta mark i "5"
dict values mark i "5-10";fail;int "5-10": invalid, want a number
dict values mark i five;fail;int "five": invalid, want a number
dict values mark i 10.0.0.1;fail;want a number
dict values mark i 10.0.0.0/8;fail;prefix 10.0.0.0/8: wrong type: want int
dict values mark i 1_000;fail;invalid
dict values mark i int64 5;fail;it is int, not int64
# int64
dict values mark l 5;ok;dict values meta mark l 5
dict values mark l int64 5000000000;ok;dict values meta mark l int64 5000000000
dict values mark l int 5;ok;dict values meta mark l int 5
dict values mark l int 5000000000;fail;int "5000000000": out of range
dict values mark l 5000000000;ok;dict values meta mark l 5000000000
dict values mark l -9223372036854775808;ok;dict values meta mark l -9223372036854775808
dict values mark l 9223372036854775808;fail;int64 holds 64 bits with a sign
dict values mark l 5000000000-6000000000;ok;dict values meta mark l 5000000000-6000000000
dict values mark a-long > 5;ok;dict values meta mark a-long > 5
dict values mark long <= 5;ok;dict values meta mark long <= 5
# ipv4_addr
dict values mark a4 10.0.0.1;ok;dict values meta mark a4 10.0.0.1
dict values mark a4 ipv4_addr 10.0.0.0/8;ok;dict values meta mark a4 ipv4_addr 10.0.0.0/8
dict values mark a4 10.0.0.1/8;ok;dict values meta mark a4 10.0.0.1/8
dict values mark a4 0.0.0.0/0;ok;dict values meta mark a4 0.0.0.0/0
dict values mark a4 10.0.0.1/32;ok;dict values meta mark a4 10.0.0.1/32
dict values mark a4 10.0.0.0/33;fail;prefix 10.0.0.0/33: out of range: want /0 to /32
dict values mark a4 10.0.0.1-10.0.0.9;ok;dict values meta mark a4 10.0.0.1-10.0.0.9
dict values mark a4 10.0.0.1 - 10.0.0.9;ok;dict values meta mark a4 10.0.0.1-10.0.0.9
dict values mark a4 10.0.0.9-10.0.0.1;fail;the first is greater
dict values mark a4 != { 10.0.0.1, 192.168.0.0/16 };ok;dict values meta mark a4 != { 10.0.0.1, 192.168.0.0/16 }
dict values mark a4 < 10.0.0.1;ok;dict values meta mark a4 < 10.0.0.1
dict values mark a4 >= 10.0.0.0/8;fail;10.0.0.0/8 is more than one value
dict values mark a4 2001:db8::1;fail;ipv4_addr "2001:db8::1": invalid, want an address
dict values mark a4 10.0.0;fail;want an address
dict values mark a4 "10.0.0.1";ok;dict values meta mark a4 "10.0.0.1"
dict values mark a4 "10.0.0.0/8";fail;invalid
dict values mark a4 ipv6_addr 2001:db8::1;fail;it is ipv4_addr, not ipv6_addr
# ipv6_addr
dict values mark a6 2001:db8::1;ok;dict values meta mark a6 2001:db8::1
dict values mark a6 ipv6_addr 2001:db8::/32;ok;dict values meta mark a6 ipv6_addr 2001:db8::/32
dict values mark a6 ::ffff:10.0.0.1;ok;dict values meta mark a6 ::ffff:10.0.0.1
dict values mark a6 ::1-::9;ok;dict values meta mark a6 ::1-::9
dict values mark a6 > ::1;ok;dict values meta mark a6 > ::1
dict values mark a6 2001:db8::/129;fail;want /0 to /128
dict values mark a6 10.0.0.1;fail;invalid
dict values mark a6 fe80::1%eth0;fail;invalid
# address: either family, and the value says which
dict values mark a 10.0.0.1;ok;dict values meta mark a 10.0.0.1
dict values mark a address 2001:db8::/32;ok;dict values meta mark a address 2001:db8::/32
dict values mark a ipv4_addr 10.0.0.1;ok;dict values meta mark a ipv4_addr 10.0.0.1
dict values mark a ipv4_addr ::1;fail;invalid
dict values mark a "10.0.0.1";ok;dict values meta mark a "10.0.0.1"
dict values mark a { 10.0.0.1, ::1 };fail;ipv6_addr beside ipv4_addr in one set, write two rules
dict values mark a host;fail;value "host": wrong type: want an IPv4 or an IPv6 address
dict values mark a 5;fail;want an IPv4 or an IPv6 address
dict values mark a address exists;ok;dict values meta mark a address exists
dict values mark a ipv6_addr missing;ok;dict values meta mark a ipv6_addr missing
dict values mark a4 address 10.0.0.1;fail;it is ipv4_addr, not address
# ether_addr
dict values mark e 02:00:00:00:00:01;ok;dict values meta mark e 02:00:00:00:00:01
dict values mark e ether_addr != 02:00:00:00:00:01;ok;dict values meta mark e ether_addr != 02:00:00:00:00:01
dict values mark e { 02:00:00:00:00:01, 02:00:00:00:00:02 };ok;dict values meta mark e { 02:00:00:00:00:01, 02:00:00:00:00:02 }
dict values mark e 2:0:0:0:0:1;fail;want an address such as 02:00:00:00:00:01
dict values mark e > 02:00:00:00:00:01;fail;ether_addr has no order
dict values mark e 02:00:00:00:00:01-02:00:00:00:00:09;fail;ether_addr has no ranges
# long_string
dict values mark s NETFLIX;ok;dict values meta mark s "NETFLIX"
dict values mark s long_string 5;ok;dict values meta mark s long_string "5"
dict values mark s 5;ok;dict values meta mark s 5
dict values mark s 5-10;ok;dict values meta mark s 5-10
dict values mark s 10.0.0.0/8;ok;dict values meta mark s 10.0.0.0/8
dict values mark s true;ok;dict values meta mark s true
dict values mark s "";ok;dict values meta mark s ""
dict values mark s != *ads*;ok;dict values meta mark s != "*ads*"
dict values mark s [a-z]?[!0-9]*;ok;dict values meta mark s "[a-z]?[!0-9]*"
dict values mark s { "a b", c*, d };ok;dict values meta mark s { "a b", "c*", "d" }
dict values mark s < b;fail;long_string has no order
dict values mark s [a-;fail;[ without ], write \[ for the character itself
dict values mark s [];fail;empty class, write \] for the character itself
dict values mark s [^a];fail;write [! for all but these
dict values mark s [z-a];fail;range z-a is the wrong way round
dict values mark s "[é]";fail;a class holds ASCII only
dict values mark s "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";fail;more than 128 positions
dict values mark s bool true;fail;it is long_string, not bool
# open tables: a value shows its type, a number does not
dict loose mark x NETFLIX;ok;dict loose meta mark x "NETFLIX"
dict loose mark x "5";ok;dict loose meta mark x "5"
dict loose mark x true;ok;dict loose meta mark x true
dict loose mark x 10.0.0.0/8;ok;dict loose meta mark x 10.0.0.0/8
dict loose mark x address ::1;ok;dict loose meta mark x address ::1
dict loose mark x 02:00:00:00:00:01;ok;dict loose meta mark x 02:00:00:00:00:01
dict loose mark x int 5;ok;dict loose meta mark x int 5
dict loose mark x int64 5-10;ok;dict loose meta mark x int64 5-10
dict loose mark x 5;fail;table loose is open, write int, int64 or long_string before it
dict loose mark x { a, ::1 };fail;ipv6_addr beside long_string in one set
dict loose mark x exists;ok;dict loose meta mark x exists
dict loose mark x int missing;ok;dict loose meta mark x int missing
dict loose mark 5x exists;fail;expected a field
dict loose mark x int < 5;ok;dict loose meta mark x int < 5
dict loose mark x < 5;fail;write int, int64 or long_string
dict names dict loose mark x i 5;ok;dict names dict loose meta mark x i 5
dict numbers dict loose mark x i 5;fail;table loose is open, write int or int64 behind the field
dict numbers dict loose mark x int i 5;ok;dict numbers dict loose meta mark x int i 5
