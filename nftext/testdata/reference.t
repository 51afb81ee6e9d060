# The rules that must load as written. rule;ok;canonical, canonical - where it
# is the rule itself; rule;fail;part of the message. What follows the term is
# left to nft.
dict sessions ct id application long_string NETFLIX reject;ok;dict sessions ct id application long_string "NETFLIX"
dict hosts ip saddr mac-vendor long_string *NEST* reject;ok;dict hosts ip saddr mac-vendor long_string "*NEST*"
dict hosts ip saddr captive-portal-authenticated bool false dnat to 127.0.0.1:80;ok;dict hosts ip saddr captive-portal-authenticated bool false
dict devices ether saddr quota-remaining int 0 reject;ok;dict devices ether saddr quota-remaining int 0
dict users dict sessions ct id username long_string quota-exceeded bool true reject;ok;dict users dict sessions ct id username long_string quota-exceeded bool true
dict sessions ct id server_country long_string NL reject;ok;dict sessions ct id server_country long_string "NL"
dict hosts ip saddr mac_address ether_addr set ether saddr;ok;-
dict users dict sessions ct id username long_string user_group long_string *sales* reject;ok;dict users dict sessions ct id username long_string user_group long_string "*sales*"
dict sessions ct id application "NETFLIX" reject;ok;dict sessions ct id application "NETFLIX"
dict users dict sessions ct id username quota_exceeded true reject;ok;dict users dict sessions ct id username quota_exceeded true
dict sessions ct id final true flow add @fast;ok;dict sessions ct id final true
dict users dict sessions ct id username quota_remaining sub meta length;ok;-
dict hosts ip saddr username long_string set user123;ok;dict hosts ip saddr username long_string set "user123"
dict sessions ct id flush;ok;-
dict ct id flush;ok;-
dict ct id application long_string NETFLIX;ok;dict ct id application long_string "NETFLIX"
