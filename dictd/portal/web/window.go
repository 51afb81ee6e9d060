// SPDX-License-Identifier: MIT

package web

import (
	"context"
	"errors"
	"time"

	"nftdict/dictd/internal/httpd"
	"nftdict/dictd/portal"
)

// Bounds of what is asked at the desk at one time, and for how long an answer is
// waited for, a place at the window included.
const (
	maxAsking  = 512
	askTimeout = 20 * time.Second
)

// errBusy is for those who have waited at the window in vain.
var errBusy = errors.New("too many questions at one time")

// window is the desk with a number of places before it. Who has one keeps his
// connection's place in the hall until he is answered.
type window struct {
	desk   portal.Desk
	places chan struct{}
}

var _ portal.Desk = (*window)(nil)

func newWindow(desk portal.Desk) *window {
	return &window{desk, make(chan struct{}, maxAsking)}
}

// step takes a place; done gives it back.
func (w *window) step(ctx context.Context) (_ context.Context, done func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	select {
	case w.places <- struct{}{}:
	case <-ctx.Done():
		cancel()
		return nil, nil, errBusy
	}
	wait := httpd.Working(ctx)
	return ctx, func() { wait(); <-w.places; cancel() }, nil
}

// Visitor implements portal.Desk.
func (w *window) Visitor(ctx context.Context, from portal.From) (v portal.Visitor, err error) {
	ctx, done, err := w.step(ctx)
	if err != nil {
		return v, err
	}
	defer done()
	return w.desk.Visitor(ctx, from)
}

// Enter implements portal.Desk.
func (w *window) Enter(ctx context.Context, from portal.From, c portal.Credentials) (v portal.Visitor, err error) {
	ctx, done, err := w.step(ctx)
	if err != nil {
		return v, err
	}
	defer done()
	return w.desk.Enter(ctx, from, c)
}

// Leave implements portal.Desk.
func (w *window) Leave(ctx context.Context, from portal.From) error {
	ctx, done, err := w.step(ctx)
	if err != nil {
		return err
	}
	defer done()
	return w.desk.Leave(ctx, from)
}

// Extend implements portal.Desk.
func (w *window) Extend(ctx context.Context, from portal.From) (v portal.Visitor, err error) {
	ctx, done, err := w.step(ctx)
	if err != nil {
		return v, err
	}
	defer done()
	return w.desk.Extend(ctx, from)
}

// Begin implements portal.Desk.
func (w *window) Begin(ctx context.Context, from portal.From, way string) (redirect string, err error) {
	ctx, done, err := w.step(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	return w.desk.Begin(ctx, from, way)
}

// Finish implements portal.Desk.
func (w *window) Finish(ctx context.Context, from portal.From, way, state, code string) (v portal.Visitor, err error) {
	ctx, done, err := w.step(ctx)
	if err != nil {
		return v, err
	}
	defer done()
	return w.desk.Finish(ctx, from, way, state, code)
}
