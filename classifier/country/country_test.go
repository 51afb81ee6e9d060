// SPDX-License-Identifier: MIT

package country_test

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"

	"nftdict/classifier/country"
	"nftdict/classifier/country/countrytest"
)

// built is when the databases here say they were built.
var built = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// database encodes networks and what is told of them.
func database(tb testing.TB, version int, networks map[string]countrytest.Record) []byte {
	tb.Helper()
	d := countrytest.Database{Type: "Test-Country", Built: built, Version: version, Networks: map[netip.Prefix]countrytest.Record{}}
	for p, r := range networks {
		d.Networks[netip.MustParsePrefix(p)] = r
	}
	file, err := d.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	return file
}

// world is a database with a little of everything.
func world(tb testing.TB) []byte {
	return database(tb, 6, map[string]countrytest.Record{
		"192.0.2.0/25":         countrytest.Country("NL"),
		"192.0.2.128/26":       countrytest.Country("nl"),
		"192.0.2.192/32":       countrytest.Country("DE"),
		"198.51.100.0/24":      {"registered_country": countrytest.Record{"iso_code": "FR"}},
		"203.0.113.0/25":       {"country": countrytest.Record{"geoname_id": uint32(7)}, "registered_country": countrytest.Record{"iso_code": "GB"}},
		"203.0.113.128/25":     {"country": "ES"},
		"5.0.0.0/8":            {"country_code": "IT", "country": "Italy"},
		"6.0.0.0/8":            {"country": countrytest.Record{"iso_code": "N\x00"}},
		"7.0.0.0/8":            {"country": countrytest.Record{"iso_code": "ZZ"}},
		"8.0.0.0/8":            {"country": countrytest.Record{"iso_code": uint32(5)}},
		"9.0.0.0/8":            {"autonomous_system_number": uint32(64500)},
		"10.0.0.0/8":           countrytest.Country("US"), // it is private all the same
		"255.0.0.0/8":          countrytest.Country("SE"),
		"2001:db8::/33":        countrytest.Country("NL"),
		"2001:db8:8000::/48":   countrytest.Country("BE"),
		"2003::/20":            countrytest.Country("DE"),
		"2a00::/128":           countrytest.Country("PL"),
		"2a00::ffff:0:0:0/80":  countrytest.Country("CZ"),
		"2a00:0:0:1::/64":      countrytest.Country("AT"),
		"ffff:8000::/17":       countrytest.Country("CH"),
		"1fff:8000::/17":       countrytest.Country("JP"), // up to 2000::
		"2000::/16":            countrytest.Country("KR"), // up to the alias 2001::/32
		"fd00:1234::/32":       countrytest.Country("US"), // it is private all the same
		"64:ff9b:1::/48":       countrytest.Country("NO"),
		"2001:db8:8001::/48":   countrytest.Country("BE"),
		"2001:db8:8002::1/128": countrytest.Country("LU"),
	})
}

func TestLookup(t *testing.T) {
	table, err := country.Parse(world(t))
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"192.0.2.0": "NL", "192.0.2.127": "NL", "192.0.2.191": "NL", "192.0.2.192": "DE", "192.0.2.193": "XU", "192.0.1.255": "XU",
		"198.51.100.7": "FR", "203.0.113.1": "GB", "203.0.113.200": "ES", "5.6.7.8": "IT",
		"6.0.0.1": "XU", "7.0.0.1": "XU", "8.0.0.1": "XU", "9.0.0.1": "XU", "255.1.2.3": "SE", "1.1.1.1": "XU",
		"10.1.2.3": "XL", "172.16.0.1": "XL", "172.32.0.1": "XU", "192.168.1.1": "XL", "127.0.0.1": "XL", "169.254.1.1": "XL", "100.64.0.1": "XL",
		"100.128.0.1": "XU", "0.0.0.0": "XL", "255.255.255.255": "XL", "224.0.0.251": "XL", "239.255.255.250": "XL", "232.1.1.1": "XU",
		"::ffff:192.0.2.1": "NL", "::ffff:10.0.0.1": "XL", "2002:c000:201::1": "NL", "2002:a00:1::1": "XL", "64:ff9b::c000:201": "NL", "64:ff9b:1::1": "NO",
		"2001:db8::1": "NL", "2001:db8:8000::1": "BE", "2001:db8:8001:ffff::1": "BE", "2001:db8:8002::1": "LU", "2001:db8:8002::": "XU", "2001:db8:8002::2": "XU",
		"2003::1": "DE", "2003:1000::": "XU", "2a00::": "PL", "2a00::1": "XU", "2a00::ffff:1:2:3": "CZ", "2a00:0:0:1::9": "AT", "2a00:0:0:2::": "XU",
		"1fff:ffff::": "JP", "2000::1": "KR", "2001::1": "XU", "2001:1::": "XU",
		"fe80::1": "XL", "fd00:1234::1": "XL", "::1": "XL", "::": "XL", "ff02::1": "XL", "ff0e::1": "XU", "::192.0.2.1": "XU", "fe80::1%eth0": "XL",
		"2001:db8::1%eth0": "NL",
	} {
		if got := table.Lookup(netip.MustParseAddr(address)).String(); got != want {
			t.Errorf("%s is in %q, want %q", address, got, want)
		}
	}
	if got := table.Lookup(netip.Addr{}); got != 0 || got.String() != "" {
		t.Errorf("no address is in %v", got)
	}
	var none *country.Table
	if got := none.Lookup(netip.MustParseAddr("10.0.0.1")); got != 0 {
		t.Errorf("without a database an address is in %v", got)
	}
	info := table.Info()
	if info.Type != "Test-Country" || !info.Built.Equal(built) || info.Stretches < 20 || info.Size < 6*info.Stretches {
		t.Errorf("info %+v", info)
	}
}

// A database of IPv4 alone says nothing of IPv6.
func TestVersion4(t *testing.T) {
	table, err := country.Parse(database(t, 4, map[string]countrytest.Record{"0.0.0.0/1": countrytest.Country("NL"), "192.0.2.1/32": countrytest.Country("DE")}))
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{"1.2.3.4": "NL", "128.0.0.0": "XU", "192.0.2.1": "DE", "192.0.2.2": "XU", "2001:db8::1": "XU", "::ffff:1.2.3.4": "NL", "2002:102:304::": "NL"} {
		if got := table.Lookup(netip.MustParseAddr(address)).String(); got != want {
			t.Errorf("%s is in %q, want %q", address, got, want)
		}
	}
}

// One record may cover all of IPv4 and more.
func TestShortPrefix(t *testing.T) {
	table, err := country.Parse(database(t, 6, map[string]countrytest.Record{"::/2": countrytest.Country("NL"), "8000::/1": countrytest.Country("DE")}))
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{"1.2.3.4": "NL", "255.1.1.1": "NL", "2001:db8::1": "NL", "4000::": "XU", "9000::": "DE"} {
		if got := table.Lookup(netip.MustParseAddr(address)).String(); got != want {
			t.Errorf("%s is in %q, want %q", address, got, want)
		}
	}
}

// What a Table says of any address is what the library finds in the file.
func TestAgainstLibrary(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		d := countrytest.Database{Type: "Random", Built: built, Version: 6, Networks: map[netip.Prefix]countrytest.Record{}}
		iso := []string{"NL", "DE", "FR", "GB"}
		for range 200 {
			var b [16]byte
			for i := range b {
				b[i] = byte(rnd.IntN(256)) >> rnd.IntN(8) // small more often than not
			}
			b[0] = byte(0x24 + rnd.IntN(8))
			p := netip.PrefixFrom(netip.AddrFrom16(b), 20+rnd.IntN(109)).Masked()
			if rnd.IntN(2) == 0 {
				p = netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(20 + rnd.IntN(4)), b[1], b[2], b[3]}), 10+rnd.IntN(23)).Masked()
			}
			free := true
			for q := range d.Networks {
				free = free && !p.Overlaps(q)
			}
			if free {
				d.Networks[p] = countrytest.Country(iso[rnd.IntN(len(iso))])
			}
		}
		file, err := d.Encode()
		if err != nil {
			t.Fatal(err)
		}
		table, err := country.Parse(file)
		if err != nil {
			t.Fatal(err)
		}
		r, err := maxminddb.OpenBytes(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Verify(); err != nil {
			t.Fatal(err)
		}
		check := func(a netip.Addr) {
			want := ""
			if err := r.Lookup(a).DecodePath(&want, "country", "iso_code"); err != nil {
				t.Fatal(err)
			}
			if want == "" {
				want = "XU"
			}
			if got := table.Lookup(a).String(); got != want {
				t.Fatalf("%v is in %q, the library finds %q", a, got, want)
			}
		}
		for p := range d.Networks {
			check(p.Addr())
			check(p.Addr().Prev())
			a := p.Addr()
			for range 10 {
				a = a.Next()
				check(a)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	whole := world(t)
	dir := t.TempDir()
	open := func(name string, b []byte) error {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := country.Open(path)
		if err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("%s: the error does not name the file: %v", name, err)
		}
		return err
	}
	if err := open("whole.mmdb", whole); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, 100, len(whole) / 2, len(whole) - 1, len(whole) - 60} {
		if err := open("cut.mmdb", whole[:n]); !errors.Is(err, country.ErrBroken) || !strings.Contains(err.Error(), "fetch it again") {
			t.Errorf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
	// The tree leads out of the file.
	bent := append([]byte{}, whole...)
	for i := range 4 {
		bent[i] = 0x7f
	}
	if err := open("bent.mmdb", bent); !errors.Is(err, country.ErrBroken) {
		t.Errorf("a tree that leads out of the file: %v", err)
	}
	// The tree leads into itself.
	copy(bent, []byte{0, 0, 0, 0, 0, 0, 0, 0})
	if err := open("loop.mmdb", bent); !errors.Is(err, country.ErrBroken) {
		t.Errorf("a tree that leads into itself: %v", err)
	}
	asn := database(t, 6, map[string]countrytest.Record{"5.0.0.0/8": {"autonomous_system_number": uint32(64500)}})
	if err := open("asn.mmdb", asn); !errors.Is(err, country.ErrNoCountry) || !strings.Contains(err.Error(), `"Test-Country"`) {
		t.Errorf("a database of other things: %v", err)
	}
	if _, err := country.Open(filepath.Join(dir, "none.mmdb")); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "geoipupdate") {
		t.Errorf("no file: %v", err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := country.Open(pipe); !errors.Is(err, country.ErrBroken) {
		t.Errorf("a pipe: %v", err)
	}
	if _, err := country.Open(dir); !errors.Is(err, country.ErrBroken) {
		t.Errorf("a directory: %v", err)
	}
}

// A tree whose branches meet again has few nodes and more paths than can be
// walked.
func TestMeetingBranches(t *testing.T) {
	file := database(t, 6, map[string]countrytest.Record{"8000::/128": countrytest.Country("NL")})
	for i := range 100 { // both branches of each node lead to the next
		at := i * 8
		file[at], file[at+1], file[at+2], file[at+3] = 0, 0, 0, byte(i+1)
		copy(file[at+4:at+8], file[at:at+4])
	}
	if _, err := country.Parse(file); !errors.Is(err, country.ErrBroken) {
		t.Errorf("got %v", err)
	}
}

func TestParseCode(t *testing.T) {
	for s, want := range map[string]string{"NL": "NL", "nl": "NL", "Nl": "NL", "": "", "N": "", "NLD": "", "N1": "", "é": "", "{{": "", "@@": ""} {
		c, ok := country.ParseCode(s)
		if c.String() != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", s, c, ok)
		}
	}
}

func FuzzParse(f *testing.F) {
	whole := world(f)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(database(f, 4, map[string]countrytest.Record{"0.0.0.0/1": countrytest.Country("NL")}))
	f.Fuzz(func(t *testing.T, file []byte) {
		table, err := country.Parse(file)
		if err != nil {
			if !errors.Is(err, country.ErrBroken) && !errors.Is(err, country.ErrNoCountry) {
				t.Fatalf("%v is neither", err)
			}
			return
		}
		for _, a := range []string{"0.0.0.0", "1.2.3.4", "255.255.255.254", "::2", "2001:db8::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"} {
			if c := table.Lookup(netip.MustParseAddr(a)); len(c.String()) != 2 {
				t.Fatalf("%s is in %q", a, c)
			}
		}
	})
}

// big is a database as large as those of the world's countries are.
func big(b *testing.B) []byte {
	d := countrytest.Database{Type: "Big", Built: built, Version: 6, Networks: map[netip.Prefix]countrytest.Record{}}
	rnd := rand.New(rand.NewPCG(7, 8))
	for range 200_000 {
		iso := string([]byte{byte('A' + rnd.IntN(16)), byte('A' + rnd.IntN(16))})
		d.Networks[netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(1 + rnd.IntN(222)), byte(rnd.IntN(256)), byte(rnd.IntN(256) & 0xfc)}), 22)] = countrytest.Country(iso)
		d.Networks[netip.PrefixFrom(netip.AddrFrom16([16]byte{0x2a, byte(rnd.IntN(16)), byte(rnd.IntN(256)), byte(rnd.IntN(256)), byte(rnd.IntN(16))}), 40)] = countrytest.Country(iso)
	}
	file, err := d.Encode()
	if err != nil {
		b.Fatal(err)
	}
	return file
}

// The look-up of both ends of a session, both of them abroad, and of one beside a
// private one. Addresses are drawn by lot: in practice the same come again.
func BenchmarkLookup(b *testing.B) {
	table, err := country.Parse(big(b))
	if err != nil {
		b.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	var four, six [1024]netip.Addr
	for i := range four {
		four[i] = netip.AddrFrom4([4]byte{byte(1 + rnd.IntN(222)), byte(rnd.IntN(256)), byte(rnd.IntN(256)), 1})
		six[i] = netip.AddrFrom16([16]byte{0x2a, byte(rnd.IntN(16)), byte(rnd.IntN(256)), byte(rnd.IntN(256)), byte(rnd.IntN(16)), 15: 1})
	}
	private := netip.MustParseAddr("192.168.1.2")
	for name, end := range map[string]func(i int) (client, server netip.Addr){
		"IPv4":         func(i int) (netip.Addr, netip.Addr) { return four[i&1023], four[(i+511)&1023] },
		"IPv6":         func(i int) (netip.Addr, netip.Addr) { return six[i&1023], six[(i+511)&1023] },
		"private-IPv4": func(i int) (netip.Addr, netip.Addr) { return private, four[i&1023] },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			sum := country.Code(0)
			for i := 0; b.Loop(); i++ {
				client, server := end(i)
				sum += table.Lookup(client) + table.Lookup(server)
			}
			b.ReportMetric(float64(table.Info().Stretches), "stretches")
			if sum == 1 {
				b.Log(sum)
			}
		})
	}
}

func TestLookupAllocatesNothing(t *testing.T) {
	table, err := country.Parse(world(t))
	if err != nil {
		t.Fatal(err)
	}
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	sum := country.Code(0)
	if n := testing.AllocsPerRun(100, func() { sum += table.Lookup(a) + table.Lookup(b) }); n != 0 || sum == 0 {
		t.Errorf("%v allocations", n)
	}
}
