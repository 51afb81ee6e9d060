// SPDX-License-Identifier: MIT

package e2e

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"nftdict/classifier/country/countrytest"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// A database of countries decides about a connection's first packet, and is
// exchanged while dictd runs.
//
//	client 192.168.77.2 ---- gateway (dictd, a rule) ---- internet: NL and BE
func TestCountryOfFirstPacket(t *testing.T) {
	r := newRig(t, lab.Config{})
	abroad, home := r.site("www.netflix.com"), r.site("example.org")
	path := filepath.Join(r.dir, "countries.mmdb")
	write := func(file []byte) {
		t.Helper()
		if err := os.WriteFile(path+".new", file, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	encode := func(day int, where map[lab.Site]string) []byte {
		t.Helper()
		d := countrytest.Database{Type: "Lab-Country", Built: time.Date(2026, 1, day, 3, 4, 5, 0, time.UTC), Version: 6, Networks: map[netip.Prefix]countrytest.Record{}}
		for site, iso := range where {
			d.Networks[netip.PrefixFrom(site.Addr4, 32)] = countrytest.Country(iso)
			d.Networks[netip.PrefixFrom(site.Addr6, 128)] = countrytest.Country(iso)
		}
		file, err := d.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	write(encode(1, map[lab.Site]string{abroad: "NL", home: "BE"}))
	daemon := r.start(fmt.Sprintf("countries = %q", path))
	r.forward()
	for _, family := range []string{"ip", "ip6"} {
		r.nft("add rule " + family + " filter forward dict sessions ct id server_country long_string NL reject with tcp reset")
	}
	wire := labtest.Capture(t, r.Internet, "eth0")
	seen := func(site lab.Site) bool {
		t.Helper()
		found, err := wire.Segments(func(s lab.Segment) bool {
			return s.TCP && (s.Dst.Addr() == site.Addr4 || s.Dst.Addr() == site.Addr6)
		})
		if err != nil {
			t.Fatal(err)
		}
		return len(found) > 0
	}
	for _, family := range []int{4, 6} {
		r.reaches(family, "https://example.org/")
		r.blocked(family, "https://www.netflix.com/")
	}
	if !seen(home) || seen(abroad) {
		t.Errorf("the internet received a packet for BE: %v, for NL: %v; want the first alone", seen(home), seen(abroad))
	}
	if out := r.must("dictctl", "list", "sessions"); !strings.Contains(out, `client_country "XL"`) || !strings.Contains(out, `server_country "BE"`) {
		t.Errorf("rows tell no countries:\n%s", out)
	}

	// The two change places.
	write(encode(2, map[lab.Site]string{abroad: "BE", home: "NL"}))
	daemon.signal(syscall.SIGHUP)
	second := "Lab-Country of 2026-01-02"
	r.eventually("the other database is in use", func() error {
		if out := r.must("dictctl", "status"); !strings.Contains(out, second) {
			return fmt.Errorf("status does not say %q:\n%s", second, out)
		}
		return nil
	})
	r.blocked(4, "https://example.org/")
	r.reaches(4, "https://www.netflix.com/")

	// What is broken is refused by name, and what was there stays in force.
	write(encode(3, map[lab.Site]string{abroad: "NL"})[:200])
	daemon.signal(syscall.SIGHUP)
	r.blocked(4, "https://example.org/")
	r.reaches(4, "https://www.netflix.com/")
	if out := r.must("dictctl", "status"); !strings.Contains(out, second) {
		t.Errorf("status does not say %q:\n%s", second, out)
	}
	daemon.stop()
	if log := daemon.log.String(); !strings.Contains(log, "countries.mmdb: no whole database in MaxMind's format") {
		t.Errorf("dictd refused nothing:\n%s", log)
	}
}

// site returns a site of the lab.
func (r *rig) site(name string) lab.Site {
	r.t.Helper()
	s, ok := r.Site(name)
	if !ok {
		r.t.Fatalf("the lab has no site %s", name)
	}
	return s
}
