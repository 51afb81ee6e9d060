// SPDX-License-Identifier: MIT

package portal

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"nftdict/dict"
	"nftdict/dictd/identity"
)

// Batch is vouchers that were made together.
type Batch struct {
	Name    string        `json:"name"`
	Prefix  string        `json:"prefix,omitempty"` // before the codes, for people: letters and digits
	Count   int           `json:"count"`
	Time    time.Duration `json:"time,omitempty"`    // from the first use on; 0: no bound
	Bytes   *int64        `json:"bytes,omitempty"`   // of all devices; nil: no bound
	Devices int           `json:"devices,omitempty"` // at a time; 0: as configured, below 0: no bound
	Valid   time.Time     `json:"valid,omitzero"`    // none can be used from then on; zero: no end
	Groups  []string      `json:"groups,omitempty"`
	Created time.Time     `json:"created"`
}

// Made is a batch with the codes of its vouchers, which are told this once.
type Made struct {
	Batch
	Vouchers []Coded `json:"vouchers"`
}

// Coded is a voucher as it is handed out.
type Coded struct {
	Number uint64 `json:"number"`
	Code   string `json:"code"` // as it is printed
}

// Bounds of vouchers.
const (
	maxInBatch  = 10000
	maxBatches  = 4096
	maxVouchers = 200000
)

// check refuses batches that cannot be, and completes them.
func (b *Batch) check(now time.Time) error {
	b.Prefix = strings.ToUpper(b.Prefix)
	if err := identity.CheckUser(b.Name); err != nil {
		return fmt.Errorf("name of a batch: %w", err)
	}
	if _, err := identity.JoinGroups(b.Groups); err != nil {
		return err
	}
	switch {
	case b.Count < 1 || b.Count > maxInBatch:
		return fmt.Errorf("count %d: %w: want 1 to %d", b.Count, dict.ErrRange, maxInBatch)
	case !validPrefix(b.Prefix):
		return fmt.Errorf("prefix %s: %w: want at most %d letters and digits", dict.Quote(b.Prefix), dict.ErrInvalid, maxPrefix)
	case b.Time < 0:
		return fmt.Errorf("time %s: %w", b.Time, dict.ErrRange)
	case b.Bytes != nil && (*b.Bytes < 1 || *b.Bytes > 1e18):
		return fmt.Errorf("bytes %d: %w", *b.Bytes, dict.ErrRange)
	case !b.Valid.IsZero() && !b.Valid.After(now):
		return fmt.Errorf("valid until %s: %w: that is over", b.Valid.Format(time.RFC3339), dict.ErrRange)
	}
	return nil
}

// MakeVouchers makes a batch. dict.ErrExist, dict.ErrInvalid, dict.ErrRange,
// identity.ErrTooMany, dict.ErrNotSupported.
func (k *Keeper) MakeVouchers(b Batch) (*Made, error) {
	b.Created = k.cfg.Clock().UTC()
	if err := b.check(b.Created); err != nil {
		return nil, err
	}
	if b.Bytes != nil && k.cfg.Volume == nil {
		return nil, fmt.Errorf("bytes: %w: there is no plan for them", dict.ErrNotSupported)
	}
	made := &Made{Batch: b, Vouchers: make([]Coded, b.Count)}
	err := k.store.db.Update(func(tx *bbolt.Tx) error {
		batches, vouchers, codes := tx.Bucket(bucketBatches), tx.Bucket(bucketVouchers), tx.Bucket(bucketCodes)
		if batches.Get([]byte(b.Name)) != nil {
			return fmt.Errorf("batch %s: %w", dict.Quote(b.Name), dict.ErrExist)
		}
		if batches.Stats().KeyN >= maxBatches || codes.Stats().KeyN+b.Count > maxVouchers {
			return fmt.Errorf("batch %s: %w: at most %d vouchers in %d batches, remove old ones", dict.Quote(b.Name), identity.ErrTooMany, maxVouchers, maxBatches)
		}
		for i := range made.Vouchers {
			number, err := vouchers.NextSequence()
			if err != nil {
				return err
			}
			code := newCode()
			made.Vouchers[i] = Coded{number, showCode(b.Prefix, code)}
			key := strconv.FormatUint(number, 10)
			if err := errors.Join(put(tx, bucketVouchers, key, Paper{Number: number, Batch: b.Name, Left: b.Bytes}), codes.Put(k.store.hashCode(code), []byte(key))); err != nil {
				return err
			}
		}
		return put(tx, bucketBatches, b.Name, b)
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// Batches returns the batches by name.
func (k *Keeper) Batches() (all []Batch, err error) {
	err = k.store.db.View(func(tx *bbolt.Tx) error {
		return each(tx, bucketBatches, func(_ string, b *Batch) error {
			all = append(all, *b)
			return nil
		})
	})
	return all, err
}

// Vouchers returns the vouchers of a batch, "" for all, by number.
func (k *Keeper) Vouchers(batch string) (all []Paper, err error) {
	err = k.store.db.View(func(tx *bbolt.Tx) error {
		if batch != "" && tx.Bucket(bucketBatches).Get([]byte(batch)) == nil {
			return fmt.Errorf("batch %s: %w", dict.Quote(batch), dict.ErrNotExist)
		}
		return each(tx, bucketVouchers, func(_ string, p *Paper) error {
			if batch == "" || p.Batch == batch {
				all = append(all, *p)
			}
			return nil
		})
	})
	slices.SortFunc(all, func(a, b Paper) int { return int(int64(a.Number) - int64(b.Number)) })
	return all, err
}

// RevokeVoucher takes a voucher back, and ends its sessions. dict.ErrNotExist.
func (k *Keeper) RevokeVoucher(number uint64) error {
	return k.revoke(func(p *Paper) bool { return p.Number == number }, fmt.Sprintf("voucher %d", number))
}

// RevokeBatch takes all vouchers of a batch back. dict.ErrNotExist.
func (k *Keeper) RevokeBatch(name string) error {
	return k.revoke(func(p *Paper) bool { return p.Batch == name }, "batch "+dict.Quote(name))
}

func (k *Keeper) revoke(which func(*Paper) bool, what string) error {
	users := make(map[string]struct{})
	err := k.store.db.Update(func(tx *bbolt.Tx) error {
		err := each(tx, bucketVouchers, func(_ string, p *Paper) error {
			if which(p) {
				users[p.User()] = struct{}{}
			}
			return nil
		})
		if err != nil {
			return err
		}
		for user := range users {
			var p Paper
			number := strings.TrimPrefix(user, voucherUser)
			if _, err := get(tx, bucketVouchers, number, &p); err != nil {
				return err
			}
			p.Revoked = true
			if err := put(tx, bucketVouchers, number, p); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(users) == 0 {
		return fmt.Errorf("%s: %w", what, dict.ErrNotExist)
	}
	return k.endUsers(Voucher, users, CauseRevoked)
}

// RemoveBatch forgets a batch and its vouchers, which are nothing then, and ends their
// sessions. dict.ErrNotExist.
func (k *Keeper) RemoveBatch(name string) error {
	if err := k.RevokeBatch(name); err != nil {
		return err
	}
	return k.store.db.Update(func(tx *bbolt.Tx) error {
		gone := make(map[string]struct{})
		err := each(tx, bucketVouchers, func(key string, p *Paper) error {
			if p.Batch == name {
				gone[key] = struct{}{}
			}
			return nil
		})
		if err != nil {
			return err
		}
		codes := tx.Bucket(bucketCodes)
		var hashes [][]byte
		if err := codes.ForEach(func(hash, number []byte) error {
			if _, ok := gone[string(number)]; ok {
				hashes = append(hashes, slices.Clone(hash))
			}
			return nil
		}); err != nil {
			return err
		}
		for _, h := range hashes {
			if err := codes.Delete(h); err != nil {
				return err
			}
		}
		for key := range gone {
			if err := tx.Bucket(bucketVouchers).Delete([]byte(key)); err != nil {
				return err
			}
		}
		return tx.Bucket(bucketBatches).Delete([]byte(name))
	})
}

// StateOf returns what has become of a voucher: new, used, expired, used_up or revoked.
func (k *Keeper) StateOf(p *Paper) string {
	var b Batch
	err := k.store.db.View(func(tx *bbolt.Tx) error {
		_, err := get(tx, bucketBatches, p.Batch, &b)
		return err
	})
	if err != nil {
		return string(CodeRevoked)
	}
	var why *Refusal
	switch {
	case errors.As(p.usable(&b, k.cfg.Clock()), &why):
		return string(why.Code)
	case p.First.IsZero():
		return "new"
	}
	return "used"
}
