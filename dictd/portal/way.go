// SPDX-License-Identifier: MIT

package portal

import (
	"context"
	"net/netip"
	"time"
)

// Names of the ways that there are.
const (
	Click   = "click"
	Account = "account"
	Voucher = "voucher"
	RADIUS  = "radius"
	OIDC    = "oidc"
)

// Way lets somebody in. Its methods may be called by many goroutines.
type Way interface {
	Name() string
	// Check says what somebody is granted. The error is a Refusal (ErrWrong, ErrExpired,
	// ErrRevoked, ErrUsedUp, ErrRefused, ErrUnreachable), or a failure of the way
	// itself. It takes as long for a name that there is not as for a wrong secret.
	Check(context.Context, Attempt) (Grant, error)
}

// Journey is a Way that leads elsewhere, and back. Its Check refuses.
type Journey interface {
	Way
	// Begin returns where the browser is sent. Of what it remembers for Finish there is
	// a bound.
	Begin(context.Context, Attempt) (redirect string, err error)
	// Finish says what somebody is granted who has come back; another device than the
	// one that has begun is refused.
	Finish(ctx context.Context, a Attempt, state, code string) (Grant, error)
}

// Follower is a Way that wants to know what becomes of its sessions. The calls for a
// session come one after another, each after the one before has returned; they are
// not waited for by whoever logs in. After a restart of the daemon sessions go on
// without another Started.
type Follower interface {
	Way
	Started(context.Context, Session)
	// Moved is called every Session.Interim.
	Moved(context.Context, Session)
	Stopped(context.Context, Session, Cause)
}

// Attempt is what a Way has to judge.
type Attempt struct {
	Name   string
	Secret string
	Addr   netip.Addr
	MAC    [6]byte
	Device string // its name, "" if it has none
	// Session is what the session will be called, if it comes to one.
	Session string
}

// Grant is what somebody is let in with.
type Grant struct {
	User    string
	Groups  []string      // besides those that the user has
	For     time.Duration // 0: as the portal's configuration says
	Until   time.Time     // zero: For says all
	Idle    time.Duration // 0: as configured; below 0: none
	Bytes   *int64        // of the user, of all his devices; nil: no bound
	Interim time.Duration // between two calls of Follower.Moved; 0: none
	Devices int           // of the user at a time; 0: as configured; below 0: no bound
	Class   [][]byte      // opaque, for the Follower
	Extend  bool          // the session may be extended, if the configuration says so
}

// Cause is why a session ends.
type Cause string

// Causes.
const (
	CauseLeft     Cause = "left"      // the visitor logged out
	CauseTime     Cause = "time"      // Until
	CauseIdle     Cause = "idle"      // no traffic
	CauseVolume   Cause = "volume"    // used up
	CauseKicked   Cause = "kicked"    // by the operator
	CauseRevoked  Cause = "revoked"   // account or voucher was taken back
	CauseReplaced Cause = "replaced"  // another device, or another login of this one
	CauseServer   Cause = "server"    // whoever had let in said so
	CauseLost     Cause = "lost"      // the device's login is not there any more
	CauseTurnedUp Cause = "turned_up" // goes on at another MAC
)

// Session is one that is in.
type Session struct {
	ID      string        `json:"id"` // unique for ever, may be told to others
	Way     string        `json:"way"`
	User    string        `json:"user"`
	Groups  []string      `json:"groups,omitempty"`
	MAC     [6]byte       `json:"-"`
	Device  string        `json:"mac_address"` // MAC as text
	Addr    netip.Addr    `json:"address"`     // from which it began
	Since   time.Time     `json:"since"`
	Until   time.Time     `json:"until,omitzero"` // zero: no end
	Idle    time.Duration `json:"idle,omitempty"`
	Interim time.Duration `json:"interim,omitempty"`
	Bytes   *int64        `json:"bytes,omitempty"` // granted to the user
	Class   [][]byte      `json:"class,omitempty"`
	Moved   Figures       `json:"moved"`
	Seen    time.Time     `json:"seen,omitzero"` // last traffic
}

// Figures are what a session has moved: In from the device, Out to it.
type Figures struct {
	BytesIn    uint64 `json:"bytes_in"`
	BytesOut   uint64 `json:"bytes_out"`
	PacketsIn  uint64 `json:"packets_in"`
	PacketsOut uint64 `json:"packets_out"`
}
