// SPDX-License-Identifier: MIT

package classifier

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// certificateOf returns a certificate of its own for the names.
func certificateOf(t testing.TB, subject pkix.Name, names ...string) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(5), Subject: subject, DNSNames: names, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0)}
	for _, name := range names { // x509 has no field for the issuer's
		template.ExtraExtensions = []pkix.Extension{{Id: []int{2, 5, 29, 18}, Value: joinParts([]any{0x30, 2 + len(name), 0x82, len(name), name})}}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// serverFlight returns the first messages of a server that speaks TLS 1.2.
func serverFlight(der []byte) []byte {
	hello := joinParts([]any{uint16(0x0303), make([]byte, 32), 0, uint16(0xc02f), 0, size16{[]any{uint16(16), size16{[]any{size16{[]any{2, "h2"}}}}}}})
	long := func(n int) []byte { return []byte{byte(n >> 16), byte(n >> 8), byte(n)} }
	list := joinParts([]any{long(len(der)), der})
	list = append(long(len(list)), list...)
	return records(joinParts([]any{2, long(len(hello)), hello, 11, long(len(list)), list, 14, long(0)}))
}

func TestCertificate(t *testing.T) {
	der := certificateOf(t, pkix.Name{CommonName: "*.netflix.com", Organization: []string{"Example"}, Country: []string{"NL"}}, "*.netflix.com", "Example.org")
	in := serverFlight(der)
	for _, size := range []int{40, 333, len(in)} {
		v := newConversation(t, New(Options{Certificates: true}))
		v.open()
		hello := specHello()
		if got := v.at(Original, 0, records(hello.bytes())); got != Final {
			t.Errorf("behind the hello the session is %v", got)
		}
		for i := 0; i < len(in); i += size {
			v.at(Reply, i, in[i:min(len(in), i+size)])
		}
		r := v.s.Result()
		want := &Certificate{
			Subject: CertificateName{CN: "*.netflix.com", O: "Example", C: "NL"}, Issuer: CertificateName{CN: "*.netflix.com", O: "Example", C: "NL"},
			Names: []string{"*.netflix.com", "example.org"}, IssuerNames: []string{"example.org"},
		}
		if diff := cmp.Diff(want, r.Certificate); diff != "" {
			t.Errorf("certificate (-want +got):\n%s", diff)
		}
		if r.TLSVersion != "TLSv1.2" || r.ALPNChosen != "h2" || len(r.JA3S) != 32 || v.s.State() != Done {
			t.Errorf("state %v, %+v", v.s.State(), r)
		}
	}
}

// TestCertificateNamesApplication has no client that names a server.
func TestCertificateNamesApplication(t *testing.T) {
	for name, tt := range map[string]struct {
		names []string
		want  string
	}{
		"one":     {[]string{"*.netflix.com"}, "NETFLIX"},
		"same":    {[]string{"netflix.com", "*.nflxvideo.net"}, "NETFLIX"},
		"several": {[]string{"netflix.com", "www.facebook.com"}, "TLS"},
		"unknown": {[]string{"netflix.com", "www.example.org"}, "TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			v := newConversation(t, New(Options{}))
			v.at(Reply, 0, serverFlight(certificateOf(t, pkix.Name{CommonName: "server"}, tt.names...)))
			if r := v.s.Result(); r.Application != tt.want {
				t.Errorf("application %q, want %q", r.Application, tt.want)
			}
		})
	}
}

func FuzzCertificate(f *testing.F) {
	f.Add(certificateOf(f, pkix.Name{CommonName: "a.example"}, "b.example"))
	f.Add([]byte{0x30, 0x80})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, ok := parseCertificate(b, 128)
		if !ok {
			return
		}
		for _, s := range append([]string{c.Subject.CN, c.Issuer.O}, c.Names...) {
			if len(s) > 128 || !isPrintable([]byte(s)) {
				t.Fatalf("string %q", s)
			}
		}
	})
}

func TestTorCertificate(t *testing.T) {
	tor := Certificate{Subject: CertificateName{CN: "www.axslhtfqq2.net"}, Issuer: CertificateName{CN: "www.hkkch64skp7am.com"}}
	change := func(f func(*Certificate)) Certificate { c := tor; f(&c); return c }
	for name, tt := range map[string]struct {
		in   Certificate
		want bool
	}{
		"tor":              {tor, true},
		"organisation":     {change(func(c *Certificate) { c.Issuer.O = "Example" }), false},
		"names":            {change(func(c *Certificate) { c.Names = []string{"www.axslhtfqq2.net"} }), false},
		"short":            {change(func(c *Certificate) { c.Subject.CN = "www.ietf.net" }), false},
		"other letters":    {change(func(c *Certificate) { c.Subject.CN = "www.axslhtfqq1.net" }), false},
		"same":             {change(func(c *Certificate) { c.Issuer.CN = "www.axslhtfqq2.com" }), false},
		"the other way":    {Certificate{Subject: tor.Issuer, Issuer: tor.Subject}, false},
		"nothing in front": {change(func(c *Certificate) { c.Subject.CN = "axslhtfqq2.net" }), false},
	} {
		if got := tt.in.isTor(); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
