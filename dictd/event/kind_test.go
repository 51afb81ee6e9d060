// SPDX-License-Identifier: MIT

package event

import (
	"errors"
	"testing"

	"nftdict/dict"
)

func TestKinds(t *testing.T) {
	names := make(map[string]bool)
	for k := range kinds {
		names[Kind(k).String()] = true
	}
	if len(names) != kinds || names[""] || SessionEnd.String() != "session-end" || QuotaTopup.String() != "quota-topup" || HostNew.String() != "host-new" {
		t.Errorf("names %v", names)
	}
	if len(Kinds()) != kinds-2 {
		t.Errorf("kinds %v", Kinds())
	}
	if k := Kind(200); k.String() != "kind-200" {
		t.Error(k)
	}
}

func TestParseFilter(t *testing.T) {
	for _, c := range []struct {
		texts []string
		want  Filter
	}{
		{nil, Filter{}},
		{[]string{"host-new"}, Of(HostNew)},
		{[]string{"host-new,quota-*", "session-end"}, Of(HostNew, QuotaWarning, QuotaExceeded, QuotaReset, QuotaTopup, SessionEnd)},
		{[]string{"*"}, Of(Kinds()...)},
	} {
		if f, err := ParseFilter(c.texts...); err != nil || f != c.want {
			t.Errorf("%q: %b, %v, want %b", c.texts, f.bits, err, c.want.bits)
		}
	}
	for _, text := range []string{"", "host", "host-new,", "gap", "x*", "host-*new", "a\x00"} {
		if _, err := ParseFilter(text); !errors.Is(err, dict.ErrInvalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestParsePosition(t *testing.T) {
	for text, want := range map[string]Position{
		"0": {}, "17": {After: 17}, "18446744073709551615": {After: 1<<64 - 1}, "00aaff99-5": {"00aaff99", 5},
	} {
		p, err := ParsePosition(text)
		if err != nil || p != want || p.String() != text {
			t.Errorf("%q: %+v, %v", text, p, err)
		}
	}
	for _, text := range []string{"", "-", "-5", "x-5", "a-", "a-b", "5-5-5", "+5", "a-+5", "18446744073709551616", "000000000000000000000000000000000-1"} {
		if p, err := ParsePosition(text); !errors.Is(err, dict.ErrInvalid) {
			t.Errorf("%q: %+v, %v", text, p, err)
		}
	}
}

func FuzzParsePosition(f *testing.F) {
	f.Add("0123456789abcdef-17")
	f.Add("17")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePosition(text)
		if err != nil {
			return
		}
		if q, err := ParsePosition(p.String()); err != nil || q != p {
			t.Errorf("%q: %+v, then %+v, %v", text, p, q, err)
		}
	})
}
