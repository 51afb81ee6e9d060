# every operator beside every type that has it
dict values meta mark b true;ok;-
dict values meta mark b != true;ok;-
dict values meta mark b { true, false };ok;-
dict values meta mark b != { true, false };ok;-
dict values meta mark b exists;ok;-
dict values meta mark b missing;ok;-
dict values meta mark b set true;ok;-
dict values meta mark i 5;ok;-
dict values meta mark i != 5;ok;-
dict values meta mark i { 5, -7 };ok;-
dict values meta mark i != { 5, -7 };ok;-
dict values meta mark i 1-9;ok;-
dict values meta mark i != 1-9;ok;-
dict values meta mark i < 5;ok;-
dict values meta mark i <= 5;ok;-
dict values meta mark i > 5;ok;-
dict values meta mark i >= 5;ok;-
dict values meta mark i exists;ok;-
dict values meta mark i missing;ok;-
dict values meta mark i set 5;ok;-
dict values meta mark l 5000000000;ok;-
dict values meta mark l != 5000000000;ok;-
dict values meta mark l { 5, 5000000000 };ok;-
dict values meta mark l != { 5, 5000000000 };ok;-
dict values meta mark l -9--1;ok;-
dict values meta mark l != -9--1;ok;-
dict values meta mark l < 5000000000;ok;-
dict values meta mark l <= 5000000000;ok;-
dict values meta mark l > 5000000000;ok;-
dict values meta mark l >= 5000000000;ok;-
dict values meta mark l exists;ok;-
dict values meta mark l missing;ok;-
dict values meta mark l set 5000000000;ok;-
dict values meta mark a4 10.0.0.1;ok;-
dict values meta mark a4 != 10.0.0.1;ok;-
dict values meta mark a4 { 10.0.0.1, 10.1.0.0/16 };ok;-
dict values meta mark a4 != { 10.0.0.1, 10.1.0.0/16 };ok;-
dict values meta mark a4 10.0.0.1-10.0.0.9;ok;-
dict values meta mark a4 != 10.0.0.1-10.0.0.9;ok;-
dict values meta mark a4 < 10.0.0.1;ok;-
dict values meta mark a4 <= 10.0.0.1;ok;-
dict values meta mark a4 > 10.0.0.1;ok;-
dict values meta mark a4 >= 10.0.0.1;ok;-
dict values meta mark a4 exists;ok;-
dict values meta mark a4 missing;ok;-
dict values meta mark a4 set 10.0.0.1;ok;-
dict values meta mark a6 ::1;ok;-
dict values meta mark a6 != ::1;ok;-
dict values meta mark a6 { ::1, 2001:db8::/32 };ok;-
dict values meta mark a6 != { ::1, 2001:db8::/32 };ok;-
dict values meta mark a6 ::1-::9;ok;-
dict values meta mark a6 != ::1-::9;ok;-
dict values meta mark a6 < ::1;ok;-
dict values meta mark a6 <= ::1;ok;-
dict values meta mark a6 > ::1;ok;-
dict values meta mark a6 >= ::1;ok;-
dict values meta mark a6 exists;ok;-
dict values meta mark a6 missing;ok;-
dict values meta mark a6 set ::1;ok;-
dict values meta mark e 02:00:00:00:00:01;ok;-
dict values meta mark e != 02:00:00:00:00:01;ok;-
dict values meta mark e { 02:00:00:00:00:01, 02:00:00:00:00:02 };ok;-
dict values meta mark e != { 02:00:00:00:00:01, 02:00:00:00:00:02 };ok;-
dict values meta mark e exists;ok;-
dict values meta mark e missing;ok;-
dict values meta mark e set 02:00:00:00:00:01;ok;-
dict values meta mark s "x";ok;-
dict values meta mark s != "x";ok;-
dict values meta mark s { "x", "y*" };ok;-
dict values meta mark s != { "x", "y*" };ok;-
dict values meta mark s exists;ok;-
dict values meta mark s missing;ok;-
dict values meta mark s set "x";ok;-
dict values meta mark a exists;ok;-
dict values meta mark a missing;ok;-
