// SPDX-License-Identifier: MIT

package portal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"nftdict/dict"
	"nftdict/dictd/identity"
	"nftdict/dictd/password"
)

// LocalAccount is somebody who has a password here.
type LocalAccount struct {
	Name    string        `json:"name"`
	Groups  []string      `json:"groups,omitempty"`
	Devices int           `json:"devices,omitempty"` // at a time; 0: as configured, below 0: no bound
	Session time.Duration `json:"session,omitempty"` // 0: as configured, below 0: no end
	Until   time.Time     `json:"until,omitzero"`    // zero: no end
	Created time.Time     `json:"created"`
}

// account is what the file has of one.
type account struct {
	LocalAccount
	Hash string `json:"hash"`
}

// maxAccounts bounds them.
const maxAccounts = 16384

// accounts is the way in with a name and a password.
type accounts struct {
	store   *store
	clock   func() time.Time
	hashing chan struct{} // has room for those who compare passwords at a time
}

func (*accounts) Name() string { return Account }

// Check implements Way.
func (w *accounts) Check(ctx context.Context, a Attempt) (Grant, error) {
	var one account
	known := false
	err := w.store.db.View(func(tx *bbolt.Tx) (err error) {
		known, err = get(tx, bucketAccounts, a.Name, &one)
		return err
	})
	if err != nil {
		return Grant{}, fmt.Errorf("account: %w", err)
	}
	select {
	case w.hashing <- struct{}{}:
		defer func() { <-w.hashing }()
	case <-ctx.Done():
		return Grant{}, ctx.Err()
	}
	right := false
	if known {
		right, err = password.Verify(one.Hash, a.Secret)
	} else {
		password.Waste(a.Secret)
	}
	switch {
	case err != nil:
		return Grant{}, fmt.Errorf("account %s: %w", dict.Quote(a.Name), err)
	case !right:
		return Grant{}, ErrWrong
	case !one.Until.IsZero() && !one.Until.After(w.clock()):
		return Grant{}, ErrExpired
	}
	return Grant{User: one.Name, Groups: one.Groups, For: one.Session, Until: one.Until, Devices: one.Devices, Extend: true}, nil
}

// hold implements holder.
func (w *accounts) hold(g *Grant) error {
	return w.store.db.View(func(tx *bbolt.Tx) error {
		if tx.Bucket(bucketAccounts).Get([]byte(g.User)) == nil {
			return ErrWrong
		}
		return nil
	})
}

// SetAccount makes an account, or has one be another way; "" leaves its password as it
// is. Sessions go on as they began, unless the account has ended.
func (k *Keeper) SetAccount(a LocalAccount, secret string) error {
	if err := identity.CheckUser(a.Name); err != nil {
		return err
	}
	if _, err := identity.JoinGroups(a.Groups); err != nil {
		return err
	}
	if !ownName(Account, a.Name) {
		return fmt.Errorf("account %s: %w: names of guests and vouchers begin so", dict.Quote(a.Name), dict.ErrInvalid)
	}
	hash := ""
	if secret != "" {
		var err error
		if hash, err = password.Hash(secret); err != nil {
			return fmt.Errorf("account %s: %w: %w", dict.Quote(a.Name), dict.ErrInvalid, err)
		}
	}
	return k.store.db.Update(func(tx *bbolt.Tx) error {
		var one account
		known, err := get(tx, bucketAccounts, a.Name, &one)
		switch {
		case err != nil && hash == "":
			return err
		case !known && hash == "":
			return fmt.Errorf("account %s: %w: want a password", dict.Quote(a.Name), dict.ErrInvalid)
		case !known && tx.Bucket(bucketAccounts).Stats().KeyN >= maxAccounts:
			return fmt.Errorf("account %s: %w: there are %d", dict.Quote(a.Name), identity.ErrTooMany, maxAccounts)
		case known:
			a.Created = one.Created
		default:
			a.Created = k.cfg.Clock().UTC()
		}
		if hash == "" {
			hash = one.Hash
		}
		return put(tx, bucketAccounts, a.Name, account{a, hash})
	})
}

// Accounts returns the accounts by name.
func (k *Keeper) Accounts() (all []LocalAccount, err error) {
	err = k.store.db.View(func(tx *bbolt.Tx) error {
		return each(tx, bucketAccounts, func(_ string, a *account) error {
			all = append(all, a.LocalAccount)
			return nil
		})
	})
	return all, err
}

// RemoveAccount forgets an account, and ends its sessions. dict.ErrNotExist.
func (k *Keeper) RemoveAccount(name string) error {
	err := k.store.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketAccounts)
		if b.Get([]byte(name)) == nil {
			return fmt.Errorf("account %s: %w", dict.Quote(name), dict.ErrNotExist)
		}
		return b.Delete([]byte(name))
	})
	if err != nil {
		return err
	}
	return k.endUsers(Account, map[string]struct{}{name: {}}, CauseRevoked)
}

// endUsers ends the sessions that users began on a way.
func (k *Keeper) endUsers(way string, users map[string]struct{}, cause Cause) error {
	failed := k.endThat(func(s *session, _ time.Time) Cause {
		if _, ok := users[s.User]; ok && s.Way == way {
			return cause
		}
		return ""
	})
	if failed {
		return fmt.Errorf("sessions: %w", errEnds)
	}
	return nil
}

// errEnds says that sessions go on which should not. Why is in the log.
var errEnds = errors.New("some cannot be ended")
