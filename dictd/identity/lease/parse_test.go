// SPDX-License-Identifier: MIT

package lease

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// now is a time between the leases' ends below.
var now = time.Unix(1_800_000_000, 0)

const dnsmasq = `1800003600 02:00:00:00:00:01 192.168.1.20 laptop 01:02:00:00:00:00:01
1799999999 02:00:00:00:00:02 192.168.1.21 ended *
0 02:00:00:00:00:03 192.168.1.22 * *
1800003600 06-02:00:00:00:00:04 192.168.1.23 firewire *
duid 00:01:00:01:2a:2b:2c:2d:02:00:00:00:00:fe
1800003600 12345678 fd00::20 laptop 00:01:00:01:2a:2b:2c:2d:02:00:00:00:00:01
1800003600 T12345679 fd00::abcd tmp 00:01:00:01:2a:2b:2c:2d:02:00:00:00:00:01
`

const kea4 = `address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id
192.168.1.20,02:00:00:00:00:01,01:02:00:00:00:00:01,3600,1800003600,1,0,0,laptop,0,,0
192.168.1.21,02:00:00:00:00:02,,3600,1800003600,1,0,0,released,0,,0
192.168.1.21,02:00:00:00:00:02,,0,1800003600,1,0,0,released,0,,0
192.168.1.22,02:00:00:00:00:03,,3600,1800003600,1,0,0,declined,1,,0
192.168.1.23,02:00:00:00:00:04,,3600,1799999999,1,0,0,ended,0,,0
192.168.1.24,02:00:00:00:00:05,,4294967295,1799999999,1,0,0,ever,0,{ "a": 1&#x2c "b": 2 },0
192.168.1.20,02:00:00:00:00:06,,3600,1800007200,1,0,0,newer,0,,0
`

const kea6 = `address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source,pool_id
fd00::20,00:01:00:01,3600,1800003600,1,1800,0,7,128,0,0,laptop.lan.,02:00:00:00:00:01,0,,1,2,0
fd00:1::,00:01:00:01,3600,1800003600,1,1800,2,7,56,0,0,prefix,02:00:00:00:00:01,0,,1,2,0
fd00::21,00:01:00:02,3600,1800003600,1,1800,0,7,128,0,0,nomac,,0,,,,0
`

func at(addr, name string, mac byte, seconds int64) Lease {
	l := Lease{Addr: netip.MustParseAddr(addr), Hostname: name}
	if mac != 0 {
		l.MAC = [6]byte{2, 0, 0, 0, 0, mac}
	}
	if seconds != 0 {
		l.Expires = time.Unix(seconds, 0)
	}
	return l
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leases")
	for name, c := range map[string]struct {
		text    string
		want    []Lease
		refused int
	}{
		"dnsmasq": {dnsmasq, []Lease{
			at("192.168.1.20", "laptop", 1, 1800003600), at("192.168.1.22", "", 3, 0), at("192.168.1.23", "firewire", 0, 1800003600),
			at("fd00::20", "laptop", 0, 1800003600), at("fd00::abcd", "tmp", 0, 1800003600),
		}, 0},
		"kea 4":          {kea4, []Lease{at("192.168.1.20", "newer", 6, 1800007200), at("192.168.1.24", "ever", 5, 0)}, 0},
		"kea 6":          {kea6, []Lease{at("fd00::20", "laptop.lan.", 1, 1800003600), at("fd00::21", "nomac", 0, 1800003600)}, 0},
		"empty":          {"", nil, 0},
		"no end of line": {"1800003600 02:00:00:00:00:01 192.168.1.20 laptop *", []Lease{at("192.168.1.20", "laptop", 1, 1800003600)}, 0},
		"rubbish": {strings.Join([]string{
			"hello", "x 02:00:00:00:00:01 192.168.1.20 a *", "1800003600 02:00:00:00:00:01 192.168.1.999 a *", "1800003600 zz:00:00:00:00:01 192.168.1.20 a *",
			"1800003600 02:00:00:00:00:01 192.168.1.20 a b *", "99999999999999999999 02:00:00:00:00:01 192.168.1.20 a *", "1800003600 1 fe80::1%lan0 a *",
			strings.Repeat("1800003600 02:00:00:00:00:01 192.168.1.20 a ", 1000), "1800003600 02:00:00:00:00:09 192.168.1.29 after *",
		}, "\n"), []Lease{at("192.168.1.29", "after", 9, 1800003600)}, 8},
	} {
		write(t, path, c.text)
		got, refused, err := Read(path, now)
		if err != nil || refused != c.refused {
			t.Errorf("%s: %d refused, %v; want %d", name, refused, err, c.refused)
		}
		if diff := cmp.Diff(c.want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// While Kea cleans up its leases are in several files.
func TestKeaCleansUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leases4.csv")
	header, _, _ := strings.Cut(kea4, "\n")
	line := func(addr, name string) string {
		return fmt.Sprintf("%s\n%s,02:00:00:00:00:01,,3600,1800003600,1,0,0,%s,0,,0\n", header, addr, name)
	}
	names := func() string {
		t.Helper()
		all, refused, err := Read(path, now)
		if err != nil || refused != 0 {
			t.Fatalf("%d refused, %v", refused, err)
		}
		var names []string
		for _, l := range all {
			names = append(names, l.Hostname)
		}
		return strings.Join(names, " ")
	}
	write(t, path+".2", line("192.168.1.1", "cleaned"))
	write(t, path+".1", line("192.168.1.2", "old")+line("192.168.1.1", "newer"))
	write(t, path, line("192.168.1.3", "new"))
	if got := names(); got != "newer old new" {
		t.Errorf("got %q", got)
	}
	write(t, path+".completed", line("192.168.1.1", "done"))
	if got := names(); got != "done new" {
		t.Errorf("got %q", got)
	}
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	if got, _, err := Read(filepath.Join(dir, "none"), now); err != nil || len(got) > 0 {
		t.Errorf("no file: %v, %v", got, err)
	}
	if _, _, err := Read(dir, now); err == nil {
		t.Error("a directory is read")
	}
	path := filepath.Join(dir, "many")
	var many strings.Builder
	for i := range MaxLeases + 5 {
		fmt.Fprintf(&many, "0 02:00:00:00:00:01 10.%d.%d.%d a *\n", i>>16, i>>8&0xff, i&0xff)
	}
	write(t, path, many.String())
	if got, refused, err := Read(path, now); len(got) != MaxLeases || refused != 5 || err != nil {
		t.Errorf("%d leases, %d refused, %v", len(got), refused, err)
	}
}

// Whatever the file holds, what is read is sound and bounded.
func FuzzRead(f *testing.F) {
	for _, text := range []string{dnsmasq, kea4, kea6, "address,\n,", "address,lease_type\n::1,2"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		b := table{now: now, leases: make(map[netip.Addr]Lease)}
		if err := b.read(strings.NewReader(string(text))); err != nil {
			t.Fatal(err)
		}
		for addr, l := range b.leases {
			if l.Addr != addr || !addr.IsValid() || addr.Zone() != "" || !l.Expires.IsZero() && !l.Expires.After(now) || len(l.Hostname) > maxLine || l.MAC[0]&1 != 0 {
				t.Errorf("lease %+v", l)
			}
		}
	})
}
