// SPDX-License-Identifier: MIT

package pcap

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"
	"unsafe"

	"nftdict/classifier"
	"nftdict/internal/cputime"
	"nftdict/internal/need"
)

// corpus returns all captures of the folder that CORPUS names, merged into one
// file of the original format.
func corpus(tb testing.TB) (merged []byte) {
	tb.Helper()
	need.Feature(tb, "corpus", func() (err error) {
		merged, err = merge(filepath.Join(os.Getenv("CORPUS"), "pcap", "*"))
		return err
	})
	return merged
}

// merge returns the captures of the files that fit a pattern as one file of the
// original format, raw IP, each as far as it can be read.
func merge(pattern string) ([]byte, error) {
	merged := []byte{0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, byte(LinkRaw), 0, 0, 0}
	files, err := filepath.Glob(pattern)
	if len(files) == 0 && err == nil {
		err = fmt.Errorf("no file is called %q", pattern)
	}
	for _, f := range files {
		data, failed := os.ReadFile(f)
		if failed != nil {
			return nil, failed
		}
		r, failed := NewReader(bytes.NewReader(data))
		if failed != nil {
			return nil, fmt.Errorf("%s: %w", f, failed)
		}
		for {
			rec, failed := r.Next()
			if failed != nil {
				break
			}
			b, ok := rec.Link.IP(rec.Data)
			if !ok {
				continue
			}
			for _, n := range []uint32{uint32(rec.Time.Unix()), uint32(rec.Time.Nanosecond() / 1000), uint32(len(b)), uint32(len(b))} {
				merged = binary.LittleEndian.AppendUint32(merged, n)
			}
			merged = append(merged, b...)
		}
	}
	return merged, err
}

// sort sorts a capture into flows and classifies nothing: what there is to do
// without a classifier.
func sort(tb testing.TB, capture []byte) (sorted int) {
	r, err := NewReader(bytes.NewReader(capture))
	if err != nil {
		tb.Fatal(err)
	}
	flows := make(map[flowKey]*Flow)
	var p classifier.Packet
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return len(flows)
		} else if err != nil {
			tb.Fatal(err)
		}
		if classifier.Decode(rec.Data, &p) != nil || p.Fragment {
			continue
		}
		k := keyOf(&p)
		f := flows[k]
		if f == nil {
			f = new(Flow)
			flows[k] = f
		}
		f.PacketsAB++
	}
}

// BenchmarkClassify reads the merged corpus as `dictctl classify` does and reports
// the processor's time for a packet and a flow of it: whole program, reading,
// flows and garbage included. In turns with it the same capture is only sorted
// into flows, on the same machine at the same moment. Run it on one core:
//
//	CORPUS=DIR GOMAXPROCS=1 go test -run '^$' -bench Classify ./classifier/pcap
func BenchmarkClassify(b *testing.B) {
	capture := corpus(b)
	c := classifier.New(classifier.Options{Certificates: true, Hints: classifier.NewHints(classifier.HintsOptions{})})
	packets, flows := 0, 0
	classify := func() {
		r, err := Classify(bytes.NewReader(capture), c, Options{})
		if err != nil {
			b.Fatal(err)
		}
		packets, flows = r.Packets, len(r.Flows)
	}
	classify()
	sort(b, capture)
	var spent, bare []time.Duration
	var before, after runtime.MemStats
	mallocs := uint64(0)
	for b.Loop() {
		start := cputime.Used(b)
		sort(b, capture)
		middle := cputime.Used(b)
		runtime.ReadMemStats(&before)
		classify()
		runtime.ReadMemStats(&after)
		mallocs += after.Mallocs - before.Mallocs
		bare, spent = append(bare, middle-start), append(spent, cputime.Used(b)-middle)
	}
	slices.Sort(spent)
	slices.Sort(bare)
	// The middle run counts: other programs that share a core cost this one time, too.
	perRun := float64(spent[len(spent)/2].Nanoseconds())
	b.ReportMetric(perRun/float64(packets), "ns/packet")
	b.ReportMetric(perRun/float64(flows), "ns/flow")
	b.ReportMetric(perRun/float64(bare[len(bare)/2].Nanoseconds()), "classify/sort")
	b.ReportMetric(float64(mallocs)/float64(b.N)/float64(packets), "mallocs/packet")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkState reports what a session of the corpus takes at its capture's end,
// names and evidence included.
func BenchmarkState(b *testing.B) {
	capture := corpus(b)
	for b.Loop() {
		state, sessions := stateOf(b, capture)
		b.ReportMetric(float64(state)/float64(sessions), "B/session")
	}
	b.ReportMetric(float64(unsafe.Sizeof(classifier.Session{})), "inline-B/session")
	b.ReportMetric(0, "ns/op")
}

// TestState wants the sessions of our own captures within what is promised of a
// session.
func TestState(t *testing.T) {
	capture, err := merge("../testdata/captures/*.pcap")
	if err != nil {
		t.Fatal(err)
	}
	const most = 512
	mean := 0
	for range 3 { // others' garbage may be in the way
		state, sessions := stateOf(t, capture)
		if mean = state / sessions; mean <= most {
			return
		}
	}
	t.Errorf("a session takes %d bytes, want at most %d", mean, most)
}

// stateOf returns the bytes that the sessions of a capture take, and how many
// they are.
func stateOf(tb testing.TB, capture []byte) (state, sessions int) {
	tb.Helper()
	c := classifier.New(classifier.Options{Certificates: true})
	number := make(map[flowKey]int)
	each := func(see func(p *classifier.Packet, k flowKey)) {
		r, err := NewReader(bytes.NewReader(capture))
		if err != nil {
			tb.Fatal(err)
		}
		var p classifier.Packet
		for {
			rec, err := r.Next()
			if err == io.EOF {
				return
			} else if err != nil {
				tb.Fatal(err)
			}
			if classifier.Decode(rec.Data, &p) == nil && !p.Fragment {
				see(&p, keyOf(&p))
			}
		}
	}
	each(func(p *classifier.Packet, k flowKey) {
		if _, known := number[k]; !known {
			number[k] = len(number)
		}
	})
	type peer struct {
		e     classifier.Endpoints
		known bool
	}
	clients := make([]peer, len(number))
	before := heap()
	all := make([]classifier.Session, len(number))
	each(func(p *classifier.Packet, k flowKey) {
		i, dir := number[k], classifier.Original
		if !clients[i].known {
			clients[i] = peer{p.Endpoints(), true}
			c.Begin(&all[i], clients[i].e, time.Time{})
		} else if p.Endpoints().Client != clients[i].e.Client {
			dir = classifier.Reply
		}
		c.Inspect(&all[i], p, dir, time.Time{})
	})
	state = int(heap() - before)
	runtime.KeepAlive(all)
	runtime.KeepAlive(clients)
	runtime.KeepAlive(number)
	runtime.KeepAlive(c)
	return state, len(all)
}

// heap returns the bytes that live objects take.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // pools have let go by then
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
