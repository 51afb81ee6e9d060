// SPDX-License-Identifier: MIT

package dict_test

import (
	"errors"
	"math"
	"net/netip"
	"strings"
	"testing"

	"nftdict/dict"
)

func TestParseValue(t *testing.T) {
	long := strings.Repeat("a", dict.MaxString)
	for _, c := range []struct {
		typ  dict.Type
		text string
		want string // canonical, or the error
		err  error
	}{
		{dict.Bool, "true", "true", nil},
		{dict.Bool, "1", "true", nil},
		{dict.Bool, "0", "false", nil},
		{dict.Bool, "TRUE", `bool "TRUE": invalid`, dict.ErrInvalid},
		{dict.Bool, "", `bool "": invalid`, dict.ErrInvalid},
		{dict.Bool, "foobar", `bool "foobar": invalid`, dict.ErrInvalid},

		{dict.Int, "+5", "5", nil},
		{dict.Int, "-0", "0", nil},
		{dict.Int, "007", "7", nil},
		{dict.Int, "0x10", "16", nil},
		{dict.Int, "0XfF", "255", nil},
		{dict.Int, "-0x80000000", "-2147483648", nil},
		{dict.Int, "2147483647", "2147483647", nil},
		{dict.Int, "2147483648", `int "2147483648": out of range`, dict.ErrRange},
		{dict.Int, "-2147483649", `int "-2147483649": out of range`, dict.ErrRange},
		{dict.Int, "0xffffffff", `int "0xffffffff": out of range`, dict.ErrRange},
		{dict.Int, "99999999999999999999", `int "99999999999999999999": out of range`, dict.ErrRange},
		{dict.Int, "", `int "": invalid`, dict.ErrInvalid},
		{dict.Int, "-", `int "-": invalid`, dict.ErrInvalid},
		{dict.Int, "--5", `int "--5": invalid`, dict.ErrInvalid},
		{dict.Int, "+-5", `int "+-5": invalid`, dict.ErrInvalid},
		{dict.Int, "0x", `int "0x": invalid`, dict.ErrInvalid},
		{dict.Int, "0x-5", `int "0x-5": invalid`, dict.ErrInvalid},
		{dict.Int, "0b1", `int "0b1": invalid`, dict.ErrInvalid},
		{dict.Int, "0o7", `int "0o7": invalid`, dict.ErrInvalid},
		{dict.Int, "1_000", `int "1_000": invalid`, dict.ErrInvalid},
		{dict.Int, " 5", `int " 5": invalid`, dict.ErrInvalid},
		{dict.Int, "5.0", `int "5.0": invalid`, dict.ErrInvalid},
		{dict.Int, "1e3", `int "1e3": invalid`, dict.ErrInvalid},
		{dict.Int, "١", `int "١": invalid`, dict.ErrInvalid},
		{dict.Int, "5\x00", `int "5\x00": invalid`, dict.ErrInvalid},
		{dict.Int, long + "a", `int "` + long[:48] + `"...: invalid`, dict.ErrInvalid},
		{dict.Int64, "-9223372036854775808", "-9223372036854775808", nil},
		{dict.Int64, "0x7fffffffffffffff", "9223372036854775807", nil},
		{dict.Int64, "9223372036854775808", `int64 "9223372036854775808": out of range`, dict.ErrRange},

		{dict.IPv4, "10.0.0.1", "10.0.0.1", nil},
		{dict.IPv4, "10.0.0.01", `ipv4_addr "10.0.0.01": invalid`, dict.ErrInvalid},
		{dict.IPv4, "10.0.0", `ipv4_addr "10.0.0": invalid`, dict.ErrInvalid},
		{dict.IPv4, "10.0.0.0/8", `ipv4_addr "10.0.0.0/8": invalid`, dict.ErrInvalid},
		{dict.IPv4, "::1", `ipv4_addr "::1": invalid`, dict.ErrInvalid},
		{dict.IPv4, "::ffff:10.0.0.1", `ipv4_addr "::ffff:10.0.0.1": invalid`, dict.ErrInvalid},
		{dict.IPv6, "2001:DB8:0:0:0:0:0:1", "2001:db8::1", nil},
		{dict.IPv6, "::ffff:10.0.0.1", "::ffff:10.0.0.1", nil},
		{dict.IPv6, "10.0.0.1", `ipv6_addr "10.0.0.1": invalid`, dict.ErrInvalid},
		{dict.IPv6, "fe80::1%eth0", `ipv6_addr "fe80::1%eth0": invalid`, dict.ErrInvalid},
		{dict.IPv6, "fe80::1%", `ipv6_addr "fe80::1%": invalid`, dict.ErrInvalid},
		{dict.IPv6, "[::1]", `ipv6_addr "[::1]": invalid`, dict.ErrInvalid},
		{dict.Address, "10.0.0.1", "10.0.0.1", nil},
		{dict.Address, "::1", "::1", nil},
		{dict.Address, "localhost", `address "localhost": invalid`, dict.ErrInvalid},

		{dict.Ether, "02:00:00:00:00:Af", "02:00:00:00:00:af", nil},
		{dict.Ether, "2:0:0:0:0:1", `ether_addr "2:0:0:0:0:1": invalid`, dict.ErrInvalid},
		{dict.Ether, "02-00-00-00-00-01", `ether_addr "02-00-00-00-00-01": invalid`, dict.ErrInvalid},
		{dict.Ether, "02:00:00:00:00:0g", `ether_addr "02:00:00:00:00:0g": invalid`, dict.ErrInvalid},
		{dict.Ether, "+2:00:00:00:00:01", `ether_addr "+2:00:00:00:00:01": invalid`, dict.ErrInvalid},
		{dict.Ether, "02:00:00:00:00:01:02", `ether_addr "02:00:00:00:00:01:02": invalid`, dict.ErrInvalid},

		{dict.String, "", "", nil},
		{dict.String, `"q"`, `"q"`, nil},
		{dict.String, long, long, nil},
		{dict.String, long + "a", `string "` + long[:48] + `"...: too long: 129 bytes, at most 128`, dict.ErrTooLong},
		{dict.String, "a" + strings.Repeat("é", 64), `string "a` + strings.Repeat("é", 23) + `"...: too long: 129 bytes, at most 128`, dict.ErrTooLong},
		{dict.String, strings.Repeat("\xff", 129), `string "` + strings.Repeat(`\xff`, 48) + `"...: too long: 129 bytes, at most 128`, dict.ErrTooLong},
		{dict.String, "a\x00b", `string "a\x00b": invalid: holds a NUL byte`, dict.ErrInvalid},
		{dict.String, "a\xc3", `string "a\xc3": invalid: not UTF-8`, dict.ErrInvalid},
		{0, "x", `type(0) "x": invalid`, dict.ErrInvalid},
		{99, "x", `type(99) "x": invalid`, dict.ErrInvalid},
	} {
		v, err := dict.ParseValue(c.typ, c.text)
		got := v.String()
		if err != nil {
			got = err.Error()
		}
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s %q:\n got %s\nwant %s (%v)", c.typ, c.text, got, c.want, c.err)
		}
		if err != nil && v != (dict.Value{}) {
			t.Errorf("%s %q: an error and a value", c.typ, c.text)
		}
	}
}

func TestParseTextQuotes(t *testing.T) {
	for text, want := range map[string]string{
		`NETFLIX`: "NETFLIX", `"NETFLIX"`: "NETFLIX", `"a \"b\" \\ \x7f\xc3\xa9"`: "a \"b\" \\ \x7fé", `""`: "", `a"b`: `a"b`,
	} {
		if v, err := dict.ParseText(dict.String, text); err != nil || v.Str() != want {
			t.Errorf("%s: got %q, %v, want %q", text, v.Str(), err, want)
		}
	}
	for _, text := range []string{`"`, `"a`, `"a\"`, `"\x00"`, `"\xff"`, `"` + strings.Repeat("a", 129) + `"`} {
		if v, err := dict.ParseText(dict.String, text); err == nil {
			t.Errorf("%s: got %q, want an error", text, v.Str())
		}
	}
	if _, err := dict.ParseText(dict.Int, `"5"`); !errors.Is(err, dict.ErrInvalid) {
		t.Errorf(`int "5" in quotes: got %v`, err)
	}
}

func TestValueAccessors(t *testing.T) {
	mac := [6]byte{1, 2, 3, 4, 5, 6}
	for _, v := range []dict.Value{{}, dict.BoolValue(true), dict.IntValue(-1), dict.Int64Value(math.MinInt64), dict.AddrValue(netipAddr("10.0.0.1")), dict.AddrValue(netipAddr("::1")), dict.EtherValue(mac), dict.MustString("x")} {
		if got, want := v.Bool(), v == dict.BoolValue(true); got != want {
			t.Errorf("%s: Bool %v", v.Text(), got)
		}
		wantNum := map[dict.Type]int64{dict.Bool: 1, dict.Int: -1, dict.Int64: math.MinInt64}[v.Type()]
		if got := v.Int64(); got != wantNum {
			t.Errorf("%s: Int64 %d, want %d", v.Text(), got, wantNum)
		}
		if got := v.Ether(); (got == mac) != (v.Type() == dict.Ether) {
			t.Errorf("%s: Ether %v", v.Text(), got)
		}
		if got := v.Addr().IsValid(); got != (v.Type() == dict.IPv4 || v.Type() == dict.IPv6) {
			t.Errorf("%s: Addr %v", v.Text(), v.Addr())
		}
		if got := v.Str(); (got == "x") != (v.Type() == dict.String) {
			t.Errorf("%s: Str %q", v.Text(), got)
		}
		if v.IsZero() != (v.Type() == 0) {
			t.Errorf("%s: IsZero %v", v.Text(), v.IsZero())
		}
	}
	if v := dict.AddrValue(netip.Addr{}); !v.IsZero() {
		t.Errorf("the invalid address gives %s", v.Text())
	}
	if v := dict.AddrValue(netipAddr("fe80::1%eth0")); v.String() != "fe80::1" {
		t.Errorf("an address with a zone gives %s", v)
	}
	defer func() {
		if recover() == nil {
			t.Error("MustString of a bad string does not panic")
		}
	}()
	dict.MustString("\x00")
}

func TestConvertValue(t *testing.T) {
	samples := map[dict.Type]dict.Value{
		dict.Bool: dict.BoolValue(true), dict.Int: dict.IntValue(-5), dict.Int64: dict.Int64Value(-5), dict.IPv4: dict.AddrValue(netipAddr("10.0.0.1")),
		dict.IPv6: dict.AddrValue(netipAddr("::ffff:10.0.0.1")), dict.Ether: dict.EtherValue([6]byte{1}), dict.String: dict.MustString("x"),
	}
	widens := map[[2]dict.Type]bool{{dict.Int, dict.Int64}: true, {dict.IPv4, dict.Address}: true, {dict.IPv6, dict.Address}: true}
	for from, v := range samples {
		for _, to := range dict.Types() {
			got, err := v.Convert(to)
			ok := from == to || widens[[2]dict.Type{from, to}]
			if (err == nil) != ok || !ok && !errors.Is(err, dict.ErrType) || to.Accepts(from) != ok {
				t.Errorf("%s to %s: got %s, %v, Accepts %v", from, to, got.Text(), err, to.Accepts(from))
			}
			if ok && got.Text() != v.Text() {
				t.Errorf("%s to %s: %s became %s", from, to, v.Text(), got.Text())
			}
			if ok && to == dict.Int64 && got != dict.Int64Value(-5) {
				t.Errorf("int to int64 is %s", got.Type())
			}
		}
	}
	if _, err := (dict.Value{}).Convert(dict.Int); !errors.Is(err, dict.ErrType) || err.Error() != "wrong type: no value, want int" {
		t.Errorf("no value: got %v", err)
	}
}

func TestTypeWords(t *testing.T) {
	for _, typ := range dict.Types() {
		if got, err := dict.ParseType(typ.String()); err != nil || got != typ || !typ.Valid() {
			t.Errorf("%s: got %s, %v", typ, got, err)
		}
		text, err := typ.MarshalText()
		var back dict.Type
		if err != nil || back.UnmarshalText(text) != nil || back != typ {
			t.Errorf("%s: as text %s, %v, back %s", typ, text, err, back)
		}
	}
	for _, typ := range dict.KeyTypes() {
		if got, err := dict.ParseKeyType(typ.String()); err != nil || got != typ || !typ.Valid() {
			t.Errorf("%s: got %s, %v", typ, got, err)
		}
		text, err := typ.MarshalText()
		var back dict.KeyType
		if err != nil || back.UnmarshalText(text) != nil || back != typ {
			t.Errorf("%s: as text %s, %v, back %s", typ, text, err, back)
		}
	}
	if typ, err := dict.ParseType("string"); err != nil || typ != dict.String {
		t.Errorf("string: %s, %v", typ, err)
	}
	if typ, err := dict.ParseKeyType("long_string"); err != nil || typ != dict.KeyString {
		t.Errorf("long_string: %s, %v", typ, err)
	}
	for _, word := range []string{"", "Bool", "type(0)", "int32", strings.Repeat("x", 1000)} {
		_, err := dict.ParseType(word)
		_, kerr := dict.ParseKeyType(word)
		if !errors.Is(err, dict.ErrInvalid) || !errors.Is(kerr, dict.ErrInvalid) || len(err.Error()) > 250 {
			t.Errorf("%q: got %v and %v", word, err, kerr)
		}
	}
	if dict.Type(0).Valid() || dict.Type(99).Valid() || dict.KeyType(0).Valid() || dict.KeyType(99).Valid() {
		t.Error("types that do not exist are valid")
	}
	if _, err := dict.Type(0).MarshalText(); !errors.Is(err, dict.ErrInvalid) {
		t.Errorf("type 0 as text: %v", err)
	}
	if _, err := dict.KeyType(99).MarshalText(); !errors.Is(err, dict.ErrInvalid) {
		t.Errorf("key type 99 as text: %v", err)
	}
}
