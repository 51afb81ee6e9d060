// SPDX-License-Identifier: MIT

package pcap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"nftdict/classifier"
)

var testTime = time.Unix(1_700_000_000, 123_456_000).UTC()

// segment builds a TCP segment with an IPv4 header, from 192.0.2.1:4000 to
// 198.51.100.1:80 or back.
func segment(back bool, seq uint32, payload string) []byte {
	b := make([]byte, 40, 40+len(payload))
	b[0], b[8], b[9] = 0x45, 64, 6
	binary.BigEndian.PutUint16(b[2:], uint16(40+len(payload)))
	a, z := []byte{192, 0, 2, 1, 198, 51, 100, 1}, []byte{198, 51, 100, 1, 192, 0, 2, 1}
	ports := []uint16{4000, 80}
	if back {
		a, ports = z, []uint16{80, 4000}
	}
	copy(b[12:], a)
	binary.BigEndian.PutUint16(b[20:], ports[0])
	binary.BigEndian.PutUint16(b[22:], ports[1])
	binary.BigEndian.PutUint32(b[24:], seq)
	b[32], b[33] = 5<<4, 0x10
	return append(b, payload...)
}

// request is a flow of two packets.
var request = []string{"GET / HTTP/1.1\r\nHost: www.netflix.com\r\nUser-Agent: a,b\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"}

func packets() [][]byte { return [][]byte{segment(false, 1, request[0]), segment(true, 1, request[1])} }

// frame puts the link header in front of an IP packet.
func frame(link Link, ip []byte) []byte {
	ether := func(kinds ...uint16) []byte {
		b := make([]byte, 12)
		for i, k := range kinds {
			if i > 0 {
				b = append(b, 0, 7) // the tag before it
			}
			b = binary.BigEndian.AppendUint16(b, k)
		}
		return b
	}
	switch link {
	case LinkNull:
		return append([]byte{2, 0, 0, 0}, ip...)
	case LinkLoop:
		return append([]byte{0, 0, 0, 2}, ip...)
	case LinkEthernet:
		return append(ether(etherQinQ, etherVLAN, etherIPv4), ip...)
	case LinkSLL:
		return append(append(make([]byte, 14), 8, 0), ip...)
	case LinkSLL2:
		return append(append([]byte{8, 0}, make([]byte, 18)...), ip...)
	}
	return ip
}

// classicCapture and ngCapture have another library write the file.
func classicCapture(t testing.TB, link Link, frames ...[]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := pcapgo.NewWriter(&out)
	if err := w.WriteFileHeader(65535, layers.LinkType(link)); err != nil {
		t.Fatal(err)
	}
	for _, f := range frames {
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: testTime, CaptureLength: len(f), Length: len(f)}, f); err != nil {
			t.Fatal(err)
		}
	}
	b := out.Bytes()
	binary.LittleEndian.PutUint32(b[20:], uint32(link)) // numbers above 255 do not fit the writer's type
	return b
}

func ngCapture(t testing.TB, link Link, frames ...[]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := pcapgo.NewNgWriter(&out, layers.LinkType(link))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range frames {
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: testTime, CaptureLength: len(f), Length: len(f)}, f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// swapped returns a classic capture in the other byte order, with nanoseconds.
func swapped(t testing.TB, frames ...[]byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, 0xa1b23c4d)
	b = append(b, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff)
	b = binary.BigEndian.AppendUint32(b, uint32(LinkRaw))
	for _, f := range frames {
		b = binary.BigEndian.AppendUint32(b, uint32(testTime.Unix()))
		b = binary.BigEndian.AppendUint32(b, uint32(testTime.Nanosecond()))
		b = binary.BigEndian.AppendUint32(b, uint32(len(f)))
		b = binary.BigEndian.AppendUint32(b, uint32(len(f)))
		b = append(b, f...)
	}
	return b
}

func TestClassify(t *testing.T) {
	framed := func(link Link) [][]byte {
		var out [][]byte
		for _, p := range packets() {
			out = append(out, frame(link, p))
		}
		return out
	}
	tests := map[string][]byte{"other byte order": swapped(t, packets()...)}
	for _, link := range []Link{LinkNull, LinkEthernet, LinkRawBSD, LinkRawOther, LinkRaw, LinkLoop, LinkSLL, LinkIPv4, LinkSLL2} {
		tests["classic, link "+strconv.Itoa(int(link))] = classicCapture(t, link, framed(link)...)
		if link < 256 {
			tests["ng, link "+strconv.Itoa(int(link))] = ngCapture(t, link, framed(link)...)
		}
	}
	for name, file := range tests {
		t.Run(name, func(t *testing.T) {
			report, err := Classify(bytes.NewReader(file), classifier.New(classifier.Options{}), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(report.Flows) != 1 || report.Packets != 2 || report.NotIP+report.Malformed+report.Fragments+report.Refused != 0 {
				t.Fatalf("report %+v", report)
			}
			f := report.Flows[0]
			if f.Result.Application != "NETFLIX" || !f.First.Equal(testTime) || len(f.Evidence()) == 0 {
				t.Errorf("flow %+v", f)
			}
			var out strings.Builder
			if err := WriteCSV(&out, "a.pcap", report.Flows, true); err != nil {
				t.Fatal(err)
			}
			want := strings.Join(Columns(), ",") + "\n" +
				`a.pcap,TCP,192.0.2.1,4000,198.51.100.1,80,,HTTP,NETFLIX,,,streaming,www.netflix.com,90,,0,1,1,98,59,` +
				`,,,,,,,,"a,b",http://www.netflix.com/,,,` + "\n"
			if diff := cmp.Diff(want, out.String()); diff != "" {
				t.Errorf("CSV (-want +got):\n%s", diff)
			}
		})
	}
}

func TestClassifyTunnels(t *testing.T) {
	outer := make([]byte, 20)
	outer[0], outer[8], outer[9] = 0x45, 64, 4
	inner := packets()[0]
	binary.BigEndian.PutUint16(outer[2:], uint16(20+len(inner)))
	report, err := Classify(bytes.NewReader(classicCapture(t, LinkRaw, append(outer, inner...))), classifier.New(classifier.Options{}), Options{})
	if err != nil || len(report.Flows) != 1 || report.Flows[0].A.String() != "192.0.2.1:4000" || report.Flows[0].Result.Application != "NETFLIX" {
		t.Errorf("error %v, report %+v", err, report)
	}
}

// TestClassifyOtherTunnels looks into GRE only if told to.
func TestClassifyOtherTunnels(t *testing.T) {
	var frames [][]byte
	for _, ip := range packets() {
		outer := append([]byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, 47, 0, 0, 203, 0, 113, 1, 203, 0, 113, 2}, 0, 0, 8, 0)
		outer = append(outer, ip...)
		binary.BigEndian.PutUint16(outer[2:], uint16(len(outer)))
		frames = append(frames, outer)
	}
	for tunnels, want := range map[bool]string{false: "GRE", true: "HTTP"} {
		r, err := Classify(bytes.NewReader(classicCapture(t, LinkRaw, frames...)), classifier.New(classifier.Options{}), Options{Tunnels: tunnels})
		if err != nil || len(r.Flows) != 1 || r.Flows[0].Result.Protocol != want {
			t.Errorf("tunnels %v: got %+v, %v; want %s", tunnels, r.Flows, err, want)
		}
	}
}

func TestClassifyBoundsFlows(t *testing.T) {
	var frames [][]byte
	for i := range 10 {
		f := segment(false, 1, "x")
		f[20] = byte(i) // another source port
		frames = append(frames, f)
	}
	report, err := Classify(bytes.NewReader(classicCapture(t, LinkRaw, frames...)), classifier.New(classifier.Options{}), Options{MaxFlows: 3})
	if err != nil || len(report.Flows) != 3 || report.Refused != 7 {
		t.Errorf("error %v, %d flows, %d packets refused", err, len(report.Flows), report.Refused)
	}
}

func TestClassifyCounts(t *testing.T) {
	fragment := segment(false, 1, "x")
	fragment[7] = 9
	malformed := segment(false, 1, "x")
	malformed[0] = 0x41
	report, err := Classify(bytes.NewReader(classicCapture(t, LinkRaw, fragment, malformed, []byte{})), classifier.New(classifier.Options{}), Options{})
	if err != nil || report.Fragments != 1 || report.Malformed != 1 || report.NotIP != 1 || len(report.Flows) != 0 {
		t.Errorf("error %v, report %+v", err, report)
	}
}

// TestRowLeavesHintsOut prints what packets said, not what was inferred.
func TestRowLeavesHintsOut(t *testing.T) {
	f := Flow{Proto: 6, Result: &classifier.Result{Protocol: "TLS", Application: "NETFLIX", Category: "streaming", Confidence: 40, Inferred: true}}
	if got := strings.Join(f.Row("a")[7:14], ","); got != "TLS,TLS,,,,," {
		t.Errorf("got %q", got)
	}
}

// TestBrokenFiles keeps what was read before the file broke.
func TestBrokenFiles(t *testing.T) {
	classic, ng := classicCapture(t, LinkRaw, packets()...), ngCapture(t, LinkRaw, packets()...)
	huge := bytes.Clone(classic)
	binary.LittleEndian.PutUint32(huge[24+8:], 1<<31)
	hugeBlock := bytes.Clone(ng)
	binary.LittleEndian.PutUint32(hugeBlock[4:], 1<<30)
	odd := append(bytes.Clone(ng), 9, 0, 0, 0, 13, 0, 0, 0, 0, 13, 0, 0, 0)
	tests := []struct {
		name  string
		in    []byte
		flows int
		err   bool
	}{
		{"empty", nil, 0, true},
		{"not a capture", []byte("GET / HTTP/1.1\r\n\r\n........."), 0, true},
		{"cut in the header", classic[:20], 0, true},
		{"cut in a packet", classic[:len(classic)-5], 1, true},
		{"cut in a packet's header", classic[:24+16+len(packets()[0])+7], 1, true},
		{"a packet of 2 GiB", huge, 0, true},
		{"cut in a block", ng[:len(ng)-5], 1, true},
		{"a block of 13 bytes", odd, 1, true},
		{"a block of 1 GiB", hugeBlock, 0, true},
		{"nothing in it", classic[:24], 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			report, err := Classify(bytes.NewReader(tt.in), classifier.New(classifier.Options{}), Options{})
			if (err != nil) != tt.err || tt.err && !errors.Is(err, ErrFormat) || len(report.Flows) != tt.flows {
				t.Errorf("error %v, %d flows, want %d", err, len(report.Flows), tt.flows)
			}
		})
	}
	if _, err := NewReader(iotestError{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a reader's own error is lost: %v", err)
	}
}

type iotestError struct{}

func (iotestError) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestNgTime(t *testing.T) {
	for _, tt := range []struct {
		units uint64
		stamp uint64
		want  time.Time
	}{
		{1e6, 1_700_000_000_123_456, time.Unix(1_700_000_000, 123_456_000)},
		{1e9, 1_700_000_000_123_456_789, time.Unix(1_700_000_000, 123_456_789)},
		{1, 1_700_000_000, time.Unix(1_700_000_000, 0)},
		{1 << 10, 1_700_000_000<<10 + 512, time.Unix(1_700_000_000, 500_000_000)},
	} {
		i := ngInterface{units: tt.units}
		if got := i.time(tt.stamp); got.Sub(tt.want).Abs() > time.Microsecond {
			t.Errorf("%d units: %v, want %v", tt.units, got, tt.want)
		}
	}
}

func FuzzClassify(f *testing.F) {
	f.Add(classicCapture(f, LinkRaw, packets()...))
	f.Add(classicCapture(f, LinkEthernet, frame(LinkEthernet, packets()[0])))
	f.Add(ngCapture(f, LinkSLL, frame(LinkSLL, packets()[0]), frame(LinkSLL, packets()[1])))
	f.Add(swapped(f, packets()...))
	c := classifier.New(classifier.Options{Hints: classifier.NewHints(classifier.HintsOptions{Total: 64})})
	f.Fuzz(func(t *testing.T, b []byte) {
		report, err := Classify(bytes.NewReader(b), c, Options{MaxFlows: 4})
		if err != nil && !errors.Is(err, ErrFormat) {
			t.Fatalf("error %v", err)
		}
		counted := report.NotIP + report.Malformed + report.Fragments + report.Refused
		for _, f := range report.Flows {
			counted += f.PacketsAB + f.PacketsBA
		}
		if len(report.Flows) > 4 || counted != report.Packets {
			t.Fatalf("%d flows, %d of %d packets counted", len(report.Flows), counted, report.Packets)
		}
		if err := WriteCSV(io.Discard, "fuzz", report.Flows, true); err != nil {
			t.Fatal(err)
		}
	})
}

// A flow of Ethernet has the hardware addresses of its first frame, one in a
// tunnel has none.
func TestHardwareAddresses(t *testing.T) {
	ether := func(ip []byte, back bool) []byte {
		b := frame(LinkEthernet, ip)
		a, z := [6]byte{2, 0, 0, 0, 0, 1}, [6]byte{2, 0, 0, 0, 0, 2}
		if back {
			a, z = z, a
		}
		copy(b, z[:])
		copy(b[6:], a[:])
		return b
	}
	inner := segment(false, 1, request[0])
	outer := append(make([]byte, 20), inner...)
	outer[0], outer[8], outer[9] = 0x45, 64, 4
	binary.BigEndian.PutUint16(outer[2:], uint16(len(outer)))
	copy(outer[12:], []byte{203, 0, 113, 1, 203, 0, 113, 2})
	for _, c := range []struct {
		name   string
		frames [][]byte
		link   Link
		a, b   byte
	}{
		{"ethernet", [][]byte{ether(segment(false, 1, request[0]), false), ether(segment(true, 1, request[1]), true)}, LinkEthernet, 1, 2},
		{"begun by the other", [][]byte{ether(segment(true, 1, request[1]), true), ether(segment(false, 1, request[0]), false)}, LinkEthernet, 2, 1},
		{"tunnel", [][]byte{ether(outer, false)}, LinkEthernet, 0, 0},
		{"raw", [][]byte{inner}, LinkRaw, 0, 0},
	} {
		r, err := Classify(bytes.NewReader(classicCapture(t, c.link, c.frames...)), classifier.New(classifier.Options{}), Options{})
		if err != nil || len(r.Flows) != 1 {
			t.Fatalf("%s: %d flows, %v", c.name, len(r.Flows), err)
		}
		if f := r.Flows[0]; f.MACA[5] != c.a || f.MACB[5] != c.b {
			t.Errorf("%s: %x and %x, want %d and %d", c.name, f.MACA, f.MACB, c.a, c.b)
		}
	}
}
