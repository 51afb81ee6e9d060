// SPDX-License-Identifier: MIT

package vendor

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// Parts of registries as they are written, with makers of our own.
const (
	ouiCSV = "Registry,Assignment,Organization Name,Organization Address\r\n" +
		"MA-L,0022AA,Plain Works,1 Street Town US 12345 \r\n" +
		"MA-L,0022AB,\"Quoted, \"\"Works\"\"\",\"2 Street, Town US\"\r\n" +
		"MA-L,0022AC,Lines Ltd,\"3 Street\nMA Town\n0022AD Elsewhere? \nUS \"\r\n" +
		"MA-L,AABBCC,Odd Local,x\r\n" +
		"MA-L,0022AF,Private,\r\n" +
		"MA-L,70B3D5,IEEE Registration Authority,445 Hoes Lane\r\n"
	mamCSV   = "Registry,Assignment,Organization Name,Organization Address\nMA-M,0022AA1,Medium Works,y\nCID,FAB001,Not an Address,z\n"
	oui36CSV = "Registry,Assignment,Organization Name,Organization Address\nMA-S,70B3D5F2F,Small Works,z\nIAB,0050C27D5,Old Small Works,z\n"
	ouiTXT   = `OUI/MA-L                                                    Organization
company_id                                                  Organization
                                                            Address

00-22-AA   (hex)		Text Works
0022AA     (base 16)		Text Works
				1 Street
				Town  12345
				US

`
	oui36TXT = `OUI                                                         Organization
OUI-36/MA-S Range                                           Organization

70-B3-D5   (hex)		Small Text Works
F2F000-F2FFFF     (base 16)		Small Text Works
				z

74-1A-E0                      (hex)                         Medium Text Works
900000-9FFFFF                 (base 16)                     Medium Text Works
74-1A-E0   (hex)		Odd Range
100000-1000FF     (base 16)		Odd Range
`
	manuf = `# comment
00:22:AA	PlainWor	Plain Wireshark Works
00:22:AB            	ShortOnl
00:22:AC	ShortCom	# a comment
00-22-AD	Hyphens	Hyphen Works
00:22:AA:10:00:00/28	MediumWo	Medium Wireshark Works
70:B3:D5:F2:F0:00/36	SmallWor	Small Wireshark Works
00:00:0C:07:AC:00/40	All-HSRP-routers
01:80:C2:00:00:00	Spanning-tree
`
	nmap = "# comment\n0022AA Nmap Works\n0022AA1 Medium Nmap Works\n70B3D5F2F Small Nmap Works\n0022AE\tArp Scan Works\n"
)

func parse(tb testing.TB, texts ...string) *Table {
	tb.Helper()
	b := NewBuilder()
	for _, text := range texts {
		if _, err := b.Add(strings.NewReader(text)); err != nil {
			tb.Fatalf("%.40q: %v", text, err)
		}
	}
	return b.Table()
}

func mac(tb testing.TB, s string) (m [6]byte) {
	tb.Helper()
	if n, err := fmt.Sscanf(s, "%02x:%02x:%02x:%02x:%02x:%02x", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]); n != 6 || err != nil {
		tb.Fatalf("%q: %v", s, err)
	}
	return m
}

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		name  string
		texts []string
		want  map[string]string
	}{
		{"csv", []string{ouiCSV, mamCSV, oui36CSV}, map[string]string{
			"00:22:aa:00:00:01": "Plain Works", "00:22:ab:00:00:01": `Quoted, "Works"`, "00:22:ac:00:00:01": "Lines Ltd",
			"00:22:aa:1f:00:01": "Medium Works", "00:22:aa:20:00:01": "Plain Works",
			"70:b3:d5:f2:ff:ff": "Small Works", "70:b3:d5:f3:00:00": "", "00:50:c2:7d:5f:00": "Old Small Works", "00:50:c2:7d:60:00": "",
			"00:22:af:00:00:01": "", "aa:bb:cc:00:00:01": "", "fa:b0:01:00:00:00": "", "00:22:b0:00:00:00": "",
			"02:22:aa:00:00:01": "", "01:22:aa:00:00:01": "", "ff:ff:ff:ff:ff:ff": "", "00:00:00:00:00:00": "",
		}},
		{"txt", []string{ouiTXT, oui36TXT}, map[string]string{
			"00:22:aa:00:00:01": "Text Works", "70:b3:d5:f2:f1:23": "Small Text Works", "70:b3:d5:f2:e1:23": "",
			"74:1a:e0:91:23:45": "Medium Text Works", "74:1a:e0:10:00:01": "",
		}},
		{"manuf", []string{manuf}, map[string]string{
			"00:22:aa:00:00:01": "Plain Wireshark Works", "00:22:ab:00:00:01": "ShortOnl", "00:22:ac:00:00:01": "ShortCom", "00:22:ad:00:00:01": "Hyphen Works",
			"00:22:aa:12:34:56": "Medium Wireshark Works", "70:b3:d5:f2:f0:01": "Small Wireshark Works", "00:00:0c:07:ac:01": "",
		}},
		{"nmap", []string{nmap}, map[string]string{
			"00:22:aa:00:00:01": "Nmap Works", "00:22:aa:11:00:01": "Medium Nmap Works", "70:b3:d5:f2:f0:01": "Small Nmap Works", "00:22:ae:00:00:01": "Arp Scan Works",
		}},
		{"the first wins", []string{nmap, ouiCSV, ouiTXT}, map[string]string{
			"00:22:aa:00:00:01": "Nmap Works", "00:22:ab:00:00:01": `Quoted, "Works"`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := parse(t, c.texts...)
			for address, want := range c.want {
				if got := table.Lookup(mac(t, address)); got != want {
					t.Errorf("%s is of %q, want %q", address, got, want)
				}
			}
		})
	}
	var none *Table
	if none.Lookup([6]byte{0, 0x22, 0xaa}) != "" || none.Len() != 0 || none.Files() != nil || none.Size() != 0 {
		t.Error("no table knows something")
	}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("ü", 80)
	for in, want := range map[string]string{
		"0022AA \x1b[31mred\x07 works":       "[31mred works",
		"0022AA a\u202eb\u2028c\u200b\xff":   "a b c",
		"0022AA   many   blanks  ":           "many blanks",
		"0022AA " + long:                     long[:128],
		"0022AA x" + long:                    "x" + long[:126],
		"0022AA private":                     "",
		"0022AA ieee registration authority": "",
	} {
		if got := parse(t, "0022AB ok\n"+in+"\n").Lookup([6]byte{0x00, 0x22, 0xaa}); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	b := NewBuilder()
	if _, err := b.Add(strings.NewReader(nmap)); err != nil {
		t.Fatal(err)
	}
	many := new(strings.Builder)
	for i := range MaxEntries + 1 {
		fmt.Fprintf(many, "%09X x\n", i)
	}
	for text, want := range map[string]error{
		"":                             ErrNoEntries,
		"no registry at all\n\x00\x01": ErrNoEntries,
		"# only a comment\n":           ErrNoEntries,
		"MA-L,0022,Short,x\n":          ErrNoEntries,
		"0022BB A\n" + strings.Repeat("x", MaxLine+1): ErrTooLarge,
		many.String(): ErrTooLarge,
	} {
		if n, err := b.Add(strings.NewReader(text)); !errors.Is(err, want) || n != 0 {
			t.Errorf("%.40q: %d entries, %v", text, n, err)
		}
	}
	if table := b.Table(); table.Len() != 4 || table.Lookup([6]byte{0x00, 0x22, 0xbb}) != "" {
		t.Errorf("what was refused left something: %d entries", table.Len())
	}
}

// A pipe that nobody writes to is refused, and not waited for.
func TestOpenPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "oui.csv")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(pipe); !errors.Is(err, ErrNoEntries) {
		t.Errorf("got %v", err)
	}
}

func TestOpen(t *testing.T) {
	root := t.TempDir()
	changed := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, changed, changed); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if found := installed(root); len(found) != 0 {
		t.Errorf("found %q in an empty place", found)
	}
	oui := write("usr/share/ieee-data/oui.csv", ouiCSV)
	write("usr/share/ieee-data/oui.txt", ouiTXT)
	small := write("var/lib/ieee-data/oui36.csv", oui36CSV)
	shark := write("usr/share/wireshark/manuf", manuf)
	if diff := cmp.Diff([]string{oui, small, shark}, installed(root)); diff != "" {
		t.Errorf("installed (-want +got)\n%s", diff)
	}
	table, err := Open(installed(root)...)
	if err != nil {
		t.Fatal(err)
	}
	want := []File{{oui, changed, 3}, {small, changed, 2}, {shark, changed, 6}}
	if diff := cmp.Diff(want, table.Files()); diff != "" {
		t.Errorf("files (-want +got)\n%s", diff)
	}
	if got := table.Lookup([6]byte{0x00, 0x22, 0xad}); got != "Hyphen Works" {
		t.Errorf("got %q", got)
	}
	for path, want := range map[string]string{
		filepath.Join(root, "none"):    "ieee-data",
		write("text", "hello world\n"): "want the IEEE's oui.csv",
		root:                           root,
	} {
		if _, err := Open(oui, path); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// What a registry says of an address is what a search through its lines finds.
func TestLongestWins(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	var text strings.Builder
	known := map[prefix]string{}
	for i := range 3000 {
		p := prefix{bits: []int{largeBits, mediumBits, smallBits}[rnd.IntN(3)]}
		p.number = (uint64(rnd.IntN(16))<<30 | uint64(rnd.IntN(4))<<20 | uint64(rnd.IntN(16))<<12) >> (smallBits - p.bits)
		name := fmt.Sprint("maker ", i)
		fmt.Fprintf(&text, "%0*X %s\n", p.bits/4, p.number, name)
		if _, ok := known[p]; !ok {
			known[p] = name
		}
	}
	table := parse(t, text.String())
	if table.Len() != len(known) {
		t.Errorf("%d entries, want %d", table.Len(), len(known))
	}
	for range 5000 {
		m := uint64(rnd.IntN(16))<<42 | uint64(rnd.IntN(4))<<32 | uint64(rnd.IntN(16))<<24 | uint64(rnd.IntN(4))
		want := ""
		for _, bits := range []int{largeBits, mediumBits, smallBits} {
			if name, ok := known[prefix{m >> (48 - bits), bits}]; ok {
				want = name
			}
		}
		address := [6]byte{byte(m >> 40), byte(m >> 32), byte(m >> 24), byte(m >> 16), byte(m >> 8), byte(m)}
		if got := table.Lookup(address); got != want {
			t.Fatalf("%x is of %q, want %q", address, got, want)
		}
	}
}

// write prints a table as nmap has it.
func write(t *Table) string {
	var b strings.Builder
	for p, name := range t.all() {
		fmt.Fprintf(&b, "%0*X x\t%s\n", p.bits/4, p.number, name)
	}
	return b.String()
}

func FuzzAdd(f *testing.F) {
	for _, text := range []string{ouiCSV, mamCSV, oui36CSV, ouiTXT, oui36TXT, manuf, nmap} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b := NewBuilder()
		if _, err := b.Add(strings.NewReader(text)); err != nil {
			return
		}
		table := b.Table()
		for p, name := range table.all() {
			if name == "" || len(name) > MaxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
				t.Fatalf("name %q", name)
			}
			m := p.number << (48 - p.bits)
			got := table.Lookup([6]byte{byte(m >> 40), byte(m >> 32), byte(m >> 24), byte(m >> 16), byte(m >> 8), byte(m)})
			if got == "" {
				t.Fatalf("%X/%d is of nobody", p.number, p.bits)
			}
		}
		if table.Len() == 0 {
			return
		}
		// What is printed is read the same.
		if again := write(parse(t, write(table))); again != write(table) {
			t.Fatalf("%q and %q", write(table), again)
		}
	})
}

func TestLookupAllocatesNothing(t *testing.T) {
	table := parse(t, nmap)
	n := 0
	if allocs := testing.AllocsPerRun(100, func() { n += len(table.Lookup([6]byte{0, 0x22, 0xaa})) }); allocs != 0 || n == 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// A registry as large as all that the IEEE has given out.
func BenchmarkLookup(b *testing.B) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var text strings.Builder
	var macs [1024][6]byte
	for i := range 46_000 {
		digits := []int{6, 6, 6, 6, 6, 6, 6, 7, 9, 9}[i%10]
		m := rnd.Uint64() & 0xfc_ffff_ffff_ff
		fmt.Fprintf(&text, "%0*X Company of Some Name No. %d\n", digits, m>>(48-4*digits), i*2/3)
		macs[i&1023] = [6]byte{byte(m >> 40), byte(m >> 32), byte(m >> 24), byte(m >> 16), byte(m >> 8), byte(m)}
	}
	table := parse(b, text.String())
	b.ReportAllocs()
	n := 0
	for i := 0; b.Loop(); i++ {
		n += len(table.Lookup(macs[i&1023]))
	}
	b.ReportMetric(float64(table.Size()), "B")
	b.ReportMetric(float64(table.Len()), "entries")
}
