// SPDX-License-Identifier: MIT

package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/dictd/portal"
)

// Questions that are answered at one time, and for how long an answer is waited for.
const (
	maxQuick = 64
	maxSlow  = 128
	timeout  = 20 * time.Second
)

// Serve answers what is asked over a connection, which it closes, until ctx or the
// connection ends, which is no error. An error is about what was asked: no answer to
// it has been given.
func Serve(ctx context.Context, conn *net.UnixConn, of portal.Desk, log *slog.Logger) error {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	s := &server{conn: conn, of: of, log: log, quick: make(chan struct{}, maxQuick), slow: make(chan struct{}, maxSlow)}
	defer s.all.Wait()
	defer conn.Close() // ends those who write
	defer cancel()     // ends those who work
	buf := make([]byte, maxMessage+1)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, io.EOF) || errors.Is(err, unix.ECONNRESET) {
				return nil
			}
			return fmt.Errorf("desk: %w", err)
		}
		if n > maxMessage {
			return errors.New("desk: a question is too long")
		}
		q, err := parse(buf[:n])
		if err != nil {
			return fmt.Errorf("desk: a question: %w", err)
		}
		s.take(ctx, q)
	}
}

// server is one connection's.
type server struct {
	conn        *net.UnixConn
	of          portal.Desk
	log         *slog.Logger
	quick, slow chan struct{}
	all         sync.WaitGroup
}

// take answers a question, later.
func (s *server) take(ctx context.Context, q *question) {
	places := s.quick
	if q.Verb.slow() {
		places = s.slow
		select {
		case places <- struct{}{}:
		default: // others' questions are not to wait for these
			s.tell(&answer{ID: q.ID, Refusal: &portal.Refusal{Code: portal.CodeTooFast, After: time.Second}})
			return
		}
	} else {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return
		}
	}
	s.all.Go(func() {
		defer func() { <-places }()
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		s.tell(s.answer(ctx, q))
	})
}

// answer asks who knows.
func (s *server) answer(ctx context.Context, q *question) *answer {
	a := &answer{ID: q.ID}
	var v portal.Visitor
	var err error
	switch q.Verb {
	case visitor:
		v, err = s.of.Visitor(ctx, q.From)
	case enter:
		v, err = s.of.Enter(ctx, q.From, *q.Credentials)
	case leave:
		err = s.of.Leave(ctx, q.From)
	case extend:
		v, err = s.of.Extend(ctx, q.From)
	case begin:
		a.Redirect, err = s.of.Begin(ctx, q.From, q.Way)
	case finish:
		v, err = s.of.Finish(ctx, q.From, q.Way, q.State, q.Code)
	}
	var refusal *portal.Refusal
	switch {
	case errors.As(err, &refusal):
		a.Refusal = refusal
	case err != nil:
		s.log.Warn("the portal cannot answer", "question", q.Verb, "err", err)
		a.Failed = "failed" // what has failed is nobody's business there
	default:
		a.Visitor = &v
	}
	return a
}

// tell writes an answer.
func (s *server) tell(a *answer) {
	text, err := json.Marshal(a)
	if err == nil && len(text) > maxMessage {
		text, err = json.Marshal(&answer{ID: a.ID, Failed: "too long"})
	}
	if err == nil {
		_, err = s.conn.Write(text)
	}
	if err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, unix.EPIPE) && !errors.Is(err, unix.ECONNRESET) {
		s.log.Warn("cannot answer the portal's pages", "err", err)
	}
}
