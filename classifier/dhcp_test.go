// SPDX-License-Identifier: MIT

package classifier

import "testing"

func TestDHCPHost(t *testing.T) {
	for name, tt := range map[string]struct{ options, want string }{
		"host":          {"\x35\x01\x01\x0c\x07Anna-PC\xff", "anna-pc"},
		"before":        {"\x0c\x01a\x00\x35\x01\x01\xff", "a"},
		"none":          {"\x35\x01\x01\xff", ""},
		"not printable": {"\x35\x01\x01\x0c\x02a\x1b\xff", ""},
		"cut":           {"\x35\x01\x01\x0c\x09ab", ""},
	} {
		t.Run(name, func(t *testing.T) {
			v := newConversation(t, New(Options{}))
			b := joinParts([]any{1, 1, 6, 0, make([]byte, 232), uint32(0x63825363), tt.options, make([]byte, 20)})
			v.udp(Original, b)
			if r := v.s.Result(); r.Protocol != "DHCP" || r.Detail != tt.want {
				t.Errorf("protocol %q, detail %q, want %q", r.Protocol, r.Detail, tt.want)
			}
		})
	}
}
