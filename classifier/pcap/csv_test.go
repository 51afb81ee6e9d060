// SPDX-License-Identifier: MIT

package pcap

import (
	"testing"

	"nftdict/classifier"
)

func TestComparableJA4(t *testing.T) {
	const rest = "_07a749158664_d075105c1994"
	for name, tt := range map[string]struct {
		in   classifier.Result
		want string
	}{
		"name":     {classifier.Result{JA4: "t13d1516h2" + rest, SNI: "www.example.org", ALPN: []string{"h2"}}, "t13d1516h2" + rest},
		"http":     {classifier.Result{JA4: "t12d1516h1" + rest, SNI: "www.example.org", ALPN: []string{"http/1.1"}}, "t12d1516ht" + rest},
		"no name":  {classifier.Result{JA4: "t12i151600" + rest}, "t12d151600" + rest},
		"address":  {classifier.Result{JA4: "t12d151600" + rest, SNI: "192.0.2.1"}, "t12i151600" + rest},
		"no hello": {classifier.Result{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := comparableJA4(&tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// A flow of DNS is named after the question that was answered first; one
// without an answer after the last.
func TestHost(t *testing.T) {
	dns := classifier.Result{Protocol: "DNS", Detail: "last.example.org"}
	first := []classifier.Evidence{{Rule: "dns/name", Seen: "a.example.org"}, {Rule: "dns/answered", Seen: "b.example.org"}}
	for want, f := range map[string]*Flow{
		"b.example.org":    {Result: &dns, evidence: first},
		"last.example.org": {Result: &dns, evidence: first[:1]},
		"sni.example.org":  {Result: &classifier.Result{Protocol: "TLS", SNI: "sni.example.org", Detail: "x"}},
		"":                 {Result: &classifier.Result{Protocol: "SSH", Detail: "OpenSSH"}},
	} {
		if got := f.host(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
