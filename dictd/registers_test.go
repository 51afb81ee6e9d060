// SPDX-License-Identifier: MIT

package dictd

import (
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nftdict/classifier/country/countrytest"
	"nftdict/dict/dicttest"
	"nftdict/dictd/config"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// countries writes a database of the addresses of sites.
func countries(t *testing.T, path string, where map[lab.Site]string) {
	t.Helper()
	d := countrytest.Database{Type: "Lab", Built: time.Unix(1e9, 0), Version: 6, Networks: map[netip.Prefix]countrytest.Record{}}
	for site, iso := range where {
		d.Networks[netip.PrefixFrom(site.Addr4, 32)] = countrytest.Country(iso)
		d.Networks[netip.PrefixFrom(site.Addr6, 128)] = countrytest.Country(iso)
	}
	file, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	put(t, path, string(file))
}

// put writes a file.
func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Sessions tell where their ends are; a reload takes another database, and
// leaves the one before in use where the other is broken.
func TestCountries(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	store := dicttest.NewStandard(t)
	dir := t.TempDir()
	path, makers := filepath.Join(dir, "c.mmdb"), filepath.Join(dir, "oui.csv")
	netflix, _ := l.Site("www.netflix.com")
	example, _ := l.Site("example.org")
	countries(t, path, map[lab.Site]string{netflix: "NL"})
	put(t, makers, "MA-L,0022AA,Works,x\n")
	r := start(t, l.Gateway, store, func(c *config.Config) { c.Countries, c.Vendors = path, []string{makers} })
	for _, family := range []int{4, 6} {
		fetch(t, l, family, false, "https://www.netflix.com/")
		fetch(t, l, family, false, "https://example.org/")
	}
	for site, want := range map[lab.Site]string{netflix: "NL", example: "XU"} {
		for _, a := range []netip.Addr{site.Addr4, site.Addr6} {
			one(t, store, map[string]string{"server_address": a.String(), "server_port": "443", "server_country": want, "client_country": "XL"})
		}
	}
	mac := [6]byte{0x00, 0x22, 0xaa, 1, 2, 3}
	if got := r.Vendor(mac); got != "Works" {
		t.Errorf("the maker is %q", got)
	}
	registers := r.Status().Registers
	if len(registers) != 2 || registers[0].File != path || registers[0].Kind != "Lab" || registers[0].Date.Unix() != 1e9 || registers[1].File != makers || registers[1].Entries != 1 {
		t.Errorf("status tells %+v", registers)
	}

	c := *r.config.Load()
	put(t, path, "no database")
	if err := r.Reload(c); err == nil || !strings.Contains(err.Error(), "countries: "+path) || !strings.Contains(err.Error(), "fetch it again") {
		t.Errorf("reload with a broken database: %v", err)
	}
	countries(t, path, map[lab.Site]string{netflix: "BE"})
	put(t, makers, "no registry")
	if err := r.Reload(c); err == nil || !strings.Contains(err.Error(), "vendors: "+makers) {
		t.Errorf("reload with a broken registry: %v", err)
	}
	get := func() string {
		t.Helper()
		conn := fromPort(t, l, 0, netip.AddrPortFrom(netflix.Addr4, 80))
		defer conn.Close()
		_, port, err := net.SplitHostPort(conn.LocalAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		row := one(t, store, map[string]string{"server_port": "80", "client_port": port})
		return value(row, "server_country")
	}
	if got := get(); got != "NL" || r.Vendor(mac) != "Works" {
		t.Errorf("after refused reloads: %q, %q", got, r.Vendor(mac))
	}
	put(t, makers, "0022AA Other Works\n")
	if err := r.Reload(c); err != nil {
		t.Fatal(err)
	}
	if got := get(); got != "BE" || r.Vendor(mac) != "Other Works" {
		t.Errorf("after a reload: %q, %q", got, r.Vendor(mac))
	}
	c.Countries, c.Vendors = "", nil
	if err := r.Reload(c); err != nil {
		t.Fatal(err)
	}
	if got := get(); got != "" || r.Vendor(mac) != "" || len(r.Status().Registers) != 0 {
		t.Errorf("with none configured: %q, %q", got, r.Vendor(mac))
	}
}

// A file that is named must be there.
func TestRegistersThatAreMissing(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	log := slog.New(slog.DiscardHandler)
	for _, c := range []config.Config{{Countries: missing}, {Vendors: []string{missing}}} {
		if _, err := openRegisters(&c, log); err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
