// SPDX-License-Identifier: MIT

package cli_test

import (
	"encoding/binary"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nftdict/classifier/country/countrytest"
	"nftdict/internal/cli"
)

// overEthernet makes a capture of raw IP one of Ethernet, from src to dst.
func overEthernet(t *testing.T, file []byte, src, dst [6]byte) []byte {
	t.Helper()
	le := binary.LittleEndian
	out := append([]byte{}, file[:24]...)
	le.PutUint32(out[20:], 1)
	for rest := file[24:]; len(rest) > 0; {
		n := le.Uint32(rest[8:])
		out = append(out, rest[:8]...)
		out = le.AppendUint32(le.AppendUint32(out, n+14), n+14)
		out = append(append(append(out, dst[:]...), src[:]...), 8, 0)
		out = append(out, rest[16:16+n]...)
		rest = rest[16+n:]
	}
	return out
}

func TestClassifyPlaces(t *testing.T) {
	dir := folder(t.TempDir())
	d := countrytest.Database{Type: "Test", Built: time.Unix(1e9, 0), Version: 6, Networks: map[netip.Prefix]countrytest.Record{netip.MustParsePrefix("192.0.2.53/32"): countrytest.Country("NL")}}
	file, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	raw := capture(t, "www.example.org")
	countries, makers := dir.write(t, "c.mmdb", file), dir.write(t, "oui.csv", []byte("MA-L,0022AA,\"Works, Inc\",x\n"))
	link := dir.write(t, "link.pcap", overEthernet(t, raw, [6]byte{0, 0x22, 0xaa, 1, 2, 3}, [6]byte{2, 0, 0, 0, 0, 1}))
	plain := dir.write(t, "plain.pcap", raw)

	for _, c := range []struct {
		args []string
		want []string
		not  string
	}{
		{[]string{"--explain", "--countries", countries, "--vendors", makers, link}, []string{
			"www.example.org  XU  NL\n", "    192.0.2.1: XU, 00:22:aa:01:02:03 by Works, Inc\n", "    192.0.2.53: NL, 02:00:00:00:00:01\n",
		}, "\x00"},
		{[]string{"--countries", countries, link}, []string{"www.example.org  XU  NL\n"}, "00:22"},
		{[]string{"--explain", "--vendors", makers, link}, []string{"www.example.org\n", "    192.0.2.1: 00:22:aa:01:02:03 by Works, Inc\n"}, "NL"},
		{[]string{"--explain", "--countries", countries, "--vendors", makers, plain}, []string{"    192.0.2.53: NL\n"}, "Works"},
		{[]string{"--explain", plain}, []string{"www.example.org\n    packet 1"}, "NL"},
	} {
		status, out, stderr := runWith(t, nil, append([]string{"classify"}, c.args...)...)
		for _, want := range c.want {
			if status != cli.ExitDone || !strings.Contains(out, want) || strings.Contains(out, c.not) {
				t.Errorf("%q: exit status %d, %s, want %q and not %q in\n%s", c.args, status, stderr, want, c.not, out)
			}
		}
	}
	_, out, _ := runWith(t, nil, "-j", "classify", "--countries", countries, "--vendors", makers, link)
	var got struct {
		Flows []map[string]any
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || len(got.Flows) != 1 {
		t.Fatalf("%v: %s", err, out)
	}
	for name, want := range map[string]any{"mac_a": "00:22:aa:01:02:03", "vendor_a": "Works, Inc", "country_a": "XU", "mac_b": "02:00:00:00:00:01", "vendor_b": nil, "country_b": "NL"} {
		if got.Flows[0][name] != want {
			t.Errorf("%s is %v, want %v", name, got.Flows[0][name], want)
		}
	}

	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"--countries", makers, link}, cli.ExitFailed, "countries: " + makers + ": no whole database"},
		{[]string{"--explain", "--vendors", countries, link}, cli.ExitFailed, "vendors: " + countries},
		{[]string{"--csv", "--countries", countries, link}, cli.ExitUsage, "--csv goes with none of"},
	} {
		if status, _, stderr := runWith(t, nil, append([]string{"classify"}, c.args...)...); status != c.status || !strings.Contains(stderr, c.want) {
			t.Errorf("%q: exit status %d, %s", c.args, status, stderr)
		}
	}
}

func TestVendor(t *testing.T) {
	makers := filepath.Join(t.TempDir(), "oui.txt")
	if err := os.WriteFile(makers, []byte("0022AA Works\n0022AA1 Medium Works\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	macs := []string{"00:22:aa:01:02:03", "00-22-AA-11-02-03", "00:22:ab:01:02:03", "02:22:aa:01:02:03", "01:22:aa:01:02:03", "ff:ff:ff:ff:ff:ff"}
	status, out, stderr := runWith(t, nil, append([]string{"vendor", "--vendors", makers}, macs...)...)
	want := "00:22:aa:01:02:03  Works\n00:22:aa:11:02:03  Medium Works\n00:22:ab:01:02:03  -\n02:22:aa:01:02:03  - (local)\n01:22:aa:01:02:03  - (group)\nff:ff:ff:ff:ff:ff  - (group)\n"
	if status != cli.ExitDone || out != want {
		t.Errorf("exit status %d, %s\n%s\nwant\n%s", status, stderr, out, want)
	}
	_, out, _ = runWith(t, nil, "-j", "vendor", "--vendors", makers, macs[0], macs[3])
	if want := `{"vendors":[{"mac":"00:22:aa:01:02:03","vendor":"Works"},{"mac":"02:22:aa:01:02:03","local":true}]}` + "\n"; out != want {
		t.Errorf("got %swant %s", out, want)
	}
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"vendor"}, cli.ExitUsage, "MAC is missing"},
		{[]string{"vendor", "00:22"}, cli.ExitUsage, `"00:22" is no hardware address`},
		{[]string{"vendor", "--vendors", makers, "00:22:aa:01:02:03:04:05"}, cli.ExitUsage, "of 6 octets"},
		{[]string{"vendor", "--vendors", makers + "x", macs[0]}, cli.ExitFailed, "ieee-data"},
	} {
		if status, _, stderr := runWith(t, nil, c.args...); status != c.status || !strings.Contains(stderr, c.want) {
			t.Errorf("%q: exit status %d, %s", c.args, status, stderr)
		}
	}
}
