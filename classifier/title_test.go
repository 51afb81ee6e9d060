// SPDX-License-Identifier: MIT

package classifier

import "testing"

func TestTitle(t *testing.T) {
	for in, want := range map[string]string{
		"NETFLIX": "Netflix", "YOUTUBE": "YouTube", "HBO": "HBO", "MY_OWN_SERVICE": "My Own Service", "": "", "_": " ",
	} {
		if got := Title(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for _, tt := range []struct {
		in   Result
		want string
	}{
		{Result{Protocol: "BitTorrent", Application: "BITTORRENT"}, "BitTorrent"},
		{Result{Protocol: "TLS", Application: "GITHUB"}, "GitHub"},
		{Result{}, ""},
	} {
		if got := tt.in.Title(); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.in, got, tt.want)
		}
	}
}
