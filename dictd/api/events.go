// SPDX-License-Identifier: MIT

package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"nftdict/dictd/event"
)

// Event is something that happened, as a stream tells it.
type Event struct {
	// ID names the place in the stream after which a reader goes on: the number with
	// the run of the daemon that it is of.
	ID      string          `json:"id"`
	Seq     uint64          `json:"seq"`
	Time    time.Time       `json:"time"`
	Kind    string          `json:"kind"`
	Subject string          `json:"subject"` // an address, a MAC, a user, a conntrack id: what the kind is about
	Data    json.RawMessage `json:"data,omitempty"`
}

// Limits of streams.
const (
	// How many there may be at one time: of everybody but root, of one user, and kept
	// for root.
	maxStreams       = 64
	maxStreamsOfUser = 32
	streamsForRoot   = 16
	// heartbeat is how often a stream on which nothing happens says that it lives.
	heartbeat = 15 * time.Second
	// burst is how many events are written together.
	burst = 64
)

func (s *Server) handleEvents(mux *router) { mux.HandleFunc(eventsPattern, s.events) }

// events streams events as text/event-stream until the client, its rights or the
// daemon are gone.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	query, ok := parseQuery(w, r, "kind", "after")
	if !ok {
		return
	}
	filter, err := event.ParseFilter(query["kind"]...)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error(), "name kinds, or a part with * after it: ?kind=quota-*")
		return
	}
	log := s.src.Events()
	from := log.Position()
	after := r.Header.Get("Last-Event-ID") // what a browser sends when it comes again
	if after == "" {
		after = query.Get("after")
	}
	if after != "" {
		if from, err = event.ParsePosition(after); err != nil {
			refuse(w, http.StatusBadRequest, "after: "+err.Error(), "give the id of the last event that was read, or 0 for all that are kept")
			return
		}
	}
	peer, _ := r.Context().Value(peerKey{}).(*Peer)
	if !s.streams.enter(peer.UID) {
		refuse(w, http.StatusServiceUnavailable, fmt.Sprintf("too many streams: one user may have %d, all together %d", maxStreamsOfUser, maxStreams), "end one")
		return
	}
	defer s.streams.exit(peer.UID)
	reader := log.Subscribe(from, filter)
	defer reader.Close()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := patience(w)
	if r.Method == http.MethodHead {
		return
	}
	// The deadline of the request is not the stream's: it would end it.
	_ = out.control.SetReadDeadline(time.Time{})
	// A client that reads nothing but this knows where to go on.
	if from.Boot == "" {
		from.Boot = log.Boot()
	}
	if _, err := fmt.Fprintf(out, "id: %s\n\n", from); err != nil || out.control.Flush() != nil {
		return
	}
	s.follow(r, out, reader, log.Boot())
}

// follow writes what a reader reads.
func (s *Server) follow(r *http.Request, out *patient, reader *event.Reader, boot string) {
	peer, _ := r.Context().Value(peerKey{}).(*Peer)
	var buf [burst]event.Event
	var text bytes.Buffer
	for {
		n, err := reader.ReadWithin(r.Context(), s.times.heartbeat, buf[:])
		if err != nil || !s.may(peer, false) {
			return
		}
		text.Reset()
		for i := range buf[:n] {
			appendEvent(&text, boot, &buf[i])
		}
		if n == 0 {
			fmt.Fprintf(&text, ": nothing new\nid: %s\n\n", reader.Position())
		}
		if _, err := out.Write(text.Bytes()); err != nil || out.control.Flush() != nil {
			return
		}
	}
}

// appendEvent writes an event in the form of server-sent events.
func appendEvent(w io.Writer, boot string, e *event.Event) {
	one := Event{
		ID: event.Position{Boot: boot, After: e.Seq}.String(), Seq: e.Seq, Time: e.Time.UTC(), Kind: e.Kind.String(), Subject: e.Subject,
	}
	if e.Data != nil {
		// What has no form as JSON is left out: the rest has.
		if data, err := json.Marshal(e.Data); err == nil {
			one.Data = data
		}
	}
	b, _ := json.Marshal(&one) // cannot fail: times are of these centuries
	fmt.Fprintf(w, "id: %s\nevent: %s\ndata: %s\n\n", one.ID, one.Kind, b)
}
