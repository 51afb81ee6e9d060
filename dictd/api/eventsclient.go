// SPDX-License-Identifier: MIT

package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
)

// EventFilter chooses events; the zero EventFilter chooses what happens from now
// on, but for sessions.
type EventFilter struct {
	After string   // Event.ID of the last one that was read, or "0" for all that are kept
	Kinds []string // with * at the end for all that begin so
}

// maxEvent bounds a line of a stream, in bytes.
const maxEvent = 1 << 20

// errStreamEnds says that the daemon ended a stream.
var errStreamEnds = errors.New("the daemon ended the stream: it stops, or the right to ask is gone")

// Events iterates over events as they happen, until ctx ends. An error ends the
// iteration; Filter.After goes on after the last event.
func (c *Client) Events(ctx context.Context, f EventFilter) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		query := url.Values{"kind": f.Kinds}
		if f.After != "" {
			query.Set("after", f.After)
		}
		stopped := false
		err := c.stream(ctx, "/v1/events", query, func(body io.Reader) error {
			for e, err := range readEvents(body) {
				if err != nil {
					return err
				}
				if stopped = !yield(e, nil); stopped {
					return nil
				}
			}
			return errStreamEnds
		})
		if err != nil && !stopped {
			yield(Event{}, err)
		}
	}
}

// readEvents reads the data of server-sent events. It takes what the server of
// this package writes: an event's data in one line.
func readEvents(body io.Reader) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		in := bufio.NewScanner(body)
		in.Buffer(nil, maxEvent)
		for in.Scan() {
			data, ok := bytes.CutPrefix(in.Bytes(), []byte("data: "))
			if !ok { // what stands beside it is in it, too
				continue
			}
			var e Event
			if err := json.Unmarshal(data, &e); err != nil {
				yield(Event{}, fmt.Errorf("event: %w", err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
		if err := in.Err(); err != nil {
			yield(Event{}, err)
		}
	}
}
