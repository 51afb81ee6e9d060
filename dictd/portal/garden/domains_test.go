// SPDX-License-Identifier: MIT

package garden

import (
	"errors"
	"strings"
	"testing"

	"nftdict/dict"
)

func TestHas(t *testing.T) {
	d, err := Parse([]string{"Example.org", "accounts.google.com.", "xn--mnchen-3ya.de"})
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]bool{
		"example.org": true, "www.EXAMPLE.org": true, "a.b.example.org.": true, "notexample.org": false, "org": false, "": false, ".": false,
		"example.org.evil.test": false, "google.com": false, "accounts.google.com": true, "www.xn--mnchen-3ya.de": true,
	} {
		if got := d.Has(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
	for _, none := range []*Domains{nil, new(Domains)} {
		if none.Has("example.org") || !none.Empty() {
			t.Error("no garden has a host")
		}
	}
}

func TestRefusals(t *testing.T) {
	for text, want := range map[string]string{
		"": "want a domain", "*.example.org": "want a domain", "192.0.2.1": "want a domain", "münchen.de": "want a domain", "a..b": "want a domain", "-a.org": "want a domain",
		"com": "whether they are online", "apple.com": "captive.apple.com", "Captive.Apple.Com": "captive.apple.com", "gstatic.com": "gstatic.com", "google.com": "google.com",
	} {
		if _, err := Parse([]string{"example.org", text}); !errors.Is(err, dict.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	for _, probe := range Probes() {
		if _, err := Parse([]string{probe}); err == nil {
			t.Errorf("%s may be in a garden", probe)
		}
	}
}

func FuzzHas(f *testing.F) {
	f.Add("www.example.org", "example.org")
	f.Fuzz(func(t *testing.T, host, domain string) {
		d, err := Parse([]string{domain})
		if err != nil {
			return
		}
		h, n := normal(host), normal(domain)
		if want := h == n || strings.HasSuffix(h, "."+n); d.Has(host) != want {
			t.Errorf("%q within %q: %v", host, domain, !want)
		}
	})
}
