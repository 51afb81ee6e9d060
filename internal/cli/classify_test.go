// SPDX-License-Identifier: MIT

package cli_test

import (
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"nftdict/classifier/pcap"
	"nftdict/internal/cli"
)

// capture is a pcap file of raw IPv4 packets, one DNS query each.
func capture(t *testing.T, names ...string) []byte {
	t.Helper()
	le := binary.LittleEndian
	file := le.AppendUint32(nil, 0xa1b2c3d4)
	file = le.AppendUint16(le.AppendUint16(file, 2), 4)
	file = append(file, make([]byte, 8)...)
	file = le.AppendUint32(le.AppendUint32(file, 65535), 101) // raw IP
	for i, name := range names {
		query := new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.TypeA)
		payload, err := query.Pack()
		if err != nil {
			t.Fatal(err)
		}
		be := binary.BigEndian
		ip := []byte{0x45, 0}
		ip = be.AppendUint16(ip, uint16(28+len(payload)))
		ip = append(ip, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 53)
		ip = be.AppendUint16(be.AppendUint16(ip, uint16(40000+i)), 53)
		ip = be.AppendUint16(be.AppendUint16(ip, uint16(8+len(payload))), 0)
		ip = append(ip, payload...)
		file = le.AppendUint32(le.AppendUint32(file, uint32(i)), 0)
		file = le.AppendUint32(le.AppendUint32(file, uint32(len(ip))), uint32(len(ip)))
		file = append(file, ip...)
	}
	return file
}

// folder is where a test has its files.
type folder string

func (f folder) write(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(string(f), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestClassify(t *testing.T) {
	dir := folder(t.TempDir())
	one := dir.write(t, "one.pcap", capture(t, "www.example.org", "www.example.net"))
	two := dir.write(t, "two.pcap", capture(t, "www.example.com"))
	short := dir.write(t, "short.pcap", capture(t, "www.example.org", "www.example.net")[:150])
	text := dir.write(t, "text.pcap", []byte("no capture at all, but long enough"))

	status, out, stderr := runWith(t, nil, "classify", "--explain", one)
	for _, want := range []string{"UDP  192.0.2.1:40000  192.0.2.53:53  DNS", "www.example.org", "packet 1: dns"} {
		if status != cli.ExitDone || !strings.Contains(out, want) {
			t.Errorf("exit status %d, %s, want %q in\n%s", status, stderr, want, out)
		}
	}

	status, out, stderr = runWith(t, nil, "classify", "--csv", one, two)
	records, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if status != cli.ExitDone || err != nil || len(records) != 4 {
		t.Fatalf("exit status %d, %s, %v\n%s", status, stderr, err, out)
	}
	if got := strings.Join(records[0], ","); got != strings.Join(pcap.Columns(), ",") || !strings.HasPrefix(got, "pcap,l4,ip_a,port_a,ip_b,port_b,vlan,master,app") {
		t.Errorf("columns: %s", got)
	}
	if records[1][0] != "one.pcap" || records[3][0] != "two.pcap" || records[3][12] != "www.example.com" {
		t.Errorf("%q", records)
	}

	status, out, _ = runWith(t, nil, "-j", "classify", two)
	var got struct {
		File    string
		Packets int
		Flows   []struct{ A, Protocol, Detail string }
	}
	if err := json.Unmarshal([]byte(out), &got); status != cli.ExitDone || err != nil || got.File != "two.pcap" || got.Packets != 1 ||
		len(got.Flows) != 1 || got.Flows[0].A != "192.0.2.1:40000" || got.Flows[0].Protocol != "DNS" || got.Flows[0].Detail != "www.example.com" {
		t.Errorf("%v: %s", err, out)
	}

	// A file that breaks off, one that is none and one that is not there are
	// told, and do not keep the others from being read.
	status, out, stderr = runWith(t, nil, "classify", short, text, filepath.Join(string(dir), "none"), two)
	if status != cli.ExitFailed || strings.Count(stderr, "dictctl: classify ") != 3 || !strings.Contains(stderr, "none: no such file") {
		t.Errorf("exit status %d, %s", status, stderr)
	}
	if !strings.Contains(out, "www.example.org") || !strings.Contains(out, "www.example.com") {
		t.Errorf("left out:\n%s", out)
	}
	if status, _, _ = runWith(t, nil, "classify", "--csv", "--explain", one); status != cli.ExitUsage {
		t.Errorf("--csv --explain: exit status %d", status)
	}
}
