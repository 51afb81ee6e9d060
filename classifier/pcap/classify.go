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
	// Tunnels looks behind GRE, GTP-U, VXLAN, Geneve, Teredo, EtherIP and L2TP,
	// too, as far as classifier.Inner does. IP in IP is always looked behind.
	Tunnels bool
}

// Report is what Classify found in a file.
type Report struct {
	Flows     []*Flow // in the order of their first packets
	Packets   int     // read
	NotIP     int     // of another protocol or link type
	Malformed int     // IP, but contradicting themselves
	Fragments int     // without a transport header, that did not complete a datagram
	Refused   int     // of flows beyond the bound
}

// Flow is one connection of a capture. A is the side that sent the first packet.
type Flow struct {
	Proto uint8 // IP protocol number
	A, B  netip.AddrPort
	// MACA and MACB are the hardware addresses of the first packet's frame: an end's
	// own, or its router's. Zero where the link is not Ethernet, or in a tunnel.
	MACA, MACB [6]byte
	First      time.Time // of its packets
	Last       time.Time
	PacketsAB  int
	PacketsBA  int
	BytesAB    int64 // of IP packets, headers included
	BytesBA    int64
	Result     *classifier.Result

	session  classifier.Session
	evidence []classifier.Evidence // instead of the session's, for tests
}

// Evidence returns the steps that led to Result, oldest first.
func (f *Flow) Evidence() []classifier.Evidence {
	if f.evidence != nil {
		return f.evidence
	}
	return f.session.Evidence()
}

// Classify reads a capture to its end and shows every packet to c. If the file
// breaks off it returns what it has so far, together with the error.
func Classify(in io.Reader, c *classifier.Classifier, o Options) (*Report, error) {
	if o.MaxFlows <= 0 {
		o.MaxFlows = DefaultMaxFlows
	}
	t := &flows{c: c, max: o.MaxFlows, behind: o.Tunnels, byKey: make(map[flowKey]*Flow)}
	err := t.read(in)
	results := make([]classifier.Result, len(t.report.Flows))
	for i, f := range t.report.Flows {
		results[i] = f.session.Result()
		f.Result = &results[i]
	}
	return &t.report, err
}

// flows sorts packets into flows.
type flows struct {
	c         *classifier.Classifier
	max       int
	behind    bool
	byKey     map[flowKey]*Flow
	slab      []Flow // for the next flows
	report    Report
	p         classifier.Packet
	key       flowKey // of the last packet
	last      *Flow   // the last packet's
	fragments fragments
}

// flowKey is the two ends of a flow in an order that does not depend on the
// direction. An IPv4 address lies in the first four bytes, and family tells.
type flowKey struct {
	low, high         [16]byte
	lowPort, highPort uint16
	proto, family     uint8
}

func keyOf(p *classifier.Packet) (k flowKey) {
	src, dst, sport, dport := p.Src, p.Dst, p.SrcPort, p.DstPort
	if c := src.Compare(dst); c > 0 || c == 0 && sport > dport {
		src, dst, sport, dport = dst, src, dport, sport
	}
	k.lowPort, k.highPort, k.proto, k.family = sport, dport, p.Proto, p.Family
	if p.Family == 4 {
		a, b := src.As4(), dst.As4()
		copy(k.low[:], a[:])
		copy(k.high[:], b[:])
		return k
	}
	k.low, k.high = src.As16(), dst.As16()
	return k
}

// maxSlab bounds how many flows are allocated at once: as many as there are.
const maxSlab = 64

func (t *flows) newFlow() *Flow {
	if len(t.slab) == 0 {
		t.slab = make([]Flow, min(max(len(t.report.Flows), 1), maxSlab))
	}
	f := &t.slab[0]
	t.slab = t.slab[1:]
	return f
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
	p, tunnel, counted := &t.p, false, 0
	for range maxTunnels {
		if err := classifier.Decode(b, p); err != nil && (!errors.Is(err, classifier.ErrTruncated) || !p.Src.IsValid()) {
			t.report.Malformed++
			return
		}
		if p.Fragment || p.MoreFragments {
			whole, shown := t.fragments.add(b, p)
			switch {
			case whole != nil && classifier.Decode(whole, p) == nil:
				b, counted = whole, shown
			case whole != nil, p.Fragment: // the first alone is looked at as it is
				t.report.Fragments++
				return
			}
		}
		if !t.behind && p.Proto != 4 && p.Proto != 41 {
			break
		}
		inner, ok := p.Inner()
		if !ok {
			break
		}
		b, tunnel = inner, true
	}
	if f := t.packet(p, rec.Time, counted); f != nil && !tunnel {
		f.MACA, f.MACB = rec.Link.Ends(rec.Data)
	}
}

// packet shows a packet to its flow's session, of which so many bytes were counted
// before. It returns a flow that the packet opens.
func (t *flows) packet(p *classifier.Packet, now time.Time, counted int) (opened *Flow) {
	key, dir := keyOf(p), classifier.Original
	f := t.last
	if f == nil || key != t.key { // packets of a flow come in bursts
		f = t.byKey[key]
		t.key, t.last = key, f
	}
	switch {
	case f == nil:
		if len(t.report.Flows) >= t.max {
			t.report.Refused++
			return nil
		}
		ends := p.Endpoints()
		f = t.newFlow()
		opened = f
		f.Proto, f.A, f.B, f.First = p.Proto, ends.Client, ends.Server, now
		t.byKey[key], t.last = f, f
		t.report.Flows = append(t.report.Flows, f)
		t.c.Begin(&f.session, ends, now)
	case p.SrcPort != f.A.Port() || p.Src != f.A.Addr():
		dir = classifier.Reply
	}
	f.Last = now
	packets, bytes := 1, int64(p.Length)
	if counted > 0 {
		packets, bytes = 0, max(bytes-int64(counted), 0)
	}
	if dir == classifier.Original {
		f.PacketsAB += packets
		f.BytesAB += bytes
	} else {
		f.PacketsBA += packets
		f.BytesBA += bytes
	}
	t.c.Inspect(&f.session, p, dir, now)
	return opened
}
