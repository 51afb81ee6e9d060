// SPDX-License-Identifier: MIT

package portal

import (
	"context"
	"net/netip"
	"time"
)

// Desk is all that the pages may ask for. Every answer is about the device that has
// the address which asks. Errors wrap a *Refusal where the visitor is to be told
// something; whatever else is the portal's own failure.
type Desk interface {
	// Visitor tells how it stands with a device.
	Visitor(context.Context, From) (Visitor, error)
	// Enter lets a device in. ErrWrong, ErrExpired, ErrRevoked, ErrUsedUp,
	// ErrTooManyDevices, ErrUnreachable, ErrUnknownDevice, ErrTooFast, ErrRefused,
	// ErrNoWay.
	Enter(context.Context, From, Credentials) (Visitor, error)
	// Leave logs a device out. ErrNotIn.
	Leave(context.Context, From) error
	// Extend gives a session its whole time again. ErrNotIn, ErrCannotExtend.
	Extend(context.Context, From) (Visitor, error)
	// Begin returns where to send the browser on a way that leads elsewhere. ErrNoWay,
	// ErrUnreachable, ErrUnknownDevice, ErrTooFast.
	Begin(ctx context.Context, from From, way string) (redirect string, err error)
	// Finish lets a device in whose browser has come back from there. Errors as
	// Enter's.
	Finish(ctx context.Context, from From, way, state, code string) (Visitor, error)
}

// From says who asks.
type From struct {
	Addr     netip.Addr `json:"addr"`
	Cookie   string     `json:"cookie,omitempty"`   // as Visitor.Cookie was, "" if the browser has none
	Language string     `json:"language,omitempty"` // of the page
}

// Credentials are what somebody gives to be let in.
type Credentials struct {
	Way    string `json:"way"`
	Name   string `json:"name,omitempty"`
	Secret string `json:"secret,omitempty"` // a password, or a voucher's code
}

// Visitor is how it stands with a device.
type Visitor struct {
	In        bool      `json:"in"`
	User      string    `json:"user,omitempty"`
	Way       string    `json:"way,omitempty"`
	Since     time.Time `json:"since,omitzero"`
	Until     time.Time `json:"until,omitzero"` // zero: no end
	Idle      int       `json:"idle,omitempty"` // seconds without traffic that end the session, 0: none do
	BytesLeft *int64    `json:"bytes_left,omitempty"`
	CanExtend bool      `json:"can_extend,omitempty"`
	Device    string    `json:"device,omitempty"` // its MAC, "" if no neighbour is known
	Ways      []string  `json:"ways"`             // that there are
	// Cookie is what the browser is to have from now on, "" if it stays as it is. By it
	// a device is known again that has a new MAC: it is as good as the session.
	Cookie string `json:"cookie,omitempty"`
}
