// SPDX-License-Identifier: MIT

package classifier_test

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nftdict/classifier"
)

// maxSingle is how much of a direction is shown in single bytes; what follows
// comes as it was.
const maxSingle = 3 << 10

// segmentations are ways in which a network may deliver the same connection
// without a difference to those who talk.
var segmentations = []struct {
	name string
	udp  bool // applies to datagrams, too
	do   func([]step, *rand.Rand) []step
}{
	{"single bytes", false, singleBytes},
	{"random pieces", false, randomPieces},
	{"joined", false, joined},
	{"sent twice", true, sentTwice},
	{"out of order", false, outOfOrder},
	{"overtaken", true, overtaken},
	{"overlapping", false, overlapping},
	{"no handshake", false, noHandshake},
	{"sequence numbers wrap", false, wrapped},
}

// TestSegmentation shows every flow of the captures in each of these ways: the
// answer must be the same, down to every fingerprint.
func TestSegmentation(t *testing.T) {
	c := classifier.New(classifier.Options{Certificates: true, MaxPackets: 65535, MaxBytes: 1 << 20})
	for _, capture := range captures(t) {
		t.Run(capture.name, func(t *testing.T) {
			t.Parallel()
			for _, flow := range stepsOf(t, capture.file, capture.Tunnels) {
				want := show(c, flow)
				for _, way := range segmentations {
					if flow[0].p.Proto != classifier.ProtoTCP && !way.udp {
						continue
					}
					seed := fnv.New64a()
					seed.Write([]byte(capture.name + way.name))
					rng := rand.New(rand.NewPCG(seed.Sum64(), 1))
					if diff := cmp.Diff(want, show(c, way.do(flow, rng))); diff != "" {
						t.Errorf("%s, %v (-as recorded +so):\n%s", way.name, flow[0].p.Endpoints(), diff)
					}
				}
			}
		})
	}
}

// TestFirstPacketLost looks at every flow from the other side, as one whose
// opening packet nobody saw: whoever answers it is taken for the client.
func TestFirstPacketLost(t *testing.T) {
	c := classifier.New(classifier.Options{Certificates: true})
	for _, capture := range captures(t) {
		t.Run(capture.name, func(t *testing.T) {
			for _, flow := range stepsOf(t, capture.file, capture.Tunnels) {
				if flow[0].p.Proto != classifier.ProtoTCP || len(flow[0].p.Payload) > 0 {
					continue // a datagram lost is one that was never told
				}
				want := show(c, flow)
				var swapped []step
				for _, s := range flow[1:] {
					s.dir ^= 1
					swapped = append(swapped, s)
				}
				got := show(c, swapped)
				if got.Protocol != want.Protocol || got.Application != want.Application {
					t.Errorf("%v: got %s %s, want %s %s", flow[0].p.Endpoints(), got.Protocol, got.Application, want.Protocol, want.Application)
				}
			}
		})
	}
}

// show returns the classifier's answer, without what counts its changes.
func show(c *classifier.Classifier, flow []step) classifier.Result {
	var s classifier.Session
	now := time.Unix(1_700_000_000, 0)
	for i := range flow {
		if c.Inspect(&s, &flow[i].p, flow[i].dir, now) == classifier.Done {
			break
		}
	}
	r := s.Result()
	r.Version = 0
	return r
}

// piece returns the part of a segment from byte i to j.
func piece(s step, i, j int) step {
	s.p.Seq += uint32(i)
	if i > 0 && s.p.TCPFlags&classifier.FlagSYN != 0 {
		s.p.TCPFlags &^= classifier.FlagSYN
		s.p.Seq++
	}
	if j < len(s.p.Payload) {
		s.p.TCPFlags &^= classifier.FlagFIN
	}
	s.p.Length -= len(s.p.Payload) - (j - i)
	s.p.Payload = s.p.Payload[i:j]
	return s
}

func singleBytes(flow []step, _ *rand.Rand) []step {
	var out []step
	var shown [2]int
	for _, s := range flow {
		n := len(s.p.Payload)
		if n == 0 || shown[s.dir]+n > maxSingle {
			out = append(out, s)
			continue
		}
		shown[s.dir] += n
		for i := range n {
			out = append(out, piece(s, i, i+1))
		}
	}
	return out
}

func randomPieces(flow []step, rng *rand.Rand) []step {
	var out []step
	for _, s := range flow {
		n := len(s.p.Payload)
		if n == 0 {
			out = append(out, s)
			continue
		}
		for i := 0; i < n; {
			j := min(n, i+1+rng.IntN(1+n/2))
			out = append(out, piece(s, i, j))
			i = j
		}
	}
	return out
}

// joined makes one segment of those that follow each other in a direction.
func joined(flow []step, _ *rand.Rand) []step {
	var out []step
	for _, s := range flow {
		if len(out) > 0 && len(s.p.Payload) > 0 {
			last := &out[len(out)-1]
			next := last.p.Seq + uint32(len(last.p.Payload))
			if last.dir == s.dir && len(last.p.Payload) > 0 && next == s.p.Seq && len(last.p.Payload)+len(s.p.Payload) < 60000 {
				last.p.Payload = slices.Concat(last.p.Payload, s.p.Payload)
				last.p.Length += len(s.p.Payload)
				last.p.TCPFlags |= s.p.TCPFlags
				continue
			}
		}
		out = append(out, s)
	}
	return out
}

func sentTwice(flow []step, _ *rand.Rand) []step {
	var out []step
	for _, s := range flow {
		out = append(out, s, s)
	}
	return out
}

// outOfOrder shows the end of each segment before its begin.
func outOfOrder(flow []step, rng *rand.Rand) []step {
	var out []step
	for _, s := range flow {
		if n := len(s.p.Payload); n > 1 {
			at := 1 + rng.IntN(n-1)
			out = append(out, piece(s, at, n), piece(s, 0, at))
		} else {
			out = append(out, s)
		}
	}
	return out
}

// overtaken exchanges neighbours of one direction.
func overtaken(flow []step, _ *rand.Rand) []step {
	out := slices.Clone(flow)
	for i := 0; i+1 < len(out); i++ {
		a, b := &out[i], &out[i+1]
		if a.dir == b.dir && len(a.p.Payload) > 0 && len(b.p.Payload) > 0 {
			*a, *b = *b, *a
			i++
		}
	}
	return out
}

// overlapping has each segment begin with the end of the one before it.
func overlapping(flow []step, rng *rand.Rand) []step {
	var out []step
	var before [2][]byte
	for _, s := range flow {
		n := len(s.p.Payload)
		if n == 0 {
			out = append(out, s)
			continue
		}
		again := min(len(before[s.dir]), 1+rng.IntN(100))
		whole := slices.Concat(before[s.dir][len(before[s.dir])-again:], s.p.Payload)
		before[s.dir] = s.p.Payload
		if s.p.TCPFlags&classifier.FlagSYN == 0 {
			s.p.Seq -= uint32(again)
			s.p.Length += again
			s.p.Payload = whole
		}
		out = append(out, s)
	}
	return out
}

func noHandshake(flow []step, _ *rand.Rand) []step {
	return slices.DeleteFunc(slices.Clone(flow), func(s step) bool { return len(s.p.Payload) == 0 })
}

// wrapped counts the bytes of both directions past the end of the numbers.
func wrapped(flow []step, rng *rand.Rand) []step {
	var base, to [2]uint32
	var seen [2]bool
	out := slices.Clone(flow)
	for i := range out {
		p, d := &out[i].p, out[i].dir
		if !seen[d] {
			base[d], seen[d] = p.Seq, true
			to[d] = -uint32(1 + rng.IntN(50))
		}
		p.Seq = p.Seq - base[d] + to[d]
	}
	return out
}
