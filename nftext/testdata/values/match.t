# verdict maps and named sets, each type of value
dict values mark i vmap { 5 : drop, 6-9 : accept };ok;dict values meta mark i vmap { 5 : drop, 6-9 : accept }
dict values mark i vmap @m;ok;dict values meta mark i vmap @m
dict values mark i @s;ok;dict values meta mark i @s
dict values mark i == @s;ok;dict values meta mark i == @s
dict values mark i != @s;ok;dict values meta mark i != @s
dict values mark i ne @s;ok;dict values meta mark i ne @s
dict values mark l vmap { 5000000000 : drop };ok;dict values meta mark l vmap { 5000000000 : drop }
dict values mark l @s;ok;dict values meta mark l @s
dict values mark l int64 @s;ok;dict values meta mark l int64 @s
dict values mark l int @s;ok;dict values meta mark l int @s
dict values mark a4 vmap { 10.0.0.0/8 : drop };ok;dict values meta mark a4 vmap { 10.0.0.0/8 : drop }
dict values mark a4 @s;ok;dict values meta mark a4 @s
dict values mark a6 @s;ok;dict values meta mark a6 @s
dict values mark a ipv4_addr @s;ok;dict values meta mark a ipv4_addr @s
dict values mark a ipv6_addr @s;ok;dict values meta mark a ipv6_addr @s
dict values mark s vmap { "A" : drop, "B*" : accept };ok;dict values meta mark s vmap { "A" : drop, "B*" : accept }
dict values mark s @s;ok;dict values meta mark s @s
dict values mark s string != @s;ok;dict values meta mark s long_string != @s
dict values mark b vmap { true : drop, false : accept };ok;dict values meta mark b vmap { true : drop, false : accept }
dict values mark b vmap @m;ok;dict values meta mark b vmap @m
dict values mark b @s;ok;dict values meta mark b @s
dict values mark b bool != @s;ok;dict values meta mark b bool != @s
dict values mark e vmap { 02:00:00:00:00:01 : drop };ok;dict values meta mark e vmap { 02:00:00:00:00:01 : drop }
dict values mark e @s;ok;dict values meta mark e @s
dict values mark e ether_addr != @s;ok;dict values meta mark e ether_addr != @s
# defaults
dict values mark db @s;ok;dict values meta mark db @s
dict values mark de @s;ok;dict values meta mark de @s
dict values mark di @s;ok;dict values meta mark di @s
dict values mark ds @s;ok;dict values meta mark ds @s
# computing
dict values mark i and 0xff == 5;ok;dict values meta mark i and 0xff == 5
dict values mark i & 0xff { 5, 6 };ok;dict values meta mark i & 0xff { 5, 6 }
dict values mark i | 1 vmap @m;ok;dict values meta mark i | 1 vmap @m
dict values mark i ^ 1 5;ok;dict values meta mark i ^ 1 5
dict values mark i << 1 5;ok;dict values meta mark i << 1 5
dict values mark a4 & 255.255.255.0 == 10.1.2.0;ok;dict values meta mark a4 & 255.255.255.0 == 10.1.2.0
# concatenations
dict values mark s . tcp dport vmap @m;ok;dict values meta mark s . tcp dport vmap @m
ip saddr . dict values mark s @s;ok;ip saddr . dict values meta mark s @s
dict values mark s . dict values mark i { "A" . 5 };ok;dict values meta mark s . dict values meta mark i { "A" . 5 }
dict values mark a4 . dict values mark l . ip6 saddr @s;ok;dict values meta mark a4 . dict values meta mark l . ip6 saddr @s
dict values mark b . tcp dport { true . 80 };ok;dict values meta mark b . tcp dport { true . 80 }
tcp dport . dict values mark b vmap { 80 . true : drop };ok;tcp dport . dict values meta mark b vmap { 80 . true : drop }
dict values mark b . dict values ct mark b vmap { true . false : drop };ok;dict values meta mark b . dict values ct mark b vmap { true . false : drop }
dict values mark e . tcp dport { 02:00:00:00:00:01 . 80 };ok;dict values meta mark e . tcp dport { 02:00:00:00:00:01 . 80 }
ether saddr . dict values mark e @s;ok;ether saddr . dict values meta mark e @s
# keys of every kind
dict sessions ct id application @s;ok;-
dict hosts ip saddr username @s;ok;-
dict hosts ip6 daddr username @s;ok;-
dict devices ether saddr username @s;ok;-
dict values ct mark s @s;ok;-
dict numbers iif s @s;ok;-
dict numbers meta length s @s;ok;-
dict users dict sessions ct id username usergroups @s;ok;-
dict names dict names dict sessions ct id username next next @s;ok;-
dict ct id x int @s;ok;-
dict loose mark x int64 vmap { 5 : drop };ok;dict loose meta mark x int64 vmap { 5 : drop }
dict loose mark x bool vmap { true : drop };ok;dict loose meta mark x bool vmap { true : drop }
dict loose mark x ether_addr @s;ok;dict loose meta mark x ether_addr @s
dict loose mark x ipv6_addr @s;ok;dict loose meta mark x ipv6_addr @s
# beside terms that decide themselves
dict values mark i 5 dict values mark s @s dict values mark i { 5, 6 } counter;ok;dict values meta mark i 5 dict values meta mark s @s dict values meta mark i { 5, 6 } counter
dict values mark s vmap;ok;dict values meta mark s "vmap"
dict values mark s "vmap";ok;dict values meta mark s "vmap"
dict values mark s == and;ok;dict values meta mark s "and"
# refused
dict values mark b and 1 == 1;fail;field "b": wrong type: it is bool, nft wants a number or an address here
dict values mark e & ff:ff:ff:00:00:00 == 02:00:00:00:00:00;fail;field "e": wrong type: it is ether_addr, nft wants a number or an address here
dict values mark s | 1 == 1;fail;field "s": wrong type: it is long_string, nft wants a number or an address here
dict values mark a @s;fail;field "a": wrong type: it is an address of either family, write ipv4_addr or ipv6_addr behind the field
dict loose mark x @s;fail;field "x": wrong type: table loose is open, write the type behind the field
dict values mark nothing @s;fail;field "nothing": does not exist
dict nowhere mark i @s;fail;dict: table "nowhere": does not exist
dict values ct id i @s;fail;key ct id: wrong type
dict values mark i int64 @s;fail;wrong type: it is int, not int64
dict values mark s < @s;fail;named set "@s": not supported
dict values mark s { @s };fail;named set "@s": not supported
ip saddr { dict values mark a4 };fail;value of dict values here: not supported, nft takes a constant
ip saddr dict values mark a4;fail;value of dict values here: not supported, nft takes a constant
meta mark and dict values mark i == 5;fail;nft takes a constant
