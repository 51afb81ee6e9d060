// SPDX-License-Identifier: MIT

package radius

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc6911"

	"nftdict/dictd/internal/radmsg"
	"nftdict/dictd/portal"
)

// Config of a Way.
type Config struct {
	NetNS   int      // descriptor of the network namespace; 0 means the caller's
	Servers []Server // asked in this order
	NAS     string   // what the portal calls itself: NAS-Identifier
	// Groups are names of the attributes that name groups: "Class", "Filter-Id".
	Groups  []string
	Timeout time.Duration // for one answer
	Tries   int           // how often a server is asked
	// Interim is the time between two messages about a session where the server does
	// not say; 0: none.
	Interim time.Duration
	Log     *slog.Logger
}

// Server is one of RADIUS.
type Server struct {
	Auth   netip.AddrPort
	Acct   netip.AddrPort // zero: it is not told of sessions
	Secret []byte
}

// Way asks servers of RADIUS. It implements portal.Follower.
type Way struct {
	cfg    Config
	groups []radius.Type
	auth   *client
	acct   *client
}

var _ portal.Follower = (*Way)(nil)

// New returns a Way.
func New(cfg Config) *Way {
	w := &Way{cfg: cfg, auth: newClient(&cfg), acct: newClient(&cfg)}
	for _, name := range cfg.Groups {
		if t, ok := radmsg.Grouping(name); ok {
			w.groups = append(w.groups, t)
		}
	}
	for _, s := range cfg.Servers {
		w.auth.add(s.Auth, s.Secret)
		if s.Acct.IsValid() {
			w.acct.add(s.Acct, s.Secret)
		}
	}
	return w
}

// Name implements portal.Way.
func (w *Way) Name() string { return portal.RADIUS }

// maxPassword is the most bytes of one (RFC 2865, 5.2).
const maxPassword = 128

// Check implements portal.Way.
func (w *Way) Check(ctx context.Context, a portal.Attempt) (portal.Grant, error) {
	user, ok := radmsg.Name(a.Name)
	if !ok || a.Secret == "" || len(a.Secret) > maxPassword || strings.ContainsRune(a.Secret, 0) {
		return portal.Grant{}, portal.ErrWrong
	}
	answer, err := w.auth.ask(ctx, radius.CodeAccessRequest, func(p *radius.Packet) error {
		err := errors.Join(rfc2865.UserName_SetString(p, user), rfc2865.UserPassword_SetString(p, a.Secret),
			rfc2865.ServiceType_Set(p, rfc2865.ServiceType_Value_LoginUser))
		return errors.Join(err, w.about(p, a.Session, a.MAC, a.Addr))
	})
	if err != nil {
		return portal.Grant{}, err
	}
	switch answer.Code {
	case radius.CodeAccessAccept:
		g, err := w.grant(answer, user)
		if err != nil {
			w.cfg.Log.Error("a server of RADIUS grants what cannot be kept, nobody is let in by it", "user", user, "err", err)
			return portal.Grant{}, portal.ErrRefused
		}
		return g, nil
	case radius.CodeAccessReject:
		return portal.Grant{}, portal.ErrWrong
	}
	return portal.Grant{}, portal.ErrRefused // a challenge: there is nobody to answer it
}

// about says which session it is.
func (w *Way) about(p *radius.Packet, session string, mac [6]byte, addr netip.Addr) error {
	err := errors.Join(rfc2865.NASIdentifier_SetString(p, w.cfg.NAS), rfc2866.AcctSessionID_SetString(p, session),
		rfc2865.NASPortType_Set(p, rfc2865.NASPortType_Value_Ethernet))
	if mac != ([6]byte{}) {
		err = errors.Join(err, rfc2865.CallingStationID_SetString(p, station(mac)))
	}
	switch {
	case addr.Is4():
		err = errors.Join(err, rfc2865.FramedIPAddress_Set(p, addr.AsSlice()))
	case addr.Is6():
		err = errors.Join(err, rfc6911.FramedIPv6Address_Set(p, addr.AsSlice()))
	}
	return err
}

// station writes a MAC as servers want it (RFC 3580, 3.20).
func station(mac [6]byte) string {
	digits := strings.ToUpper(hex.EncodeToString(mac[:]))
	var b strings.Builder
	for i := 0; i < len(digits); i += 2 {
		if i > 0 {
			b.WriteByte('-')
		}
		b.WriteString(digits[i : i+2])
	}
	return b.String()
}

// Bounds of what a server grants.
const (
	maxClasses  = 8
	leastInterm = time.Minute // RFC 2869, 5.16
)

// grant reads an Access-Accept.
func (w *Way) grant(p *radius.Packet, user string) (portal.Grant, error) {
	g := portal.Grant{User: user, Groups: radmsg.Groups(p, w.groups), Interim: w.cfg.Interim, Extend: false}
	if name := rfc2865.UserName_GetString(p); name != "" {
		n, ok := radmsg.Name(name)
		if !ok {
			return g, fmt.Errorf("User-Name %q: cannot be a user's", name)
		}
		g.User = n
	}
	seconds := func(t radius.Type) (time.Duration, bool, error) {
		v, there := p.Lookup(t)
		if !there {
			return 0, false, nil
		}
		n, err := radius.Integer(v)
		return time.Duration(n) * time.Second, true, err
	}
	var err error
	var there bool
	if g.For, there, err = seconds(rfc2865.SessionTimeout_Type); err != nil || there && g.For == 0 {
		return g, fmt.Errorf("Session-Timeout: %w", orZero(err))
	}
	if g.Idle, _, err = seconds(rfc2865.IdleTimeout_Type); err != nil {
		return g, fmt.Errorf("Idle-Timeout: %w", err)
	}
	interim, there, err := seconds(rfc2869.AcctInterimInterval_Type)
	if err != nil {
		return g, fmt.Errorf("Acct-Interim-Interval: %w", err)
	}
	if there {
		g.Interim = max(interim, leastInterm)
	}
	if v, there := p.Lookup(rfc2865.PortLimit_Type); there {
		n, err := radius.Integer(v)
		if err != nil || n == 0 || n > 1<<20 {
			return g, fmt.Errorf("Port-Limit: %w", orZero(err))
		}
		g.Devices = int(n)
	}
	for _, avp := range p.Attributes {
		if avp.Type == rfc2865.Class_Type && len(g.Class) < maxClasses {
			g.Class = append(g.Class, append([]byte(nil), avp.Attribute...))
		}
	}
	g.Bytes, err = volume(p)
	return g, err
}

// errZero says that a number is 0 where that means nothing.
var errZero = errors.New("it is out of range")

func orZero(err error) error {
	if err == nil {
		return errZero
	}
	return err
}

// Started implements portal.Follower.
func (w *Way) Started(ctx context.Context, s portal.Session) {
	w.tell(ctx, &s, rfc2866.AcctStatusType_Value_Start, "")
}

// Moved implements portal.Follower.
func (w *Way) Moved(ctx context.Context, s portal.Session) {
	w.tell(ctx, &s, rfc2866.AcctStatusType_Value_InterimUpdate, "")
}

// Stopped implements portal.Follower.
func (w *Way) Stopped(ctx context.Context, s portal.Session, why portal.Cause) {
	w.tell(ctx, &s, rfc2866.AcctStatusType_Value_Stop, why)
}

// causes are Acct-Terminate-Cause's (RFC 2866, 5.10).
var causes = map[portal.Cause]rfc2866.AcctTerminateCause{
	portal.CauseLeft: rfc2866.AcctTerminateCause_Value_UserRequest, portal.CauseTime: rfc2866.AcctTerminateCause_Value_SessionTimeout,
	portal.CauseIdle: rfc2866.AcctTerminateCause_Value_IdleTimeout, portal.CauseKicked: rfc2866.AcctTerminateCause_Value_AdminReset,
	portal.CauseRevoked: rfc2866.AcctTerminateCause_Value_AdminReset, portal.CauseServer: rfc2866.AcctTerminateCause_Value_AdminReset,
	portal.CauseReplaced: rfc2866.AcctTerminateCause_Value_PortPreempted, portal.CauseLost: rfc2866.AcctTerminateCause_Value_LostCarrier,
}

// tell says how it stands with a session. Nobody waits for it: where no server hears
// it, it is in the log.
func (w *Way) tell(ctx context.Context, s *portal.Session, what rfc2866.AcctStatusType, why portal.Cause) {
	if w.acct.none() {
		return
	}
	began := time.Now()
	_, err := w.acct.ask(ctx, radius.CodeAccountingRequest, func(p *radius.Packet) error {
		err := errors.Join(rfc2866.AcctStatusType_Set(p, what), rfc2865.UserName_SetString(p, s.User), w.about(p, s.ID, s.MAC, s.Addr),
			rfc2866.AcctDelayTime_Set(p, rfc2866.AcctDelayTime(time.Since(began)/time.Second)), rfc2869.EventTimestamp_Set(p, began))
		for _, class := range s.Class {
			err = errors.Join(err, rfc2865.Class_Add(p, class))
		}
		if what == rfc2866.AcctStatusType_Value_Start {
			return err
		}
		err = errors.Join(err, figures(p, &s.Moved),
			rfc2866.AcctSessionTime_Set(p, rfc2866.AcctSessionTime(max(time.Since(s.Since), 0)/time.Second)))
		if what == rfc2866.AcctStatusType_Value_Stop {
			cause, ok := causes[why]
			if !ok {
				cause = rfc2866.AcctTerminateCause_Value_NASRequest
			}
			err = errors.Join(err, rfc2866.AcctTerminateCause_Set(p, cause))
		}
		return err
	})
	if err != nil {
		w.cfg.Log.Error("no server of RADIUS hears of a session", "session", s.ID, "user", s.User, "what", what.String(), "err", err)
	}
}
