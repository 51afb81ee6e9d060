// SPDX-License-Identifier: MIT

package portal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"nftdict/dict"
	"nftdict/dictd/event"
	"nftdict/dictd/identity"
)

// Keeper knows who is in, and lets in. Its methods may be called by many goroutines.
type Keeper struct {
	cfg      Config
	store    *store
	ways     map[string]Way
	settings atomic.Pointer[Settings]
	accounts *accounts
	vouchers *vouchers

	byDevice, byName *limit // of attempts that do not succeed
	logins           *limit // of those that do, by device
	most             int    // sessions

	admission sync.Mutex // held while a session begins, changes or ends; taken before mu
	mu        sync.RWMutex
	in        index

	wake   chan struct{} // a session ends sooner than was known
	teller *teller
	counts counts
}

// counts are figures of a Keeper.
type counts struct{ logins, refused, tooFast, ended, rebound, failed atomic.Uint64 }

var _ Desk = (*Keeper)(nil)

// New opens the file, and takes over the sessions of an earlier run: those that are
// still to last are in when it returns. Close must follow.
func New(cfg Config) (*Keeper, error) {
	s, err := openStore(cfg.State)
	if err != nil {
		return nil, err
	}
	k := &Keeper{
		cfg: cfg, store: s, in: newIndex(), wake: make(chan struct{}, 1), ways: make(map[string]Way),
		byDevice: newLimit(10, 6*time.Second), byName: newLimit(20, 10*time.Second), logins: newLimit(30, 2*time.Second), most: maxSessions,
	}
	k.accounts, k.vouchers = &accounts{store: s, clock: cfg.Clock, hashing: make(chan struct{}, 2)}, &vouchers{store: s, clock: cfg.Clock}
	k.teller = newTeller(k)
	for _, w := range append([]Way{click{}, k.accounts, k.vouchers}, cfg.Ways...) {
		k.ways[w.Name()] = w
	}
	err = k.Set(cfg.Settings)
	if err == nil {
		err = k.resume()
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return k, nil
}

// Close closes the file. Who is in stays in.
func (k *Keeper) Close() error {
	k.admission.Lock()
	defer k.admission.Unlock()
	k.measure(k.all()...)
	return errors.Join(k.saveFigures(), k.store.close())
}

// Broken returns why a file of before is not used, nil if there is none such: accounts
// and vouchers were in it. It lies beside the new one.
func (k *Keeper) Broken() error { return errors.Join(append(k.store.unread, k.store.broken)...) }

// resume takes over the sessions of an earlier run. What an earlier daemon was about
// to take back is taken back.
func (k *Keeper) resume() error {
	in, ended, err := k.store.sessions()
	if err != nil {
		return fmt.Errorf("state of the portal: %w", err)
	}
	now := k.cfg.Clock()
	if err := k.Broken(); err != nil {
		k.cfg.Log.Error("accounts, vouchers or sessions of the portal cannot be read", "err", err)
	}
	if k.store.broken != nil {
		in = k.fromLogins()
		if err := k.store.save(in...); err != nil {
			return fmt.Errorf("state of the portal: %w", err)
		}
	}
	for _, s := range in {
		s.Seen = now
		k.enter(s)
	}
	for _, s := range ended {
		k.teller.add(s, told{cause: s.Cause})
	}
	for _, s := range in {
		if s.over(now) {
			if err := k.end(s, CauseTime); err != nil {
				k.cfg.Log.Error("a session of an earlier run does not end", "session", s.ID, "err", err)
			}
		}
	}
	if err := k.agree(); err != nil {
		k.cfg.Log.Error("sessions of an earlier run do not go on as they should, it is tried again", "err", err)
	}
	return k.restoreVolumes()
}

// agree has package identity say of sessions what the Keeper does, and of nobody else
// that a portal has let him in: somebody may have changed its file.
func (k *Keeper) agree() error {
	logins := make(map[string]identity.Login)
	for _, l := range k.cfg.Directory.LoginsBy(By) {
		logins[l.Session] = l
	}
	var errs []error
	now := k.cfg.Clock()
	for _, s := range k.all() {
		was, there := logins[s.ID]
		delete(logins, s.ID)
		if want := s.login(true); !s.over(now) && (!there || !was.LetIn || was.MAC != want.MAC || !was.Until.Equal(want.Until)) {
			errs = append(errs, k.cfg.Directory.Login(want))
		}
	}
	for id := range logins {
		_, err := k.cfg.Directory.Logout(By, id)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// restoreVolumes has what users have left counted again where nobody knows it any more:
// as of when the file was written last.
func (k *Keeper) restoreVolumes() error {
	if k.cfg.Volume == nil {
		return nil
	}
	for _, s := range k.all() {
		if s.Bytes == nil {
			continue
		}
		most := *s.Bytes
		if s.Left != nil {
			most = *s.Left
		}
		if left, ok := k.cfg.Volume.Left(s.User); ok && left <= *s.Bytes {
			continue
		}
		if err := k.cfg.Volume.Grant(s.User, most); err != nil {
			return fmt.Errorf("volume of %s: %w", dict.Quote(s.User), err)
		}
	}
	return nil
}

// enter counts a session among those that are in.
func (k *Keeper) enter(s *session) {
	if k.cfg.Traffic != nil {
		k.cfg.Traffic.Follow(s.MAC)
		s.mark = k.cfg.Traffic.Moved(s.MAC)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.in.add(s)
}

// all returns the sessions that are in, in the order in which they began.
func (k *Keeper) all() []*session {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.in.all()
}

// Run ends sessions whose end has come, and tells Followers, until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.Go(func() error { return k.teller.run(ctx) })
	tasks.Go(func() error { return k.tend(ctx) })
	return tasks.Wait()
}

// Sessions returns those that are in, in the order in which they began.
func (k *Keeper) Sessions() []Session {
	k.mu.RLock()
	defer k.mu.RUnlock()
	all := make([]Session, 0, len(k.in.byID))
	for _, s := range k.in.all() {
		all = append(all, s.Session)
	}
	return all
}

// Stats are a Keeper's figures.
type Stats struct {
	Sessions int    `json:"sessions"` // that are in
	Limit    int    `json:"limit"`    // most of them
	Logins   uint64 `json:"logins"`   // since the daemon began
	Ended    uint64 `json:"ended"`
	Refused  uint64 `json:"refused"`  // attempts
	TooFast  uint64 `json:"too_fast"` // attempts that were not looked at
	Rebound  uint64 `json:"rebound"`  // sessions that went to a new MAC by their cookie
	Failed   uint64 `json:"failed"`   // attempts and ends that went wrong here
}

// Stats returns the figures.
func (k *Keeper) Stats() Stats {
	k.mu.RLock()
	n := len(k.in.byID)
	k.mu.RUnlock()
	c := &k.counts
	return Stats{n, k.most, c.logins.Load(), c.ended.Load(), c.refused.Load(), c.tooFast.Load(), c.rebound.Load(), c.failed.Load()}
}

// publish tells of an event.
func (k *Keeper) publish(kind event.Kind, s *session, cause Cause) {
	if k.cfg.Events != nil {
		k.cfg.Events.Publish(event.Event{Kind: kind, Subject: s.User, Data: News{s.ID, s.Way, s.Device, cause}})
	}
}

// News is the Data of event.PortalLogin and event.PortalLogout.
type News struct {
	Session string `json:"session"`
	Way     string `json:"way"`
	MAC     string `json:"mac_address"`
	Cause   Cause  `json:"cause,omitempty"` // of a logout
}

// Ways returns the names of the ways in that there are, in the order of the page.
func (k *Keeper) Ways() []string { return append([]string{}, k.settings.Load().Ways...) }

// Left returns how many bytes users have left, of those who have a bound.
func (k *Keeper) Left() map[string]int64 {
	if k.cfg.Volume == nil {
		return nil
	}
	return k.cfg.Volume.All()
}
