// SPDX-License-Identifier: MIT

package portal

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"nftdict/dict"
	"nftdict/dictd/identity"
)

// session is a Session with what nobody else need know.
type session struct {
	Session
	Cookie   string        `json:"cookie"`            // its hash
	Whole    time.Duration `json:"whole"`             // what Extend gives
	Last     time.Time     `json:"last,omitzero"`     // Extend goes no further
	CanGoOn  bool          `json:"can_go_on"`         // it may be extended
	Left     *int64        `json:"left,omitempty"`    // of Bytes, when the file was written
	Cause    Cause         `json:"cause,omitempty"`   // of one that has ended
	Reported time.Time     `json:"reported,omitzero"` // Follower.Moved was called

	mark  Figures // of the device, when it was looked at last
	dirty bool    // the file has other figures
}

// maxSessions bounds those that are in at a time.
const maxSessions = 32768

// far is when a login ends that has no end.
const far = 100 * 365 * 24 * time.Hour

// over reports whether the time of a session is.
func (s *session) over(now time.Time) bool { return !s.Until.IsZero() && !s.Until.After(now) }

// login is what package identity is told of a session.
func (s *session) login(letIn bool) identity.Login {
	l := identity.Login{By: By, Session: s.ID, User: s.User, Groups: s.Groups, MAC: s.MAC, Since: s.Since, Until: s.Until, LetIn: letIn, Note: s.note()}
	if s.Until.IsZero() {
		l.Until = s.Since.Add(far)
	}
	if s.Bytes != nil {
		l.Groups = append(slices.Clip(l.Groups), VolumeGroup)
	}
	return l
}

// note is what is kept of a session with its login, for when the portal's file is lost:
// what it was granted, and by whom. There is none of one that has no room.
func (s *session) note() []byte {
	granted := *s
	granted.Moved, granted.Seen, granted.Left, granted.Cause, granted.Reported = Figures{}, time.Time{}, nil, "", time.Time{}
	text, err := json.Marshal(&granted)
	if err != nil || len(text) > identity.MaxNote {
		return nil
	}
	return text
}

// noted returns the session that the note of a login is about, nil if it is about none.
func noted(l *identity.Login) *session {
	s := &session{}
	if json.Unmarshal(l.Note, s) != nil || s.sound() != nil || s.ID != l.Session || s.User != l.User || s.MAC != l.MAC {
		return nil
	}
	return s
}

// sound completes a session that was read from the file, and refuses what cannot be.
func (s *session) sound() error {
	mac, err := net.ParseMAC(s.Device)
	if err != nil || len(mac) != 6 {
		return fmt.Errorf("session %s: device %s: not sound", dict.Quote(s.ID), dict.Quote(s.Device))
	}
	s.MAC = [6]byte(mac)
	if s.ID == "" || s.Way == "" || s.Since.IsZero() {
		return fmt.Errorf("session %s: %w", dict.Quote(s.ID), errors.New("not sound"))
	}
	return identity.CheckUser(s.User)
}

// setUntil gives a session a time, which ends no later than the grant does.
func (s *session) setUntil(now time.Time) {
	s.Until = time.Time{}
	if s.Whole > 0 {
		s.Until = now.Add(s.Whole)
	}
	if !s.Last.IsZero() && (s.Until.IsZero() || s.Until.After(s.Last)) {
		s.Until = s.Last
	}
}

// hashOf returns what is kept of a cookie.
func hashOf(cookie string) string {
	sum := sha256.Sum256([]byte(cookie))
	return hex.EncodeToString(sum[:])
}

// index holds the sessions that are in, found any way. Under Keeper.mu.
type index struct {
	byID     map[string]*session
	byMAC    map[[6]byte]*session
	byUser   map[string][]*session // the oldest first
	byCookie map[string]*session
}

func newIndex() index {
	return index{make(map[string]*session), make(map[[6]byte]*session), make(map[string][]*session), make(map[string]*session)}
}

func (x *index) add(s *session) {
	x.byID[s.ID], x.byMAC[s.MAC] = s, s
	x.byUser[s.User] = append(x.byUser[s.User], s)
	if s.Cookie != "" {
		x.byCookie[s.Cookie] = s
	}
}

func (x *index) remove(s *session) {
	delete(x.byID, s.ID)
	if x.byMAC[s.MAC] == s {
		delete(x.byMAC, s.MAC)
	}
	if x.byCookie[s.Cookie] == s {
		delete(x.byCookie, s.Cookie)
	}
	if x.byUser[s.User] = slices.DeleteFunc(x.byUser[s.User], func(o *session) bool { return o == s }); len(x.byUser[s.User]) == 0 {
		delete(x.byUser, s.User)
	}
}

// all returns the sessions in the order in which they began.
func (x *index) all() []*session {
	all := make([]*session, 0, len(x.byID))
	for _, s := range x.byID {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *session) int {
		if c := a.Since.Compare(b.Since); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all
}
