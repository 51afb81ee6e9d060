// SPDX-License-Identifier: MIT

package dictd

import (
	"fmt"
	"testing"
	"time"

	"nftdict/classifier"
	"nftdict/dict"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/session"
)

// quietKernel is a conntrack that never says anything.
type quietKernel struct{}

func (quietKernel) Drain() error { return nil }

func (quietKernel) Lookup(t conntrack.Tuple, _ uint16) (conntrack.Flow, error) {
	return conntrack.Flow{}, fmt.Errorf("double: %w", conntrack.ErrNotFound)
}

func (quietKernel) Dump(func(*conntrack.Flow)) error { return nil }

// nullStore takes every row and keeps none.
type nullStore struct{ dict.Store }

func (nullStore) Put(string, ...dict.Row) error                         { return nil }
func (nullStore) Delete(string, dict.Key, ...string) error              { return nil }
func (nullStore) Renew(string, time.Duration, ...dict.Key) (int, error) { return 0, nil }

// newWorker returns a pipeline on a store, with a quiet kernel, as one queue
// sees it.
func newWorker(tb testing.TB, store dict.Store, limit int) *worker {
	tb.Helper()
	record := newRecorder(store)
	p := &pipeline{record: record, clock: time.Now}
	p.table = session.New(session.Config{Kernel: quietKernel{}, Rows: record, Limit: limit, Now: time.Now()})
	p.classifier.Store(classifier.New(classifier.Options{Hints: classifier.NewHints(classifier.HintsOptions{})}))
	return &worker{pipeline: p}
}
