// SPDX-License-Identifier: MIT

package classifier

import "testing"

func TestIsTor(t *testing.T) {
	const suites = "\x13\x01\x13\x03\x13\x02\xc0\x2b\xc0\x2f\xcc\xa9\xcc\xa8\xc0\x2c\xc0\x30\xc0\x0a\xc0\x09\x00\x2f"
	tests := []struct {
		name, suites, alpn, sni string
		want                    bool
	}{
		{"tor", suites + "\x00\xff", "", "www.fy5w5rfxyviyukb4rdwt6t.com", true},
		{"a browser", suites, "", "www.fy5w5rfxyviyukb4rdwt6t.com", false},
		{"another order", "\x13\x02" + suites + "\x00\xff", "", "www.fy5w5rfxyviyukb4rdwt6t.com", false},
		{"offers a protocol", suites + "\x00\xff", "\x02h2", "www.fy5w5rfxyviyukb4rdwt6t.com", false},
		{"another alphabet", suites + "\x00\xff", "", "www.example-1.com", false},
		{"two labels", suites + "\x00\xff", "", "www.example.co.com", false},
		{"another begin", suites + "\x00\xff", "", "web.fy5w5rfxyviyukb4rdwt6t.com", false},
		{"short", suites + "\x00\xff", "", "www.abc.com", false},
		{"no name", suites + "\x00\xff", "", "", false},
		{"few suites", "\x13\x01\x13\x03\x13\x02\x00\xff", "", "www.abcdef.com", false},
		{"none", "", "", "www.abcdef.com", false},
	}
	for _, tt := range tests {
		h := hello{ciphers: []byte(tt.suites), alpn: []byte(tt.alpn), sni: []byte(tt.sni)}
		if got := h.isTor(); got != tt.want {
			t.Errorf("%s: got %v", tt.name, got)
		}
	}
}
