// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/dictd/rules"
	"nftdict/nftext"
)

// keeper keeps the daemon's nft table as it should be.
type keeper struct {
	table    *rules.Table
	store    dict.Store
	compiler nftext.Compiler
	log      *slog.Logger

	mu        sync.Mutex
	config    rules.Config // as installed last
	installed time.Time
	flush     bool
	again     atomic.Uint64
}

func newKeeper(table *rules.Table, o Options) *keeper {
	return &keeper{table: table, store: o.Store, compiler: o.Compiler, log: o.Log}
}

// reinstallPause is the least time between two repairs of the table.
const reinstallPause = time.Second

// Run puts the table back whenever somebody else has changed it.
func (k *keeper) Run(ctx context.Context) error {
	changed := make(chan struct{}, 1)
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.Go(func() error {
		return k.table.Watch(ctx, func() {
			select {
			case changed <- struct{}{}:
			default: // told already
			}
		})
	})
	tasks.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-changed:
			}
			k.mu.Lock()
			c := k.config
			k.mu.Unlock()
			if err := k.install(c); err != nil {
				k.log.Error("the nft table was changed by somebody else and cannot be put back", "err", err)
				select { // try again
				case changed <- struct{}{}:
				default:
				}
			} else {
				k.again.Add(1)
				k.log.Warn("the nft table was changed by somebody else and is put back", "table", c.Table)
			}
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(reinstallPause):
			}
		}
	})
	return tasks.Wait()
}

// update puts the table into the kernel if it differs from the one there: packets
// that wait in a queue are lost with the table that sent them.
func (k *keeper) update(c rules.Config) error {
	k.mu.Lock()
	same := c == k.config
	k.mu.Unlock()
	if same {
		return nil
	}
	return k.install(c)
}

// install puts the table into the kernel.
func (k *keeper) install(c rules.Config) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	terms, release, err := k.compile(c.Table)
	if err != nil {
		return err
	}
	err = k.table.Install(c, terms)
	if err := errors.Join(err, release()); err != nil {
		return err
	}
	k.config, k.installed, k.flush = c, time.Now(), terms.Flush != nil
	return nil
}

// compile makes the terms of the rules. What they hold is released after the
// kernel has taken them.
func (k *keeper) compile(table string) (terms rules.Terms, release func() error, err error) {
	var codes []*nftext.Code
	release = func() error {
		var errs []error
		for _, c := range codes {
			errs = append(errs, c.Release())
		}
		return errors.Join(errs...)
	}
	if k.compiler == nil {
		return terms, release, nil
	}
	for _, t := range []struct {
		text string
		to   *[]byte
	}{{rules.FlushText, &terms.Flush}, {rules.BypassedText, &terms.Bypassed}, {rules.WantedText, &terms.Wanted}} {
		code, err := k.compileTerm(t.text, table)
		if err != nil {
			return rules.Terms{}, nil, errors.Join(fmt.Errorf("rule %q: %w", t.text, err), release())
		}
		codes = append(codes, code)
		*t.to = code.Exprs
	}
	if a, ok := k.compiler.(nftext.Attacher); ok {
		code, err := k.attach(a, table)
		if err != nil {
			return rules.Terms{}, nil, errors.Join(err, release())
		}
		codes = append(codes, code)
		terms.Attach = code.Exprs
	}
	return terms, release, nil
}

// attach compiles what makes connections known to the backend before their
// packets are queued.
func (k *keeper) attach(a nftext.Attacher, table string) (*nftext.Code, error) {
	sessions, err := k.store.Table(dict.Sessions)
	if err != nil {
		return nil, err
	}
	return a.Attach(target(table), sessions)
}

func (k *keeper) compileTerm(text, table string) (*nftext.Code, error) {
	term, _, err := nftext.Parse(text)
	if err != nil {
		return nil, err
	}
	bound, err := nftext.Bind(term, k.store)
	if err != nil {
		return nil, err
	}
	return k.compiler.Compile(target(table), bound)
}

// target is where the terms stand.
func target(table string) nftext.Target {
	return nftext.Target{Family: unix.NFPROTO_INET, Table: table, Chain: rules.TermChain}
}
