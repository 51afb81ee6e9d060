// SPDX-License-Identifier: MIT

package dict_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"nftdict/dict"
)

func TestParseKey(t *testing.T) {
	long := strings.Repeat("k", dict.MaxString)
	for _, c := range []struct {
		typ  dict.KeyType
		text string
		want string // as Text writes it, or the error
		err  error
	}{
		{dict.KeyCtID, "0x11111166", "286331238", nil},
		{dict.KeyCtID, "4294967295", "4294967295", nil},
		{dict.KeyCtID, "4294967296", `ct_id "4294967296": out of range`, dict.ErrRange},
		{dict.KeyCtID, "-1", `ct_id "-1": out of range`, dict.ErrRange},
		{dict.KeyCtID, "99999999999999999999", `ct_id "99999999999999999999": out of range`, dict.ErrRange},
		{dict.KeyCtID, "1_0", `ct_id "1_0": invalid`, dict.ErrInvalid},
		{dict.KeyCtID, "", `ct_id "": invalid`, dict.ErrInvalid},
		{dict.KeyMark, "42", "0x0000002a", nil},
		{dict.KeyInt, "+7", "7", nil},
		{dict.KeyIPv4, "10.0.0.1", "10.0.0.1", nil},
		{dict.KeyIPv4, "::ffff:10.0.0.1", `ipv4_addr "::ffff:10.0.0.1": invalid`, dict.ErrInvalid},
		{dict.KeyIPv6, "10.0.0.1", `ipv6_addr "10.0.0.1": invalid`, dict.ErrInvalid},
		{dict.KeyIPv6, "2001:DB8::1", "2001:db8::1", nil},
		{dict.KeyAddress, "::ffff:10.0.0.1", "::ffff:10.0.0.1", nil},
		{dict.KeyAddress, "fe80::1%lo", `address "fe80::1%lo": invalid`, dict.ErrInvalid},
		{dict.KeyEther, "AA:00:00:00:00:01", "aa:00:00:00:00:01", nil},
		{dict.KeyEther, "aa", `ether_addr "aa": invalid`, dict.ErrInvalid},
		{dict.KeyString, "al", `"al"`, nil},
		{dict.KeyString, long, `"` + long + `"`, nil},
		{dict.KeyString, "", `key "": invalid: empty`, dict.ErrInvalid},
		{dict.KeyString, long + "k", `string "` + long[:48] + `"...: too long: 129 bytes, at most 128`, dict.ErrTooLong},
		{dict.KeyString, "\xff", `string "\xff": invalid: not UTF-8`, dict.ErrInvalid},
		{0, "x", `key type(0) "x": invalid`, dict.ErrInvalid},
	} {
		k, err := dict.ParseKey(c.typ, c.text)
		got := k.Text()
		if err != nil {
			got = err.Error()
		}
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s %q:\n got %s\nwant %s (%v)", c.typ, c.text, got, c.want, c.err)
		}
	}
	if k, err := dict.ParseKeyText(dict.KeyString, `"a\"b"`); err != nil || k.Str() != `a"b` {
		t.Errorf("a quoted key: got %q, %v", k.Str(), err)
	}
	if _, err := dict.ParseKeyText(dict.KeyString, `""`); !errors.Is(err, dict.ErrInvalid) {
		t.Errorf("an empty quoted key: got %v", err)
	}
}

func TestKeyAccessors(t *testing.T) {
	mac := [6]byte{255, 2, 3, 4, 5, 6}
	text, err := dict.StringKey("al")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		key  dict.Key
		typ  dict.KeyType
		num  uint32
		addr bool
		mac  [6]byte
		str  string
	}{
		{dict.Key{}, 0, 0, false, [6]byte{}, ""},
		{dict.CtID(1 << 31), dict.KeyCtID, 1 << 31, false, [6]byte{}, ""},
		{dict.Mark(7), dict.KeyMark, 7, false, [6]byte{}, ""},
		{dict.IntKey(8), dict.KeyInt, 8, false, [6]byte{}, ""},
		{dict.EtherKey(mac), dict.KeyEther, 0, false, mac, ""},
		{dict.AddrKey(netipAddr("fe80::1%lo")), dict.KeyAddress, 0, true, [6]byte{}, ""},
		{text, dict.KeyString, 0, false, [6]byte{}, "al"},
	} {
		k := c.key
		if k.Type() != c.typ || k.Uint32() != c.num || k.Addr().IsValid() != c.addr || k.Ether() != c.mac || k.Str() != c.str {
			t.Errorf("%s %s: %d %v %v %q", k.Type(), k.Text(), k.Uint32(), k.Addr(), k.Ether(), k.Str())
		}
	}
	if dict.AddrKey(netipAddr("fe80::1%lo")) != dict.AddrKey(netipAddr("fe80::1")) {
		t.Error("a zone makes another key")
	}
	if dict.AddrKey(netip.Addr{}) != (dict.Key{}) {
		t.Error("the invalid address makes a key")
	}
}

func TestConvertKey(t *testing.T) {
	four, six, mapped := dict.AddrKey(netipAddr("10.0.0.1")), dict.AddrKey(netipAddr("::1")), dict.AddrKey(netipAddr("::ffff:10.0.0.1"))
	for _, c := range []struct {
		key dict.Key
		to  dict.KeyType
		err string
	}{
		{four, dict.KeyIPv4, ""},
		{four, dict.KeyAddress, ""},
		{four, dict.KeyIPv6, "key 10.0.0.1: wrong type: address, want ipv6_addr"},
		{six, dict.KeyIPv6, ""},
		{six, dict.KeyIPv4, "key ::1: wrong type: address, want ipv4_addr"},
		{mapped, dict.KeyIPv6, ""},
		{mapped, dict.KeyIPv4, "key ::ffff:10.0.0.1: wrong type: address, want ipv4_addr"},
		{dict.CtID(5), dict.KeyCtID, ""},
		{dict.CtID(5), dict.KeyMark, "key 5: wrong type: ct_id, want mark"},
		{dict.Mark(5), dict.KeyInt, "key 0x00000005: wrong type: mark, want int"},
		{dict.Key{}, dict.KeyInt, "wrong type: no key, want int"},
		{dict.Key{}, 0, "wrong type: no key, want key type(0)"},
	} {
		got, err := c.key.Convert(c.to)
		switch {
		case c.err == "" && (err != nil || got.Type() != c.to || got.Text() != c.key.Text()):
			t.Errorf("%s to %s: got %s %s, %v", c.key.Text(), c.to, got.Type(), got.Text(), err)
		case c.err != "" && (!errors.Is(err, dict.ErrType) || err.Error() != c.err):
			t.Errorf("%s to %s: got %v, want %s", c.key.Text(), c.to, err, c.err)
		}
	}
	k, err := four.Convert(dict.KeyIPv4)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := k.Convert(dict.KeyAddress); err != nil || back != four {
		t.Errorf("there and back: got %v, %v", back, err)
	}
}
