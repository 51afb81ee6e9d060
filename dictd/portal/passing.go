// SPDX-License-Identifier: MIT

package portal

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// For how long what others keep of users of the portal's own names is of use when these
// have gone.
const (
	// KeepVolume is for what a Volume has counted: each session begins with what its way
	// grants, and its file knows what is left of a voucher.
	KeepVolume  = 24 * time.Hour
	keepVoucher = 24 * time.Hour      // that nobody can use any more
	keepGuest   = 30 * 24 * time.Hour // whose device may come back
)

// Passing says for how long what is known of a user is of use when he has gone: a guest,
// or who had a voucher that is over. Of others it is 0, without end.
func (k *Keeper) Passing(user string) time.Duration {
	if mac, ok := strings.CutPrefix(user, guestUser); ok {
		if b, err := hex.DecodeString(mac); err == nil && len(b) == 6 {
			return keepGuest
		}
		return 0
	}
	number, ok := strings.CutPrefix(user, voucherUser)
	if _, err := strconv.ParseUint(number, 10, 64); !ok || err != nil {
		return 0
	}
	var p Paper
	var b Batch
	known := false
	err := k.store.db.View(func(tx *bbolt.Tx) (err error) {
		p, b, known, err = voucherOf(tx, number)
		return err
	})
	if err != nil || known && p.usable(&b, k.cfg.Clock()) == nil {
		return 0
	}
	return keepVoucher
}
