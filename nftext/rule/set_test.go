// SPDX-License-Identifier: MIT

package rule

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/google/nftables"
)

// inside looks up a value as the kernel does: in the interval whose beginning is
// the last one not above it.
func inside(elements []nftables.SetElement, v []byte) bool {
	found := false
	for _, e := range elements {
		if bytes.Compare(e.Key, v) <= 0 {
			found = !e.IntervalEnd
		}
	}
	return found
}

// TestIntervals compares the elements of spans with the spans, at every value.
func TestIntervals(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var spans []span
		for range 1 + random.IntN(5) {
			a, b := byte(random.IntN(256)), byte(random.IntN(256))
			if random.IntN(4) == 0 {
				b = 255
			}
			spans = append(spans, span{[]byte{7, min(a, b)}, []byte{7, max(a, b)}})
		}
		elements := intervals(spans)
		for i := 1; i < len(elements); i++ {
			if bytes.Compare(elements[i-1].Key, elements[i].Key) >= 0 || elements[i-1].IntervalEnd == elements[i].IntervalEnd {
				t.Fatalf("%v: elements %v", spans, elements)
			}
		}
		for n := range 3 * 256 {
			v := []byte{byte(6 + n/256), byte(n)}
			want := false
			for _, s := range spans {
				want = want || bytes.Compare(s.lo, v) <= 0 && bytes.Compare(v, s.hi) <= 0
			}
			if inside(elements, v) != want {
				t.Fatalf("%v: %v is in %v: want %v", spans, v, elements, want)
			}
		}
	}
	whole := intervals([]span{{[]byte{0, 0}, []byte{255, 255}}})
	if len(whole) != 1 || whole[0].IntervalEnd {
		t.Errorf("everything: %v", whole)
	}
}

func BenchmarkAdd(b *testing.B) {
	c := chains()["inet t filter"]
	r := New(IPSaddr().Is(addr("10.0.0.1")), TCPDport().Is(443), Counter{}, Drop())
	batch := NewBatch(Options{})
	b.ReportAllocs()
	for range b.N {
		batch.Add(c, r)
	}
	if err := batch.Close(); err != nil {
		b.Fatal(err)
	}
}
