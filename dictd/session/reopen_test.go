// SPDX-License-Identifier: MIT

package session

import (
	"net/netip"
	"testing"

	"nftdict/dictd/conntrack"
)

const synSent, established, timeWait, closed = 1, 3, 7, 8

// offloadedStatus is IPS_OFFLOAD (uapi/linux/netfilter/nf_conntrack_common.h).
const offloadedStatus = 1 << 14

// ask resolves a SYN as the pipeline does and returns the session's number.
func (r *rig) ask(id uint32, t conntrack.Tuple, seq uint32) int64 {
	s, _, _ := r.Resolve(&Packet{ID: id, Tuple: t}, r.now)
	if s == nil {
		r.t.Fatal("a SYN of a known entry has no session")
	}
	defer s.Unlock()
	r.Asks(s, seq, r.now)
	s.Packets++
	return s.Serial()
}

// TestOneEntryTwoConnections lets a SYN come to an entry that is known.
func TestOneEntryTwoConnections(t *testing.T) {
	for name, c := range map[string]struct {
		state uint8
		seq   uint32
		anew  bool
	}{
		"closed":                 {closed, 2000, true},
		"in the last wait":       {timeWait, 2000, true},
		"living":                 {established, 2000, false},
		"asked again":            {synSent, 2000, false},
		"the first SYN, delayed": {closed, 1000, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 10)
			tcp := conntrack.NewTuple(6, netip.MustParseAddrPort("10.0.0.1:1000"), netip.MustParseAddrPort("192.0.2.1:443"))
			entry := flow(1, tcp)
			s, _, _ := r.Resolve(&Packet{ID: 1, Tuple: tcp, First: true}, r.now)
			r.Asks(s, 1000, r.now)
			s.Packets++
			s.Finished, s.Final = true, true
			old := s.Serial()
			s.Unlock()
			r.kernel.confirm(entry)
			r.kernel.deliver(1)
			r.wantRow(1, old)
			r.kernel.live[place{tcp, 0}].State = c.state

			got := r.ask(1, tcp, c.seq)
			if (got != old) != c.anew {
				t.Errorf("a connection of its own: %v, want %v", got != old, c.anew)
			}
			if s.Finished == c.anew || s.Final == c.anew {
				t.Errorf("finished %v, final %v", s.Finished, s.Final)
			}
			if c.anew {
				r.wantRow(1, 0)
			} else {
				r.wantRow(1, old)
			}
			if again := r.ask(1, tcp, c.seq); again != got {
				t.Error("a SYN that is sent again begins one more connection")
			}
		})
	}
}

// TestAnswered has the client of a connection that lives, as far as conntrack knows, ask
// for another: it is one if the server takes it up.
func TestAnswered(t *testing.T) {
	for name, c := range map[string]struct {
		seq  uint32
		by   uint32 // the interface of the answer
		anew bool
	}{
		"taken up": {2000, 7, true},
		"taken up, with the sequence number of the first": {1000, 7, true},
		"taken up by another way":                         {2000, 9, true},
		"by the client's own word":                        {2000, 8, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 10)
			tcp := conntrack.NewTuple(6, netip.MustParseAddrPort("10.0.0.1:1000"), netip.MustParseAddrPort("192.0.2.1:443"))
			s, _, _ := r.Resolve(&Packet{ID: 1, Tuple: tcp, First: true}, r.now)
			r.Asks(s, 1000, r.now)
			s.Packets++
			s.ServerHops, s.ServerIf, s.ClientHops, s.ClientIf = 3, 7, 0, 8
			s.Finished, s.Final = true, true
			old := s.Serial()
			s.Unlock()
			r.kernel.confirm(flow(1, tcp))
			r.kernel.deliver(1)
			r.kernel.live[place{tcp, 0}].State = established
			for range 2 {
				if got := r.ask(1, tcp, c.seq); got != old || !s.Doubted() || !s.Finished {
					t.Fatal("the session ends because the client asks")
				}
				r.wantRow(1, old)
			}
			s.Lock()
			r.Answers(s, c.by, r.now)
			s.Unlock()
			if s.Serial() != old != c.anew || s.Doubted() == c.anew || s.Finished == c.anew {
				t.Errorf("a session of its own: %v, want %v; doubted %v, finished %v", s.Serial() != old, c.anew, s.Doubted(), s.Finished)
			}
			if c.anew {
				old = 0
			}
			r.wantRow(1, old)
		})
	}
}
