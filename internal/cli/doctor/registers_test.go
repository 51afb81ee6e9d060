// SPDX-License-Identifier: MIT

package doctor

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nftdict/classifier/country/countrytest"
)

// What dictd looks addresses up in is told with its date.
func TestRegisters(t *testing.T) {
	dir := t.TempDir()
	d := countrytest.Database{Type: "Test-Country", Built: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Version: 6,
		Networks: map[netip.Prefix]countrytest.Record{netip.MustParsePrefix("192.0.2.0/24"): countrytest.Country("NL")}}
	file, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	countries, makers := filepath.Join(dir, "c.mmdb"), filepath.Join(dir, "oui.csv")
	for path, text := range map[string]string{countries: string(file), makers: "MA-L,0022AA,Works,x\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	changed := time.Date(2025, 6, 7, 8, 9, 10, 0, time.UTC)
	if err := os.Chtimes(makers, changed, changed); err != nil {
		t.Fatal(err)
	}
	if found, err := openCountries(countries); err != nil || found != countries+", Test-Country of 2026-03-04" {
		t.Errorf("countries: %q, %v", found, err)
	}
	if found, err := openVendors([]string{makers}); err != nil || found != makers+" of 2025-06-07" {
		t.Errorf("vendors: %q, %v", found, err)
	}
	for name, try := range map[string]func() (string, error){
		"none is configured; there is " + countries: func() (string, error) { return openCountries("", filepath.Join(dir, "*.mmdb")) },
		"none is configured":                        func() (string, error) { return openCountries("", filepath.Join(dir, "none", "*.mmdb")) },
		makers + ": no whole database":              func() (string, error) { return openCountries(makers) },
		countries + ":":                             func() (string, error) { return openVendors([]string{countries}) },
		"none is installed":                         func() (string, error) { return openVendors(nil) },
	} {
		if found, err := try(); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("want %q: %q, %v", name, found, err)
		}
	}
}
