# every selector and the keys it fits
dict sessions ct id final true;ok;-
dict hosts ip saddr username exists;ok;-
dict hosts ip daddr username exists;ok;-
dict hosts ip6 saddr username exists;ok;-
dict hosts ip6 daddr username exists;ok;-
dict four ip saddr i 5;ok;-
dict six ip6 daddr i 5;ok;-
dict four ip6 saddr i 5;fail;dict four: key ip6 saddr: wrong type: it yields ipv6_addr, the keys are ipv4_addr, as of ip saddr, ip daddr
dict six ip saddr i 5;fail;it yields ipv4_addr, the keys are ipv6_addr
dict devices ether saddr username exists;ok;-
dict devices ether daddr username exists;ok;-
dict values ct mark b true;ok;-
dict values meta mark b true;ok;-
dict values mark b true;ok;dict values meta mark b true
dict numbers iif i 5;ok;-
dict numbers oif i 5;ok;-
dict numbers meta oif i 5;ok;dict numbers oif i 5
dict numbers meta length i 5;ok;-
dict numbers meta skuid i 5;ok;-
dict numbers skgid i 5;ok;dict numbers meta skgid i 5
dict numbers meta priority i 5;ok;-
dict sessions ip saddr final true;fail;key ip saddr: wrong type: it yields ipv4_addr, the keys are ct_id, as of ct id
dict sessions meta mark final true;fail;the keys are ct_id
dict values ct id b true;fail;it yields ct_id, the keys are mark
dict users ip saddr quota_exceeded true;fail;the keys are string, as of the word dict and a string field of another table
dict hosts ether saddr username exists;fail;the keys are address, as of ip saddr, ip daddr, ip6 saddr, ip6 daddr
# nested keys
dict users dict hosts ip saddr username quota_exceeded true;ok;-
dict users dict hosts ip saddr mac_address quota_exceeded true;fail;dict users: key dict hosts ip saddr mac_address: wrong type: it yields ether_addr, the keys are string
dict devices dict hosts ip saddr mac_address username exists;ok;-
dict hosts dict sessions ct id client_address username exists;ok;-
dict hosts dict sessions ct id client_address ipv6_addr username exists;ok;-
dict four dict sessions ct id client_address i 5;ok;-
dict four dict sessions ct id client_address ipv6_addr i 5;fail;it yields ipv6_addr, the keys are ipv4_addr
dict values dict sessions ct id client_port b true;ok;-
dict numbers dict sessions ct id session_id i 5;ok;-
dict sessions dict values mark i final true;fail;it yields int, the keys are ct_id
dict numbers dict values mark b i 5;fail;it yields bool
# tables and fields
dict nowhere ct id x 5;fail;dict: table "nowhere": does not exist
dict sessions ct id aplication x;fail;dict sessions ct id: field "aplication": does not exist, is "application" meant?
dict sessions ct id zzz x;fail;field "zzz": does not exist
dict users dict sessions ct id user-nam quota_exceeded true;fail;field "user-nam": does not exist, is "username" meant?
dict hosts ip saddr captive-portal_authenticated true;ok;-
dict hosts ip saddr mac_vendor x*;ok;dict hosts ip saddr mac_vendor "x*"
