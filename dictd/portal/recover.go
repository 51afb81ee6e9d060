// SPDX-License-Identifier: MIT

package portal

import (
	"slices"
	"time"

	"nftdict/dict"
)

// fromLogins makes sessions of what package identity knows, where the file is lost: as
// they were, but for what they have moved. Of one without a note nothing is known but
// that somebody was let in.
func (k *Keeper) fromLogins() (all []*session) {
	for _, l := range k.cfg.Directory.LoginsBy(By) {
		var left int64 // of what nobody has counted there is nothing
		if k.cfg.Volume != nil {
			left, _ = k.cfg.Volume.Left(l.User)
		}
		s := noted(&l)
		if s == nil {
			groups := slices.DeleteFunc(slices.Clone(l.Groups), func(g string) bool { return g == VolumeGroup })
			s = &session{Session: Session{
				ID: l.Session, Way: Click, User: l.User, MAC: l.MAC, Device: dict.EtherValue(l.MAC).String(), Since: l.Since, Groups: groups,
			}}
			if len(groups) < len(l.Groups) {
				s.Bytes = &left
			}
		}
		if s.Until = l.Until; l.Until.Sub(l.Since) >= far {
			s.Until = time.Time{}
		}
		if s.Bytes != nil {
			s.Left = &left
		}
		all = append(all, s)
	}
	return all
}
