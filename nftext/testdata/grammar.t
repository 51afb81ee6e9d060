# spacing, quotes and continued lines become canonical
dict	sessions   ct  id	application==NETFLIX drop;ok;dict sessions ct id application "NETFLIX"
dict sessions ct id application!=NETFLIX;ok;dict sessions ct id application != "NETFLIX"
dict values mark i<5;ok;dict values meta mark i < 5
dict values meta iif i 5;ok;dict values iif i 5
dict numbers meta iif i 5;ok;dict numbers iif i 5
dict values mark i 5 - 10 drop;ok;dict values meta mark i 5-10
dict values mark i {5,6 , 7-9,};ok;dict values meta mark i { 5, 6, 7-9 }
dict values mark a-long 5;ok;dict values meta mark a-long 5
dict values mark s string x;ok;dict values meta mark s long_string "x"
# operators as words
dict values mark i eq 5;ok;dict values meta mark i 5
dict values mark i ne 5;ok;dict values meta mark i != 5
dict values mark i lt 5;ok;dict values meta mark i < 5
dict values mark i le 5;ok;dict values meta mark i <= 5
dict values mark i gt 5;ok;dict values meta mark i > 5
dict values mark i ge 5;ok;dict values meta mark i >= 5
dict values mark i exists;ok;dict values meta mark i exists
dict values mark i int missing;ok;dict values meta mark i int missing
# words that are values only in quotes or behind an operator
dict values mark s "exists";ok;dict values meta mark s "exists"
dict values mark s == exists;ok;dict values meta mark s "exists"
dict values mark s "set";ok;dict values meta mark s "set"
dict values mark s "string";ok;dict values meta mark s "string"
dict values mark s { bool, set, exists };ok;dict values meta mark s { "bool", "set", "exists" }
dict values mark s drop;fail;1:20: expected a value, found "drop", which is a word of nft
dict values mark s "drop";ok;dict values meta mark s "drop"
dict values mark s == accept;fail;which is a word of nft
# backslashes
dict values mark s a\*b;ok;dict values meta mark s "a\*b"
dict values mark s a\"b;ok;dict values meta mark s "a\"b"
dict values mark s "a\"b" drop;ok;dict values meta mark s "a\"b"
dict values mark s "a\\" drop;ok;dict values meta mark s "a\\"
dict values mark s "Müller # 5";ok;dict values meta mark s "Müller # 5"
dict values mark s Müller;fail;1:21: value "M"... goes on with 'ü', put the whole in double quotes
dict values mark s foo(bar);fail;goes on with '('
dict values mark s "open;fail;1:20: expected a closing quote
dict values mark s "a	b";fail;control character 0x09
# tables and keys
dict;fail;1:5: expected a table or a key such as ct id, found the end
dict sessions;fail;1:14: expected a key: ct id, ct mark
dict sessions foo bar;fail;found "foo"
dict ip foo 5;fail;expected a key: ct id
dict 5 ct id x 5;fail;expected a table
dict "sessions" ct id x 5;fail;expected a table
dict sessions ct id;fail;1:20: expected a field, found the end
dict sessions ct id set 5;fail;expected a field, found "set"
dict sessions ct id application;fail;1:32: expected a value
dict sessions ct id application # comment;fail;found a comment
dict sessions ct id application = x;fail;1:33: expected a value or an operator: == != < <= > >= exists missing set add sub, found "="
dict sessions ct id application { };fail;expected a value
dict sessions ct id application { a b };fail;expected a comma or a closing brace, found "b"
dict sessions ct id application { a, { b } };fail;expected a value
dict values mark i < { 1, 2 };fail;expected one value behind <
dict values mark i 1 - x;fail;expected two numbers or two addresses
dict sessions ct id aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 5;fail;64 bytes, at most 63
# nesting
dict names dict names dict values mark s next i 5;ok;dict names dict names dict values meta mark s next i 5
dict names dict names dict names dict values mark s next next i 5;fail;more than 3 lookups
dict values mark l add dict users dict hosts ip saddr username quota_size;ok;dict values meta mark l add dict users dict hosts ip saddr username quota_size
