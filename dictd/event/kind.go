// SPDX-License-Identifier: MIT

package event

import (
	"fmt"
	"strings"

	"nftdict/dict"
)

// Kind says what happened. Its text is what the API has.
type Kind uint8

// The kinds. In brackets what Event.Subject names.
const (
	// Of readers alone; a Log refuses to keep them.
	Gap   Kind = iota // events are not kept any more, Data is a Lost; []
	Reset             // the position was an earlier daemon's, Data is a Restart; []

	DaemonStart    // packets are being inspected; []
	ConfigReloaded // []
	ConfigRefused  // []

	UserNew     // [user]
	UserChanged // his groups are others; [user]
	UserGone    // [user]
	UserBound   // a device is his now; [user]
	UserUnbound // a device is his no more; [user]

	QuotaWarning  // [whose quota it is]
	QuotaExceeded // [whose quota it is]
	QuotaReset    // a period ended, or somebody had it begin anew; [whose quota it is]
	QuotaTopup    // [whose quota it is]

	PortalLogin  // a session of the portal begins, or has another end; [user]
	PortalLogout // [user]

	HostNew       // [address]
	HostChanged   // its device, name, user or profile is another; [address]
	HostGone      // [address]
	DeviceNew     // [MAC]
	DeviceChanged // its addresses, name, user or profile are others; [MAC]
	DeviceGone    // [MAC]

	SessionFinal // its application is settled; [conntrack id]
	SessionEnd   // [conntrack id]

	FlowOffload // a flowtable carries it, or the devices do now; [conntrack id]
	FlowRecall  // it was taken out of a flowtable; [conntrack id]

	kinds int = iota
)

var kindNames = [kinds]string{
	"gap", "reset",
	"daemon-start", "config-reloaded", "config-refused",
	"user-new", "user-changed", "user-gone", "user-bound", "user-unbound",
	"quota-warning", "quota-exceeded", "quota-reset", "quota-topup",
	"portal-login", "portal-logout",
	"host-new", "host-changed", "host-gone", "device-new", "device-changed", "device-gone",
	"session-final", "session-end",
	"flow-offload", "flow-recall",
}

// String returns the name of a kind: words with a hyphen between.
func (k Kind) String() string {
	if int(k) < kinds {
		return kindNames[k]
	}
	return fmt.Sprintf("kind-%d", uint8(k))
}

// MarshalText implements encoding.TextMarshaler.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Kinds returns all that a Log keeps, in the order of the constants.
func Kinds() []Kind {
	all := make([]Kind, 0, kinds)
	for k := DaemonStart; int(k) < kinds; k++ {
		all = append(all, k)
	}
	return all
}

// class is which ring a kind is kept in.
type class uint8

const (
	policy   class = iota // of the daemon, its users and their quotas
	presence              // of hosts and devices
	sessions
	classes int = iota
)

func (k Kind) class() class {
	switch {
	case k >= SessionFinal:
		return sessions
	case k >= HostNew:
		return presence
	}
	return policy
}

// Filter is a set of kinds; the zero Filter is all but those of sessions.
type Filter struct{ bits uint32 }

// Of returns the Filter of some kinds.
func Of(kinds ...Kind) Filter {
	var f Filter
	for _, k := range kinds {
		f.bits |= 1 << k
	}
	return f
}

// ParseFilter reads kinds, in one text with commas between or in several:
// "quota-exceeded", or "quota-*" for all that begin so, "*" for all. No text is the
// zero Filter. The error wraps dict.ErrInvalid.
func ParseFilter(texts ...string) (Filter, error) {
	var f Filter
	for _, text := range texts {
		for word := range strings.SplitSeq(text, ",") {
			bits, prefix := uint32(0), strings.HasSuffix(word, "*")
			for _, k := range Kinds() {
				if name := k.String(); name == word || prefix && strings.HasPrefix(name, word[:len(word)-1]) {
					bits |= 1 << k
				}
			}
			if bits == 0 {
				return Filter{}, fmt.Errorf("kind of events %s: %w: want one of %s", dict.Quote(word), dict.ErrInvalid, strings.Join(kindNames[DaemonStart:], ", "))
			}
			f.bits |= bits
		}
	}
	return f, nil
}

// has reports whether a kind is in the set.
func (f Filter) has(k Kind) bool {
	if f.bits == 0 {
		return k.class() != sessions
	}
	return f.bits&(1<<k) != 0
}

// wants reports whether a kind of the class is in the set.
func (f Filter) wants(c class) bool {
	for _, k := range Kinds() {
		if k.class() == c && f.has(k) {
			return true
		}
	}
	return false
}

// of returns the names of a class's kinds in the set.
func (f Filter) of(c class) (names []string) {
	for _, k := range Kinds() {
		if k.class() == c && f.has(k) {
			names = append(names, k.String())
		}
	}
	return names
}
