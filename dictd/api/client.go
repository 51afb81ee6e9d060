// SPDX-License-Identifier: MIT

package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// maxError bounds what is read of an error's answer, in bytes.
const maxError = 64 << 10

// Client asks a running daemon. It may be used by several goroutines.
type Client struct {
	http   http.Client
	follow http.Client // for answers that last
}

// NewClient returns a client of the daemon at a socket. It does not connect
// yet. Errors of its methods are an *Error that the daemon sent, or say that it
// cannot be reached: see IsAbsent.
func NewClient(socket string) *Client {
	var d net.Dialer
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return d.DialContext(ctx, "unix", socket)
		},
		MaxIdleConns: 1, IdleConnTimeout: time.Second,
	}
	return &Client{http: http.Client{Timeout: writeTimeout, Transport: transport}, follow: http.Client{Transport: transport}}
}

// Status returns what the daemon is and does.
func (c *Client) Status(ctx context.Context) (*Status, error) {
	var s Status
	return &s, c.get(ctx, "/v1/status", nil, decodeInto(&s))
}

// Why returns a session by its conntrack id, with evidence. It is an *Error
// with Status 404 if there is none.
func (c *Client) Why(ctx context.Context, ctid uint32) (*Why, error) {
	var w Why
	return &w, c.get(ctx, "/v1/sessions/"+strconv.FormatUint(uint64(ctid), 10)+"/why", nil, decodeInto(&w))
}

// Filter chooses sessions; the zero Filter chooses all.
type Filter struct {
	Application string // in any case
	Limit       int    // most; 0 means all
}

// Sessions iterates over the sessions that exist, in no order, as they arrive.
// An error ends the iteration.
func (c *Client) Sessions(ctx context.Context, f Filter) iter.Seq2[Session, error] {
	return func(yield func(Session, error) bool) {
		query := url.Values{}
		if f.Application != "" {
			query.Set("application", f.Application)
		}
		if f.Limit > 0 {
			query.Set("limit", strconv.Itoa(f.Limit))
		}
		stopped := false
		err := c.get(ctx, "/v1/sessions", query, func(body io.Reader) error {
			d := json.NewDecoder(body)
			if _, err := d.Token(); err != nil {
				return err
			}
			for d.More() {
				var s Session
				if err := d.Decode(&s); err != nil {
					return err
				}
				if stopped = !yield(s, nil); stopped {
					return nil
				}
			}
			_, err := d.Token() // an array that is cut short is an error
			return err
		})
		if err != nil && !stopped {
			yield(Session{}, err)
		}
	}
}

func decodeInto(v any) func(io.Reader) error {
	return func(body io.Reader) error { return json.NewDecoder(body).Decode(v) }
}

func (c *Client) get(ctx context.Context, path string, query url.Values, read func(io.Reader) error) error {
	return c.do(ctx, http.MethodGet, path, query, nil, read)
}

// stream asks for an answer that lasts until ctx ends.
func (c *Client) stream(ctx context.Context, path string, query url.Values, read func(io.Reader) error) error {
	return c.send(ctx, &c.follow, http.MethodGet, path, query, nil, read)
}

// do sends a request; path is escaped where it has to be. A body is sent as JSON; read
// may be nil.
func (c *Client) do(ctx context.Context, method, path string, query url.Values, body any, read func(io.Reader) error) error {
	return c.send(ctx, &c.http, method, path, query, body, read)
}

func (c *Client) send(ctx context.Context, by *http.Client, method, path string, query url.Values, body any, read func(io.Reader) error) error {
	text := "http://dictd" + path
	if len(query) > 0 {
		text += "?" + query.Encode()
	}
	var send io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		send = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, text, send)
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := by.Do(req)
	if err != nil {
		return fmt.Errorf("dictd: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusBadRequest {
		e := &Error{Status: resp.StatusCode}
		if err := json.NewDecoder(io.LimitReader(resp.Body, maxError)).Decode(e); err != nil || e.Text == "" {
			e.Text = "dictd answers " + resp.Status
		}
		return e
	}
	if read == nil { // there is nothing to be told
		return nil
	}
	if err := read(resp.Body); err != nil {
		return fmt.Errorf("dictd: answer of %s: %w", path, err)
	}
	return nil
}
