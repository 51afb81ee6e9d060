// SPDX-License-Identifier: MIT

package api

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nftdict/dictd/event"
	"nftdict/dictd/identity"
	"nftdict/dictd/portal"
	"nftdict/dictd/quota"
)

// contextThatEnds ends soon: a stream does not by itself.
func contextThatEnds(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, 50*time.Millisecond)
}

// follow reads n events of a stream.
func follow(t *testing.T, c *Client, f EventFilter, n int) (events []Event) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for e, err := range c.Events(ctx, f) {
		if err != nil {
			t.Fatal(err)
		}
		if events = append(events, e); len(events) == n {
			break
		}
	}
	return events
}

func TestEventsGoOn(t *testing.T) {
	src := newSource(t, 0)
	path, _ := serveSource(t, src, nil)
	c := NewClient(path)
	publish := func(k event.Kind, subject string, data any) {
		src.log.Publish(event.Event{Kind: k, Subject: subject, Data: data})
	}
	publish(event.UserNew, "before", nil)
	got := make(chan []Event, 1)
	ready, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	go func() { got <- follow(t, c, EventFilter{}, 2) }()
	for src.log.Stats().Readers == 0 && ready.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	publish(event.UserBound, "bob", identity.Bound{MAC: "02:00:00:00:00:09"})
	publish(event.QuotaWarning, "b\no\x00b", math.Inf(1)) // what has no form
	events := <-got
	var told []string
	for _, e := range events {
		told = append(told, e.Kind+" "+e.Subject+" "+string(e.Data))
	}
	if diff := cmp.Diff([]string{`user-bound bob {"mac_address":"02:00:00:00:00:09"}`, "quota-warning b\no\x00b "}, told); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	publish(event.UserGone, "bob", nil)
	if again := follow(t, c, EventFilter{After: events[0].ID}, 2); again[0].ID != events[1].ID || again[1].Kind != "user-gone" {
		t.Errorf("going on: %+v", again)
	}
	if all := follow(t, c, EventFilter{After: "0", Kinds: []string{"user-new", "user-g*"}}, 2); all[0].Subject != "before" || all[1].Kind != "user-gone" {
		t.Errorf("from the first on: %+v", all)
	}
	if reset := follow(t, c, EventFilter{After: "0123-1"}, 2); reset[0].Kind != "reset" || reset[1].Subject != "before" || !strings.Contains(string(reset[0].Data), src.log.Boot()) {
		t.Errorf("of another daemon: %+v", reset)
	}
	var refused *Error
	for _, err := range c.Events(t.Context(), EventFilter{Kinds: []string{"toaster"}}) {
		if !errors.As(err, &refused) || refused.Status != http.StatusBadRequest {
			t.Errorf("a kind that is none: %v", err)
		}
	}
}

// TestEventsAreDescribed holds an event of each kind against the document.
func TestEventsAreDescribed(t *testing.T) {
	_, doc := judge(t)
	seen := time.Unix(1_800_000_000, 0)
	host := identity.Host{Seen: seen}
	device := identity.Device{MAC: "02:00:00:00:00:09", Seen: &seen, Addresses: []netip.Addr{netip.MustParseAddr("2001:db8::1")}}
	notice := quota.Notice{Kind: "user", Plan: "p", Unit: "bytes", Size: 5, Remaining: 1, Percent: 80}
	data := map[event.Kind]any{
		event.Gap: event.Lost{After: 1, Through: 2, Kinds: []string{"host-new"}}, event.Reset: event.Restart{Boot: "ab"},
		event.UserBound: identity.Bound{}, event.UserUnbound: identity.Bound{},
		event.UserNew: identity.User{Groups: []string{}, Devices: []string{}}, event.UserChanged: identity.User{Groups: []string{}, Devices: []string{}},
		event.HostNew: host, event.HostChanged: host, event.HostGone: host,
		event.DeviceNew: device, event.DeviceChanged: device, event.DeviceGone: device,
		event.QuotaWarning: notice, event.QuotaExceeded: notice, event.QuotaReset: notice, event.QuotaTopup: notice,
		event.PortalLogin: portal.News{Way: portal.Click}, event.PortalLogout: portal.News{Cause: portal.CauseTime},
		event.SessionFinal: Session{Connection: Connection{Family: 4}}, event.SessionEnd: Session{Connection: Connection{Family: 6}},
		event.FlowOffload: Flow{Connection: Connection{Family: 4}, State: FlowSoftware}, event.FlowRecall: FlowRecalled{Application: "X"},
	}
	for _, k := range append(event.Kinds(), event.Gap, event.Reset) {
		var text strings.Builder
		appendEvent(&text, "ab", &event.Event{Seq: 7, Time: seen, Kind: k, Subject: "s", Data: data[k]})
		n := 0
		for e, err := range readEvents(strings.NewReader(text.String())) {
			if n++; err != nil || e.ID != "ab-7" {
				t.Errorf("%v: %+v, %v", k, e, err)
			}
			b, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			describedAs(t, doc, "Event", b)
		}
		if n != 1 || !strings.HasPrefix(text.String(), "id: ab-7\nevent: "+k.String()+"\ndata: {") || !strings.HasSuffix(text.String(), "}\n\n") {
			t.Errorf("%v: %q", k, text.String())
		}
	}
}

func FuzzReadEvents(f *testing.F) {
	f.Add("id: ab-7\nevent: gap\ndata: {\"id\":\"ab-7\"}\n\n: nothing new\n\n")
	f.Fuzz(func(_ *testing.T, text string) {
		for range readEvents(strings.NewReader(text)) {
		}
	})
}

// TestEventsAreInTheManual has each kind told of in docs/api.md.
func TestEventsAreInTheManual(t *testing.T) {
	page, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range event.Kinds() {
		if !strings.Contains(string(page), "`"+k.String()+"`") {
			t.Errorf("%v: not in docs/api.md", k)
		}
	}
}

// stream is an http.ResponseWriter that tells of its first Write.
type stream struct {
	*httptest.ResponseRecorder
	mu    sync.Mutex
	once  sync.Once
	wrote chan struct{}
}

func newStream() *stream {
	return &stream{ResponseRecorder: httptest.NewRecorder(), wrote: make(chan struct{})}
}

func (s *stream) Write(b []byte) (int, error) {
	defer s.once.Do(func() { close(s.wrote) })
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ResponseRecorder.Write(b)
}

func (s *stream) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Body.String()
}

func (s *stream) request(t *testing.T, path string, by *Peer) *http.Request {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "http://dictd"+path, nil)
	return r.WithContext(withPeer(t.Context(), by))
}
