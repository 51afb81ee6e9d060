// SPDX-License-Identifier: MIT

package lab

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/quic-go/quic-go"
)

// tasks owns the goroutines of a lab's servers.
type tasks struct{ *taskList }

type taskList struct {
	wg    sync.WaitGroup
	mu    sync.Mutex
	stops []func() error
	errs  []error
}

func newTasks() tasks { return tasks{new(taskList)} }

// start runs serve in a goroutine; stop must make it return.
func (t tasks) start(name string, serve, stop func() error) {
	t.onClose(stop)
	t.wg.Go(func() {
		err := serve()
		if err == nil || errors.Is(err, net.ErrClosed) ||
			errors.Is(err, http.ErrServerClosed) || errors.Is(err, quic.ErrServerClosed) {
			return
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.errs = append(t.errs, fmt.Errorf("%s: %w", name, err))
	})
}

// onClose adds a function that close calls before those added earlier.
func (t tasks) onClose(stop func() error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stops = append(t.stops, stop)
}

// close stops everything, last first, waits, and returns what went wrong
// while serving or stopping.
func (t tasks) close() error {
	t.mu.Lock()
	stops := t.stops
	t.stops = nil
	t.mu.Unlock()
	var errs []error
	for i := len(stops) - 1; i >= 0; i-- {
		if err := stops[i](); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	t.wg.Wait()
	return errors.Join(append(errs, t.errs...)...)
}
