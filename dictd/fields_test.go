// SPDX-License-Identifier: MIT

package dictd

import (
	"crypto/tls"
	"slices"
	"testing"

	"nftdict/classifier"
	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/dictd/queue"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
)

// A real handshake of TLS 1.2 shows its certificate, of 1.3 only its choices.
func TestHandshakeFields(t *testing.T) {
	backends(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		startOn(t, l.Gateway, on, nil)
		for version, name := range map[uint16]string{tls.VersionTLS12: "TLSv1.2", tls.VersionTLS13: "TLSv1.3"} {
			b := l.Browser()
			b.Timeout, b.MaxVersion = patience, version
			if _, err := b.Get(t.Context(), "https://www.netflix.com/"); err != nil {
				t.Fatal(err)
			}
			want := map[string]string{
				"tls_version": name, "ssl_sni": "www.netflix.com",
				"application": "NETFLIX", "application_name": "Netflix", "application_protochain": "IP/TCP/TLS/NETFLIX",
				"application_productivity": "1", "application_risk": "2",
				"final": "true", "bypass_packetd": "true",
			}
			if version == tls.VersionTLS12 {
				for field, v := range map[string]string{
					"certificate_subject_cn": "www.netflix.com", "certificate_subject_o": "Lab Sites", "certificate_subject_c": "XX",
					"certificate_subject_san": "www.netflix.com", "cert_dns_names": "www.netflix.com",
					"certificate_issuer_cn": "Lab Root", "certificate_issuer_o": "Lab",
					"alpn_chosen": "h2",
				} {
					want[field] = v
				}
			}
			row := one(t, on.Store, want)
			for field, size := range map[string]int{"ja3": 32, "ja3s": 32, "ja4": 36} {
				if got := value(row, field); len(got) != size {
					t.Errorf("%s: %s is %q, want %d characters", name, field, got, size)
				}
			}
			if got := value(row, "certificate_issuer_cn"); version == tls.VersionTLS13 && got != "" {
				t.Errorf("a certificate of %s, which is encrypted, is by %q", name, got)
			}
		}
		fetch(t, l, 4, true, "https://www.youtube.com/")
		want := map[string]string{"application_name": "YouTube", "quic_version": "1", "alpn": "h3"}
		if len(rows(t, on.Store, want)) == 0 { // its first datagrams may each have made one
			t.Errorf("no row with %v", want)
		}
		fetch(t, l, 4, false, "http://example.org/")
		one(t, on.Store, map[string]string{"http_url": "http://example.org/", "http_user_agent": "Go-http-client/1.1"})
	})
}

// A lookup is DNS, whatever it is about: rules on applications leave it alone.
// What it is about has a field of its own.
func TestLookupStaysDNS(t *testing.T) {
	backends(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		startOn(t, l.Gateway, on, nil)
		fetch(t, l, 4, false, "https://www.netflix.com/")
		row := one(t, on.Store, map[string]string{"lookup_application": "NETFLIX", "family": "4"})
		for field, want := range map[string]string{"application": "DNS", "application_detail": "www.netflix.com", "application_protochain": "IP/UDP/DNS", "application_inferred": ""} {
			if got := value(row, field); got != want {
				t.Errorf("%s is %q, want %q", field, got, want)
			}
		}
	})
}

// With no name in the hello the row is final, and the certificate refines it.
func TestRefinedAfterFinal(t *testing.T) {
	store := dicttest.NewStandard(t)
	w := newWorker(t, store, 10)
	w.classifier.Store(classifier.New(classifier.Options{Certificates: true}))
	hello, flight := handshake12(t, "www.netflix.com")
	open(w, 5)
	check := func(v queue.Verdict, wantVerdict queue.Verdict, want map[string]string) {
		t.Helper()
		row, err := store.Get(dict.Sessions, dict.CtID(5))
		if err != nil {
			t.Fatal(err)
		}
		if v != wantVerdict {
			t.Errorf("verdict %d, want %d", v, wantVerdict)
		}
		for field, text := range want {
			if got := value(row, field); got != text {
				t.Errorf("%s is %q, want %q", field, got, text)
			}
		}
	}
	v := w.Handle(&queue.Packet{CtID: 5, Payload: ipPacket(classifier.ProtoTCP, client, server, 2, classifier.FlagACK, hello)})
	check(v, queue.Accept, map[string]string{"application": "TLS", "final": "true", "bypass_packetd": "", "certificate_subject_cn": ""})
	for off := 0; off < len(flight) && v == queue.Accept; off += 200 {
		part := flight[off:min(off+200, len(flight))]
		v = w.Handle(&queue.Packet{CtID: 5, Payload: ipPacket(classifier.ProtoTCP, server, client, uint32(2+off), classifier.FlagACK, part)})
	}
	check(v, queue.Finish, map[string]string{
		"application": "NETFLIX", "application_name": "Netflix", "application_protochain": "IP/TCP/TLS/NETFLIX", "application_category": "streaming",
		"final": "true", "bypass_packetd": "true", "certificate_subject_cn": "www.netflix.com", "tls_version": "TLSv1.2",
	})
	var chain []string // what dictctl why shows
	for _, e := range w.table.Find(5)[0].Class.Evidence() {
		chain = append(chain, e.Rule)
	}
	for _, rule := range []string{"TLS", "tls/ja4", "tls/version", "tls/certificate", "application"} {
		if !slices.Contains(chain, rule) {
			t.Errorf("the evidence %q lacks %q", chain, rule)
		}
	}
}
