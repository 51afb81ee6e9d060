// SPDX-License-Identifier: MIT

package session

import (
	"strings"

	"nftdict/dictd/conntrack"
)

// Label returns what the session of an entry is called in its row, and whether that says
// that no packet will change it; false if there is no such session, or an earlier daemon saw what it is.
func (t *Table) Label(f *conntrack.Flow) (application, category string, finished, known bool) {
	for _, s := range t.ids.all(f.ID) {
		if s.orig != f.Orig || !s.Lock() {
			continue
		}
		if !s.claimed || s.Class.Learned() {
			r := s.Class.Result()
			application, category, known = r.Application, r.Category, true
			if r.Inferred { // no packet has named it
				application, category = strings.ToUpper(r.Protocol), ""
			}
		}
		finished = s.Finished && s.sent&sentBypass != 0
		s.Unlock()
		return application, category, finished, known
	}
	return "", "", false, false
}
