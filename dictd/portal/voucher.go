// SPDX-License-Identifier: MIT

package portal

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"nftdict/dict"
)

// Paper is a voucher. Its code is nowhere: it was told when it was made.
type Paper struct {
	Number  uint64    `json:"number"` // it may be told to others
	Batch   string    `json:"batch"`
	First   time.Time `json:"first,omitzero"` // when it was used first
	Until   time.Time `json:"until,omitzero"` // from then on; zero: it was not used, or has no end
	Left    *int64    `json:"left,omitempty"` // bytes, as of the last session that ended; nil: no bound
	Revoked bool      `json:"revoked,omitempty"`
}

// User returns who uses a voucher.
func (p *Paper) User() string { return voucherUser + strconv.FormatUint(p.Number, 10) }

const voucherUser = "voucher-"

// vouchers is the way in with a voucher's code.
type vouchers struct {
	store *store
	clock func() time.Time
}

func (*vouchers) Name() string { return Voucher }

// Check implements Way. The time of a voucher begins with its first use.
func (w *vouchers) Check(_ context.Context, a Attempt) (g Grant, err error) {
	prefix, code, ok := parseCode(a.Secret)
	if !ok {
		return Grant{}, ErrWrong
	}
	var p Paper
	var b Batch
	read := func(tx *bbolt.Tx) error {
		number := tx.Bucket(bucketCodes).Get(w.store.hashCode(code))
		if number == nil {
			return ErrWrong
		}
		if _, err := get(tx, bucketVouchers, string(number), &p); err != nil {
			return fmt.Errorf("voucher: %w", err)
		}
		if _, err := get(tx, bucketBatches, p.Batch, &b); err != nil {
			return fmt.Errorf("voucher: %w", err)
		}
		if prefix != "" && prefix != b.Prefix {
			return ErrWrong
		}
		return nil
	}
	now := w.clock()
	if err = w.store.db.View(read); err == nil {
		err = p.usable(&b, now)
	}
	if err == nil && p.First.IsZero() {
		err = w.store.db.Update(func(tx *bbolt.Tx) error {
			if err := read(tx); err != nil || !p.First.IsZero() { // another device was faster
				return err
			}
			p.First = now.UTC()
			if b.Time > 0 {
				p.Until = p.First.Add(b.Time)
			}
			return put(tx, bucketVouchers, strconv.FormatUint(p.Number, 10), p)
		})
		if err == nil {
			err = p.usable(&b, now)
		}
	}
	if err != nil {
		return Grant{}, err
	}
	g = Grant{User: p.User(), Groups: b.Groups, For: -1, Until: p.Until, Bytes: p.Left, Devices: b.Devices, Extend: false}
	if !b.Valid.IsZero() && (g.Until.IsZero() || b.Valid.Before(g.Until)) {
		g.Until = b.Valid
	}
	return g, nil
}

// hold implements holder.
func (w *vouchers) hold(g *Grant) error {
	var p Paper
	var b Batch
	known := false
	err := w.store.db.View(func(tx *bbolt.Tx) (err error) {
		p, b, known, err = voucherOf(tx, strings.TrimPrefix(g.User, voucherUser))
		return err
	})
	switch {
	case err != nil:
		return fmt.Errorf("voucher: %w", err)
	case !known:
		return ErrRevoked
	}
	g.Bytes = p.Left
	return p.usable(&b, w.clock())
}

// voucherOf reads a voucher and its batch, and reports whether there is one of a number.
func voucherOf(tx *bbolt.Tx, number string) (p Paper, b Batch, known bool, err error) {
	if known, err = get(tx, bucketVouchers, number, &p); err == nil && known {
		_, err = get(tx, bucketBatches, p.Batch, &b)
	}
	return p, b, known, err
}

// usable returns why a voucher is not. p and b are as the file has them.
func (p *Paper) usable(b *Batch, now time.Time) error {
	switch {
	case p.Revoked:
		return ErrRevoked
	case !p.Until.IsZero() && !p.Until.After(now), !b.Valid.IsZero() && !b.Valid.After(now):
		return ErrExpired
	case p.Left != nil && *p.Left <= 0:
		return ErrUsedUp
	}
	return nil
}

// keepLeft remembers what a voucher has left.
func (w *vouchers) keepLeft(user string, left int64) error {
	number, ok := strings.CutPrefix(user, voucherUser)
	if !ok {
		return fmt.Errorf("voucher of %s: %w", dict.Quote(user), dict.ErrNotExist)
	}
	return w.store.db.Update(func(tx *bbolt.Tx) error {
		var p Paper
		if known, err := get(tx, bucketVouchers, number, &p); err != nil || !known || p.Left == nil || *p.Left == left {
			return err
		}
		p.Left = &left
		return put(tx, bucketVouchers, number, p)
	})
}
