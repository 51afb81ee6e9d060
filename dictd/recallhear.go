// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"nftdict/dict"
	"nftdict/dictd/offload"
)

// heard is what a store has told of writes, until it is taken.
type heard struct {
	mu   sync.Mutex
	rows map[string]map[dict.Key]struct{} // by table; nil for all of it, and under "" if it may be any
	wake chan struct{}

	begun chan struct{} // closed when it was told for the first time that it may be any
	first sync.Once
}

// maxHeard is of how many rows of a table it is noted which: all are looked at where
// there are more.
const maxHeard = 64

func newHeard(wake chan struct{}) *heard {
	return &heard{rows: make(map[string]map[dict.Key]struct{}), wake: wake, begun: make(chan struct{})}
}

// tell notes a change; it is a dict.Listener's.
func (h *heard) tell(c dict.Change) error {
	if c.Kind == dict.Set && len(c.Row.Cells) > 0 && !matters(c.Row.Cells) {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch rows, some := h.rows[c.Table]; {
	case c.Row.Key == dict.Key{}, some && rows == nil, len(rows) == maxHeard:
		h.rows[c.Table] = nil
	case !some:
		h.rows[c.Table] = map[dict.Key]struct{}{c.Row.Key: {}}
	default:
		rows[c.Row.Key] = struct{}{}
	}
	rouse(h.wake)
	if c.Table == "" {
		h.first.Do(func() { close(h.begun) })
	}
	return nil
}

// take returns what was told, and forgets it.
func (h *heard) take() map[string]map[dict.Key]struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	rows := h.rows
	h.rows = make(map[string]map[dict.Key]struct{})
	return rows
}

// matters reports whether one of some cells is looked at, see sumRow.
func matters(cells []dict.Cell) bool {
	for _, c := range cells {
		if !isFigure(c.Field) {
			return true
		}
	}
	return false
}

// isFigure reports whether a field is one of budgets, of which those who keep them take
// back what is near an end, or a rate.
func isFigure(field string) bool {
	return strings.HasPrefix(field, "quota_") || strings.HasSuffix(field, "_rate")
}

// hear is run while there may be a flowtable, with a store that tells of writes: nothing
// wakes it where nothing is written.
func (w *watch) hear(ctx context.Context, store dict.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	h := newHeard(w.rewritten.wake)
	go func() {
		ended <- store.Listen(ctx, h.tell)
	}()
	stop := func() {
		cancel()
		<-ended
	}
	select {
	case <-ctx.Done():
		stop()
		return nil
	case err := <-ended:
		cancel()
		return err
	case <-h.begun:
	}
	// When packets have passed that were at rules when their rows were written, and when
	// tables may be looked at.
	var late, again <-chan time.Time
	for {
		var rewritten rewrittenKeys
		select {
		case <-ctx.Done():
			stop()
			return nil
		case err := <-ended:
			cancel()
			return err
		case <-h.wake:
		case <-w.watched.wake:
		case <-late:
			rewritten, late = w.rewritten.take(), nil
		case <-again:
		}
		if late == nil && w.rewritten.some() {
			late = time.After(rowsTick)
		}
		if !w.carrying() {
			stop()
			return nil
		}
		w.waiting = append(w.waiting, w.watched.take()...)
		told := h.take()
		whom, err := w.rows.hear(told)
		tables, wrong := w.others.hear(told)
		w.looked(whom, tables, rewritten, err, wrong)
		if again = nil; w.rows.due() {
			again = time.After(rowsTick)
		}
	}
}

// due reports whether a table waits to be looked at.
func (w *rowWatch) due() bool {
	return slices.ContainsFunc(w.tables, func(t *watchedTable) bool { return t.due })
}

// hear is look with a store that has told what was written.
func (w *rowWatch) hear(heard map[string]map[dict.Key]struct{}) (whom []offload.Whom, err error) {
	var errs []error
	_, any := heard[""]
	for _, t := range w.tables {
		keys, some := heard[t.name]
		t.due = t.due || any || some && keys == nil
		if t.kind == offload.OfCt {
			whom = append(whom, t.connections(keys)...)
			continue
		}
		of, err := w.hearOf(t, keys)
		whom = append(whom, of...)
		errs = append(errs, err)
	}
	return whom, errors.Join(errs...)
}

// connections returns those whose rows were written: the store tells of those in
// flowtables alone. Where it does not say which, it may be all.
func (t *watchedTable) connections(keys map[dict.Key]struct{}) (whom []offload.Whom) {
	first := t.known == nil
	if t.known = make(map[dict.Key]rowSum); t.due {
		t.due = false
		if !first {
			whom = append(whom, offload.Whom{Kind: offload.All})
		}
		return whom
	}
	for key := range keys {
		whom = append(whom, offload.Whom{Kind: t.kind, Name: key.String()})
	}
	return whom
}

// hearOf looks at rows of a table, or at all that are due.
func (w *rowWatch) hearOf(t *watchedTable, keys map[dict.Key]struct{}) ([]offload.Whom, error) {
	begin := time.Now()
	if t.due = t.due || t.known == nil; t.due {
		if !t.mayLook(begin) {
			return nil, nil
		}
		whom, err := w.read(t, begin)
		t.due = err != nil
		return whom, err
	}
	before, now := make(map[dict.Key]rowSum, len(keys)), make(map[dict.Key]rowSum, len(keys))
	for key := range keys {
		row, err := w.store.Get(t.name, key)
		if err != nil && !errors.Is(err, dict.ErrNotExist) {
			t.due = true
			return nil, err
		}
		if was, ok := t.known[key]; ok {
			before[key] = was
		}
		if err == nil {
			now[key] = sumRow(w.seed, &row)
		}
	}
	for key := range before {
		delete(t.known, key)
	}
	maps.Copy(t.known, now)
	return w.changed(t, before, now), nil
}
