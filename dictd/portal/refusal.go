// SPDX-License-Identifier: MIT

package portal

import (
	"fmt"
	"time"
)

// Refusal is an answer for the visitor. Refusals with the same code are the same to
// errors.Is.
type Refusal struct {
	Code  Code          `json:"code"`
	After time.Duration `json:"after,omitempty"` // of ErrTooFast: when to try again, in nanoseconds
}

// Code names a Refusal wherever it travels.
type Code string

// Codes.
const (
	CodeWrong          Code = "wrong"            // no such name, or another secret
	CodeExpired        Code = "expired"          // its time is over
	CodeRevoked        Code = "revoked"          // somebody has taken it back
	CodeUsedUp         Code = "used_up"          // its volume is
	CodeTooManyDevices Code = "too_many_devices" // are in by it
	CodeUnreachable    Code = "unreachable"      // whoever is asked does not answer
	CodeUnknownDevice  Code = "unknown_device"   // no neighbour has the address
	CodeTooFast        Code = "too_fast"         // too many attempts
	CodeNotIn          Code = "not_in"
	CodeCannotExtend   Code = "cannot_extend"
	CodeRefused        Code = "refused" // by whoever was asked, or by the rules of the house
	CodeNoWay          Code = "no_way"  // there is no such way in
)

// Refusals by which errors are told apart.
var (
	ErrWrong          = &Refusal{Code: CodeWrong}
	ErrExpired        = &Refusal{Code: CodeExpired}
	ErrRevoked        = &Refusal{Code: CodeRevoked}
	ErrUsedUp         = &Refusal{Code: CodeUsedUp}
	ErrTooManyDevices = &Refusal{Code: CodeTooManyDevices}
	ErrUnreachable    = &Refusal{Code: CodeUnreachable}
	ErrUnknownDevice  = &Refusal{Code: CodeUnknownDevice}
	ErrTooFast        = &Refusal{Code: CodeTooFast}
	ErrNotIn          = &Refusal{Code: CodeNotIn}
	ErrCannotExtend   = &Refusal{Code: CodeCannotExtend}
	ErrRefused        = &Refusal{Code: CodeRefused}
	ErrNoWay          = &Refusal{Code: CodeNoWay}
)

// Error implements error.
func (r *Refusal) Error() string {
	if r.After > 0 {
		return fmt.Sprintf("portal: %s: try again in %s", r.Code, r.After.Round(time.Second))
	}
	return "portal: " + string(r.Code)
}

// Is reports whether an error is a Refusal with the same code.
func (r *Refusal) Is(target error) bool {
	other, ok := target.(*Refusal)
	return ok && other.Code == r.Code
}
