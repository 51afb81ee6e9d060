// SPDX-License-Identifier: MIT

package portal

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"nftdict/dict"
	"nftdict/dictd/event"
	"nftdict/dictd/identity"
)

// Config of a Keeper.
type Config struct {
	Directory Directory
	State     string // directory of the file; "" keeps all until Close
	Settings  Settings
	Ways      []Way   // besides click, account and voucher, which are the Keeper's own
	Traffic   Traffic // nil: nothing is known of it, and no session ends for want of it
	Volume    Volume  // nil: nobody is let in who has a bound
	Clock     func() time.Time
	Events    *event.Log // may be nil
	Log       *slog.Logger
}

// Directory is what a Keeper needs of package identity.
type Directory interface {
	DeviceAt(netip.Addr) ([6]byte, error)
	Login(identity.Login) error
	Logout(by, session string) (int, error)
	LoginsBy(by string) []identity.Login
}

var _ Directory = (*identity.Directory)(nil)

// Traffic tells what devices have moved.
type Traffic interface {
	// Follow has a device counted from now on, until Forget.
	Follow(mac [6]byte)
	Forget(mac [6]byte)
	// Moved returns what a device has moved since it is counted.
	Moved(mac [6]byte) Figures
}

// Volume counts what users may still move.
type Volume interface {
	// Grant lets a user, who is in the group VolumeGroup, move so many bytes from now
	// on, whatever there was left.
	Grant(user string, bytes int64) error
	// Left returns what a user has left, at least 0; false if it is not counted.
	Left(user string) (int64, bool)
	// All returns what all users have left.
	All() map[string]int64
}

// VolumeGroup is the group of users who may move so many bytes and no more.
const VolumeGroup = "portal-volume"

// By is what the logins of the portal are told by, in package identity.
const By = "portal"

// Settings are what a portal may be told anew while it runs. They are for sessions
// that begin then.
type Settings struct {
	Ways    []string      // that there are, in the order of the page
	Session time.Duration // 0: no end
	Idle    time.Duration // 0: none
	Extend  bool          // who was let in by click or account may extend
	Devices int           // of a user at a time; 0: no bound
	Refuse  bool          // one device more is refused; else the one that came first has to go
}

// check refuses settings that cannot be.
func (k *Keeper) check(s *Settings) error {
	for i, name := range s.Ways {
		if k.ways[name] == nil {
			return fmt.Errorf("way %s: %w", dict.Quote(name), dict.ErrNotExist)
		}
		if slices.Contains(s.Ways[:i], name) {
			return fmt.Errorf("way %s: %w", dict.Quote(name), dict.ErrExist)
		}
	}
	if s.Session < 0 || s.Idle < 0 || s.Devices < 0 {
		return errors.New("settings of the portal: a time or a number is below 0")
	}
	return nil
}

// Set takes over other settings.
func (k *Keeper) Set(s Settings) error {
	if err := k.check(&s); err != nil {
		return err
	}
	k.settings.Store(&s)
	return nil
}
