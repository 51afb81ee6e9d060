// SPDX-License-Identifier: MIT

package classifier

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// testAddr returns an address of a number of its own.
func testAddr(n int) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], 10<<24+uint32(n))
	return netip.AddrFrom4(b)
}

func TestHintsExpire(t *testing.T) {
	h := NewHints(HintsOptions{MinTTL: 10 * time.Second, MaxTTL: time.Minute})
	client := testAddr(1)
	for i, tt := range []struct{ ttl, lives time.Duration }{
		{0, 10 * time.Second}, {30 * time.Second, 30 * time.Second}, {time.Hour, time.Minute},
	} {
		server := testAddr(100 + i)
		h.Add(client, server, "a.example", tt.ttl, testTime)
		if _, ok := h.Lookup(client, server, testTime.Add(tt.lives-1)); !ok {
			t.Errorf("TTL %v: gone too early", tt.ttl)
		}
		if _, ok := h.Lookup(client, server, testTime.Add(tt.lives)); ok {
			t.Errorf("TTL %v: outlives its time", tt.ttl)
		}
	}
	if h.Len() != 0 {
		t.Errorf("%d hints left", h.Len())
	}
}

func TestHintsLatestWins(t *testing.T) {
	h := NewHints(HintsOptions{})
	h.Add(testAddr(1), testAddr(2), "a.example", time.Minute, testTime)
	h.Add(testAddr(1), testAddr(2), "b.example", time.Minute, testTime)
	if got, _ := h.Lookup(testAddr(1), testAddr(2), testTime); got != "b.example" || h.Len() != 1 {
		t.Errorf("got %q, %d hints", got, h.Len())
	}
	mapped := netip.AddrFrom16(testAddr(1).As16())
	if got, _ := h.Lookup(mapped, testAddr(2), testTime); got != "b.example" {
		t.Errorf("mapped address: got %q", got)
	}
}

func TestHintsBoundPerClient(t *testing.T) {
	h := NewHints(HintsOptions{PerClient: 3})
	greedy, other := testAddr(1), testAddr(2)
	h.Add(other, testAddr(1000), "o.example", time.Hour, testTime)
	for i := range 100 {
		if i > 0 { // in use, so not the one to go
			if _, ok := h.Lookup(greedy, testAddr(1000), testTime); !ok {
				t.Fatalf("the answer in use is gone after %d", i)
			}
		}
		h.Add(greedy, testAddr(1000+i), "g.example", time.Hour, testTime)
	}
	if h.Len() != 4 {
		t.Errorf("%d hints, want 3 and 1", h.Len())
	}
	if _, ok := h.Lookup(other, testAddr(1000), testTime); !ok {
		t.Error("one client's answers drove out another's")
	}
}

func TestHintsBoundInAll(t *testing.T) {
	h := NewHints(HintsOptions{Total: 64})
	for i := range 10_000 {
		h.Add(testAddr(i), testAddr(0), "a.example", time.Hour, testTime)
	}
	if h.Len() > 64 {
		t.Errorf("%d hints, want at most 64", h.Len())
	}
	if _, ok := h.Lookup(testAddr(9_999), testAddr(0), testTime); !ok {
		t.Error("the latest is gone")
	}
	clients := 0
	for i := range h.shards {
		clients += len(h.shards[i].clients)
		if h.shards[i].recent.Len() != len(h.shards[i].clients) {
			t.Error("list and map of clients differ")
		}
	}
	if clients > 64 {
		t.Errorf("%d clients are kept for 64 hints", clients)
	}
}

func TestHintsConcurrently(t *testing.T) {
	h := NewHints(HintsOptions{PerClient: 8, Total: 128})
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 5_000 {
				client := testAddr((i*7 + g) % 50)
				h.Add(client, testAddr(i%20), "a.example", time.Minute, testTime.Add(time.Duration(i)*time.Second))
				h.Lookup(client, testAddr(i%13), testTime.Add(time.Duration(i)*time.Second))
			}
		})
	}
	wg.Wait()
	if h.Len() > 128 {
		t.Errorf("%d hints", h.Len())
	}
}

func BenchmarkHintsLookup(b *testing.B) {
	h := NewHints(HintsOptions{})
	for i := range 50_000 {
		h.Add(testAddr(i%500), testAddr(i), "www.example.org", time.Hour, testTime)
	}
	client, server := testAddr(499), testAddr(49_999)
	b.ReportAllocs()
	for b.Loop() {
		h.Lookup(client, server, testTime)
	}
}
