# marks and priorities
meta mark set dict values mark i;ok;meta mark set dict values meta mark i
meta mark set dict values mark l;ok;meta mark set dict values meta mark l
meta mark set dict users dict sessions ct id username quota_size accept;ok;-
mark set dict loose mark x int;ok;mark set dict loose meta mark x int
ct mark set dict values ct mark i counter;ok;-
meta priority set dict hosts ip saddr quota_size;ok;-
meta mark set dict values mark i and 0xff or 0x100;ok;meta mark set dict values meta mark i and 0xff or 0x100
meta mark set (dict values mark i and 0xff);ok;meta mark set (dict values meta mark i and 0xff)
meta mark set dict values mark s map { "A" : 1, "B" : 2 };ok;meta mark set dict values meta mark s map { "A" : 1, "B" : 2 }
meta mark set dict values mark l map { 5000000000 : 1 };ok;meta mark set dict values meta mark l map { 5000000000 : 1 }
meta mark set dict values mark a4 map @m;ok;meta mark set dict values meta mark a4 map @m
meta mark set dict values mark s . ip saddr map @m;ok;meta mark set dict values meta mark s . ip saddr map @m
meta mark set dict values mark i . ip saddr map @m;ok;meta mark set dict values meta mark i . ip saddr map @m
meta mark set dict values mark i . ip saddr map { 5 . 10.0.0.1 : 1 };ok;meta mark set dict values meta mark i . ip saddr map { 5 . 10.0.0.1 : 1 }
meta mark set dict values mark l int . ip saddr map { 5 . 10.0.0.1 : 1 };ok;meta mark set dict values meta mark l int . ip saddr map { 5 . 10.0.0.1 : 1 }
meta mark set dict values mark s . ip saddr map { "A" . 10.0.0.1 : 1 };ok;meta mark set dict values meta mark s . ip saddr map { "A" . 10.0.0.1 : 1 }
meta mark set dict values mark b map { true : 1, false : 2 };ok;meta mark set dict values meta mark b map { true : 1, false : 2 }
meta mark set tcp dport . dict values mark b map { 80 . true : 1 };ok;meta mark set tcp dport . dict values meta mark b map { 80 . true : 1 }
meta mark set dict values mark e . ip saddr map { 02:00:00:00:00:01 . 10.0.0.1 : 1 };ok;meta mark set dict values meta mark e . ip saddr map { 02:00:00:00:00:01 . 10.0.0.1 : 1 }
meta mark set ip saddr . dict values mark a6 map @m;ok;meta mark set ip saddr . dict values meta mark a6 map @m
ct mark set dict values mark i meta mark set dict values mark i;ok;ct mark set dict values meta mark i meta mark set dict values meta mark i
# packet fields
ip saddr set dict values mark a4;ok;ip saddr set dict values meta mark a4
ip6 daddr set dict values mark a ipv6_addr;ok;ip6 daddr set dict values meta mark a ipv6_addr
ether daddr set dict values mark e;ok;ether daddr set dict values meta mark e
arp saddr ether set dict values mark e;ok;arp saddr ether set dict values meta mark e
tcp dport set dict values mark i;ok;tcp dport set dict values meta mark i
udp sport set dict values mark l;ok;udp sport set dict values meta mark l
ip id set dict values mark i;ok;ip id set dict values meta mark i
tcp option maxseg size set dict values mark i;ok;tcp option maxseg size set dict values meta mark i
# addresses of nat, tproxy, dup and fwd
dnat ip to dict values mark a4;ok;dnat ip to dict values meta mark a4
tcp dport 80 dnat ip to dict hosts ip saddr username map @m;ok;-
tcp dport 80 dnat ip to dict values mark a4:8080;ok;tcp dport 80 dnat ip to dict values meta mark a4:8080
tcp dport 80 dnat ip to dict values mark a4 : dict values mark i;ok;tcp dport 80 dnat ip to dict values meta mark a4 : dict values meta mark i
tcp dport 80 dnat ip to 10.0.0.1 : dict values mark i random;ok;tcp dport 80 dnat ip to 10.0.0.1 : dict values meta mark i random
dnat ip6 to dict values mark a6;ok;dnat ip6 to dict values meta mark a6
snat ip to dict values mark a ipv4_addr persistent;ok;snat ip to dict values meta mark a ipv4_addr persistent
tcp dport 80 redirect to :dict values mark i;ok;tcp dport 80 redirect to :dict values meta mark i
tcp dport 80 masquerade to :dict values mark i;ok;tcp dport 80 masquerade to :dict values meta mark i
tcp dport 80 tproxy ip to dict values mark a4:3128;ok;tcp dport 80 tproxy ip to dict values meta mark a4:3128
dup to dict values mark a4 device "lo";ok;dup to dict values meta mark a4 device "lo"
fwd ip to dict values mark a4 device "lo";ok;fwd ip to dict values meta mark a4 device "lo"
# elements
add @s { dict values mark s timeout 5m };ok;add @s { dict values meta mark s timeout 5m }
update @s { dict values mark i };ok;update @s { dict values meta mark i }
add @s { dict values mark a4 timeout 5m };ok;add @s { dict values meta mark a4 timeout 5m }
add @s { dict values mark b };ok;add @s { dict values meta mark b }
update @s { dict values mark e timeout 5m };ok;update @s { dict values meta mark e timeout 5m }
update @m { dict values mark e : dict values mark i };ok;update @m { dict values meta mark e : dict values meta mark i }
delete @s { dict values mark a6 };ok;delete @s { dict values meta mark a6 }
add @s { dict sessions ct id username . ip saddr limit rate 5/second };ok;-
add @s { ip saddr . dict sessions ct id username };ok;-
update @m { ip saddr : dict values mark i };ok;update @m { ip saddr : dict values meta mark i }
update @m { dict values mark s : dict values mark i };ok;update @m { dict values meta mark s : dict values meta mark i }
set add dict values mark s @s;ok;set add dict values meta mark s @s
meter m { dict values mark s limit rate 5/second } accept;ok;meter m { dict values meta mark s limit rate 5/second } accept
# beside statements of ours
dict values mark i set dict values ct mark i meta mark set dict values mark i;ok;dict values meta mark i set dict values ct mark i meta mark set dict values meta mark i
# refused
meta mark set dict values mark s;fail;field "s": wrong type: it is long_string, nft wants a number here
meta mark set dict values mark a4;fail;it is ipv4_addr, nft wants a number here
meta mark set dict values mark b;fail;it is bool, nft wants a number here
dnat to dict values mark i;fail;it is int, nft wants an address here
dnat to 10.0.0.1 : dict values mark a4;fail;it is ipv4_addr, nft wants a number here
ip saddr set dict values mark s;fail;it is long_string, nft wants an address here
ether saddr set dict values mark i;fail;it is int, nft wants an ether_addr here
ip saddr set dict values mark e;fail;it is ether_addr, nft wants an address here
dnat to dict values mark e;fail;it is ether_addr, nft wants an address here
ip ttl set dict values mark i;fail;value of dict values here: not supported
ip dscp set dict values mark i;fail;value of dict values here: not supported
ct helper set dict values mark s;fail;value of dict values here: not supported
queue to dict values mark i;fail;value of dict values here: not supported
meta mark set tcp dport map { 80 : dict values mark i };fail;value of dict values here: not supported
meta mark set ct mark or dict values mark i;fail;value of dict values here: not supported
dup to 10.0.0.1 device dict values mark s;fail;value of dict values here: not supported
meta mark set ip saddr . dict values mark l map { 10.0.0.1 . 5 : 1 };fail;nft lists numbers of 64 bits wrongly in a concatenation
meta mark set dict values mark;fail;expected a field, found the end
