// SPDX-License-Identifier: MIT

package pcap

import (
	"errors"
	"io"
	"net/netip"
	"time"

	"nftdict/classifier"
)

// DefaultMaxFlows is how many flows Classify keeps apart unless told otherwise.
const DefaultMaxFlows = 1 << 18

// maxTunnels bounds the IP headers looked behind in one packet.
const maxTunnels = 3

// Options of Classify.
type Options struct {
	// MaxFlows bounds the flows; packets of further ones are counted as Refused.
	MaxFlows int
}

// Report is what Classify found in a file.
type Report struct {
	Flows     []*Flow // in the order of their first packets
	Packets   int     // read
	NotIP     int     // of another protocol or link type
	Malformed int     // IP, but contradicting themselves
	Fragments int     // without a transport header
	Refused   int     // of flows beyond the bound
}

// Flow is one connection of a capture. A is the side that sent the first packet.
type Flow struct {
	Proto     uint8 // IP protocol number
	A, B      netip.AddrPort
	First     time.Time // of its packets
	Last      time.Time
	PacketsAB int
	PacketsBA int
	BytesAB   int64 // of IP packets, headers included
	BytesBA   int64
	Result    classifier.Result
	Evidence  []classifier.Evidence

	session classifier.Session
}

// Classify reads a capture to its end and shows every packet to c. If the file
// breaks off it returns what it has so far, together with the error.
func Classify(in io.Reader, c *classifier.Classifier, o Options) (*Report, error) {
	if o.MaxFlows <= 0 {
		o.MaxFlows = DefaultMaxFlows
	}
	t := &flows{c: c, max: o.MaxFlows, byEnds: make(map[classifier.Endpoints]*Flow)}
	err := t.read(in)
	for _, f := range t.report.Flows {
		f.Result, f.Evidence = f.session.Result(), f.session.Evidence()
		f.session = classifier.Session{}
	}
	return &t.report, err
}

// flows sorts packets into flows.
type flows struct {
	c      *classifier.Classifier
	max    int
	byEnds map[classifier.Endpoints]*Flow
	report Report
}

func (t *flows) read(in io.Reader) error {
	r, err := NewReader(in)
	if err != nil {
		return err
	}
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		t.report.Packets++
		t.record(&rec)
	}
}

// record takes one frame apart.
func (t *flows) record(rec *Record) {
	b, ok := rec.Link.IP(rec.Data)
	if !ok {
		t.report.NotIP++
		return
	}
	var p classifier.Packet
	for range maxTunnels {
		if err := classifier.Decode(b, &p); err != nil && (!errors.Is(err, classifier.ErrTruncated) || !p.Src.IsValid()) {
			t.report.Malformed++
			return
		}
		if p.Fragment {
			t.report.Fragments++
			return
		}
		if p.Proto != 4 && p.Proto != 41 {
			break
		}
		b = p.Payload
	}
	t.packet(&p, rec.Time)
}

// packet shows a packet to its flow's session.
func (t *flows) packet(p *classifier.Packet, now time.Time) {
	ends, dir := p.Endpoints(), classifier.Original
	f := t.byEnds[ends]
	if f == nil {
		if f = t.byEnds[ends.Reverse()]; f != nil {
			dir = classifier.Reply
		}
	}
	if f == nil {
		if len(t.report.Flows) >= t.max {
			t.report.Refused++
			return
		}
		f = &Flow{Proto: p.Proto, A: ends.Client, B: ends.Server, First: now}
		t.byEnds[ends] = f
		t.report.Flows = append(t.report.Flows, f)
		t.c.Begin(&f.session, ends, now)
	}
	f.Last = now
	if dir == classifier.Original {
		f.PacketsAB++
		f.BytesAB += int64(p.Length)
	} else {
		f.PacketsBA++
		f.BytesBA += int64(p.Length)
	}
	t.c.Inspect(&f.session, p, dir, now)
}
