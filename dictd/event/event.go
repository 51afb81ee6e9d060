// SPDX-License-Identifier: MIT

package event

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"nftdict/dict"
)

// Event is something that happened.
type Event struct {
	Seq  uint64    // its number, from 1 on; given by the Log
	Time time.Time // given by the Log where it is zero
	Kind Kind
	// Subject is the name of what it is about; the constants of Kind tell what it
	// names.
	Subject string
	// Data is the rest, to be written as a JSON object; nil for none. Nobody changes
	// it, or what it refers to, after Publish.
	Data any
}

// Lost is the Data of a Gap: some events of these kinds may have happened with
// numbers above After and up to Through, and are not kept any more.
type Lost struct {
	After   uint64   `json:"after"`
	Through uint64   `json:"through"`
	Kinds   []string `json:"kinds"`
}

// Restart is the Data of a Reset: Boot is the daemon that runs now. All that it
// keeps follows.
type Restart struct {
	Boot string `json:"boot"`
}

// Position is a place in a Log: after the event of a number.
type Position struct {
	Boot  string // the daemon whose number it is; "" is the one that is asked
	After uint64 // 0 is before the first
}

// String returns "boot-number", or "number" without a Boot.
func (p Position) String() string {
	number := strconv.FormatUint(p.After, 10)
	if p.Boot == "" {
		return number
	}
	return p.Boot + "-" + number
}

// maxBoot bounds a Boot, in bytes.
const maxBoot = 32

// ParsePosition reads what String writes. The error wraps dict.ErrInvalid.
func ParsePosition(text string) (Position, error) {
	boot, number, both := strings.Cut(text, "-")
	if !both {
		boot, number = "", text
	}
	after, err := strconv.ParseUint(number, 10, 64)
	if err != nil || number[0] == '+' || both && boot == "" || len(boot) > maxBoot || strings.Trim(boot, "0123456789abcdef") != "" {
		return Position{}, fmt.Errorf("position %s: %w: want the id of an event, or a number", dict.Quote(text), dict.ErrInvalid)
	}
	return Position{boot, after}, nil
}
