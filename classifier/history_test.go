// SPDX-License-Identifier: MIT

package classifier

import (
	"net/netip"
	"sync"
	"testing"
	"time"
)

var (
	video = &Application{"VIDEO", "streaming"}
	mail  = &Application{"MAIL", "mail"}
)

func TestHistory(t *testing.T) {
	tests := []struct {
		name  string
		past  []*Application
		later time.Duration
		want  *Application
		sure  int
	}{
		{"nothing", nil, 0, nil, 0},
		{"one", []*Application{video}, 0, video, 20},
		{"three", []*Application{video, video, video}, time.Hour, video, 30},
		{"another since", []*Application{video, mail}, 0, mail, 20},
		{"one of four", []*Application{video, video, mail, video, video}, 0, video, 30},
		{"many things", []*Application{video, mail, video, mail}, 0, mail, 20},
		{"long ago", []*Application{video, video}, 25 * time.Hour, nil, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := NewHistory(HistoryOptions{})
			for _, app := range tt.past {
				h.Add(serverAddr, ProtoTCP, app, testTime)
			}
			if got, sure := h.Lookup(serverAddr, ProtoTCP, testTime.Add(tt.later)); got != tt.want || sure != tt.sure {
				t.Errorf("got %v, %d; want %v, %d", got, sure, tt.want, tt.sure)
			}
			if got, _ := h.Lookup(serverAddr, ProtoUDP, testTime); got != nil {
				t.Errorf("another protocol: %v", got)
			}
			if got, _ := h.Lookup(netip.AddrPortFrom(serverAddr.Addr(), 1), ProtoTCP, testTime); got != nil {
				t.Errorf("another port: %v", got)
			}
		})
	}
}

func TestHistoryIsNeverSure(t *testing.T) {
	h := NewHistory(HistoryOptions{})
	for range 1000 {
		h.Add(serverAddr, ProtoTCP, video, testTime)
	}
	if _, sure := h.Lookup(serverAddr, ProtoTCP, testTime); sure != confidencePastMost {
		t.Errorf("confidence %d after a thousand sessions", sure)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	h := NewHistory(HistoryOptions{Total: 64})
	for i := range 5000 {
		h.Add(netip.AddrPortFrom(serverAddr.Addr(), uint16(i)), ProtoTCP, video, testTime)
	}
	if n := h.Len(); n > 64 {
		t.Errorf("%d servers, want 64 at most", n)
	}
}

func TestHistoryConcurrently(t *testing.T) {
	h := NewHistory(HistoryOptions{Total: 32})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range 500 {
				server := netip.AddrPortFrom(serverAddr.Addr(), uint16(n%50))
				h.Add(server, uint8(i), video, testTime)
				h.Lookup(server, uint8(i), testTime)
			}
		})
	}
	wg.Wait()
}

// TestSessionsLearnFromEarlierOnes has a session that shows a name, one to the
// same server that has shown nothing yet, one that shows another name, and one
// to another port.
func TestSessionsLearnFromEarlierOnes(t *testing.T) {
	c := New(Options{History: NewHistory(HistoryOptions{})})
	begin := func(server netip.AddrPort) *conversation {
		v := newConversation(t, c)
		v.server = server
		v.open()
		return v
	}
	first := begin(serverAddr)
	if r := first.s.Result(); r.Application != "" {
		t.Fatalf("before any session: %+v", r)
	}
	first.at(Original, 0, classicHello(t, "www.netflix.com"))
	end(t, first)
	second := begin(serverAddr)
	r := second.s.Result()
	if r.Application != "NETFLIX" || !r.Inferred || r.Confidence != confidencePast || r.Category != "streaming" || second.s.Learned() {
		t.Fatalf("after one session: %+v", r)
	}
	second.at(Original, 0, classicHello(t, "www.example.org"))
	if r := second.s.Result(); r.Application != "TLS" || r.Inferred {
		t.Fatalf("a name counts for more: %+v", r)
	}
	if r := begin(netip.AddrPortFrom(serverAddr.Addr(), 9)).s.Result(); r.Application != "" {
		t.Errorf("another port: %+v", r)
	}
}

// TestHistoryOfProtocols has a protocol without an application: the next session
// infers it, until it shows one itself.
func TestHistoryOfProtocols(t *testing.T) {
	c := New(Options{History: NewHistory(HistoryOptions{})})
	banner := []byte("SSH-2.0-server\r\n")
	first := newConversation(t, c)
	first.open()
	if first.at(Reply, 0, banner) != Done {
		t.Fatal("not done")
	}
	second := newConversation(t, c)
	second.open()
	if r := second.s.Result(); r.Application != "SSH" || !r.Inferred || r.Confidence != confidencePast || r.Protocol != "" {
		t.Fatalf("before a banner: %+v", r)
	}
	second.at(Reply, 0, banner)
	if r := second.s.Result(); r.Application != "SSH" || r.Inferred || r.Confidence != 98 {
		t.Fatalf("after a banner: %+v", r)
	}
}

// end shows segments until the session is done.
func end(t *testing.T, v *conversation) {
	t.Helper()
	for range 2 * DefaultMaxPackets {
		if v.at(Reply, 0, nil) == Done {
			return
		}
	}
	t.Fatal("not done")
}
