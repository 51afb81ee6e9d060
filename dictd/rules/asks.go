// SPDX-License-Identifier: MIT

package rules

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// loaded is what a register holds of the clock.
type loaded struct {
	clock      clock
	swapped    bool // its bytes are in the order of the network
	understood bool // a comparison was, that it is for
}

// asking reads what a rule asks the clock, expression by expression.
type asking struct {
	moments   *Moments
	registers map[uint32]*loaded                        // by 4 bytes of the registers
	elements  func(set string) ([]element, bool, error) // of a set of the rule's table, and whether they are intervals
}

// element is a value of a set.
type element struct {
	key, to []byte // to is nil but where one has two ends
	ends    int64  // in ms from now, 0 for never
}

// word returns the number of a register's first 4 bytes: those of 16 bytes are 1 to 4,
// those of 4 bytes are counted from 8 on.
func word(reg uint32) uint32 {
	if reg < 8 {
		return 4 * (reg - 1)
	}
	return reg - 8
}

// results are the attributes that name the register into which expressions load.
var results = map[string]uint16{
	"payload": unix.NFTA_PAYLOAD_DREG, "ct": unix.NFTA_CT_DREG, "immediate": unix.NFTA_IMMEDIATE_DREG, "exthdr": unix.NFTA_EXTHDR_DREG,
	"fib": unix.NFTA_FIB_DREG, "rt": unix.NFTA_RT_DREG, "numgen": unix.NFTA_NG_DREG, "hash": unix.NFTA_HASH_DREG, "bitwise": unix.NFTA_BITWISE_DREG,
	"lookup": unix.NFTA_LOOKUP_DREG, "osf": 1, "xfrm": 1, "socket": 2, "tunnel": 2, "dict": 3, // and others that other modules bring
}

// expression reads one.
func (a *asking) expression(name string, data []byte) error {
	attrs := attributes(data)
	number := func(typ uint16) uint32 {
		if b := attrs[typ]; len(b) == 4 {
			return binary.BigEndian.Uint32(b)
		}
		return 0
	}
	switch name {
	case "meta":
		reg, ok := attrs[unix.NFTA_META_DREG]
		if !ok || len(reg) != 4 {
			return nil
		}
		a.load(number(unix.NFTA_META_DREG), clock(number(unix.NFTA_META_KEY)))
		return nil
	case "byteorder":
		if l := a.at(number(unix.NFTA_BYTEORDER_SREG)); l != nil && number(unix.NFTA_BYTEORDER_SREG) == number(unix.NFTA_BYTEORDER_DREG) {
			l.swapped = !l.swapped
		}
		return nil
	case "cmp":
		if l := a.at(number(unix.NFTA_CMP_SREG)); l != nil {
			value := attributes(attrs[unix.NFTA_CMP_DATA])[unix.NFTA_DATA_VALUE]
			switch number(unix.NFTA_CMP_OP) {
			case unix.NFT_CMP_LT, unix.NFT_CMP_GTE:
				a.value(l, value, false)
			case unix.NFT_CMP_LTE, unix.NFT_CMP_GT:
				a.value(l, value, true)
			default:
				a.value(l, value, false)
				a.value(l, value, true)
			}
		}
		return nil
	case "range":
		if l := a.at(number(unix.NFTA_RANGE_SREG)); l != nil {
			a.value(l, attributes(attrs[unix.NFTA_RANGE_FROM_DATA])[unix.NFTA_DATA_VALUE], false)
			a.value(l, attributes(attrs[unix.NFTA_RANGE_TO_DATA])[unix.NFTA_DATA_VALUE], true)
		}
		return nil
	case "match":
		if text(attrs[1]) == "time" { // iptables' way to ask
			a.moments.minutes = true
		}
	case "lookup":
		if l := a.at(number(unix.NFTA_LOOKUP_SREG)); l != nil {
			if err := a.set(l, text(attrs[unix.NFTA_LOOKUP_SET])); err != nil {
				return err
			}
		}
	}
	if typ, ok := results[name]; ok && attrs[typ] != nil {
		a.load(number(typ), 0)
	}
	return nil
}

// load notes that a register holds something else.
func (a *asking) load(reg uint32, c clock) {
	if l := a.registers[word(reg)]; l != nil && !l.understood {
		a.moments.minutes = true
	}
	delete(a.registers, word(reg))
	if c >= clockTime && c <= clockHour {
		a.registers[word(reg)] = &loaded{clock: c}
	}
}

// at returns what of the clock a register holds, nil for nothing.
func (a *asking) at(reg uint32) *loaded { return a.registers[word(reg)] }

func (a *asking) value(l *loaded, value []byte, behind bool) {
	l.understood = true
	a.moments.begins(l.clock, value, l.swapped, behind)
}

// set reads what a register is looked up in.
func (a *asking) set(l *loaded, name string) error {
	all, intervals, err := a.elements(name)
	if err != nil {
		return err
	}
	l.understood = true
	for _, e := range all {
		a.value(l, e.key, false)
		switch {
		case e.to != nil:
			a.value(l, e.to, true)
		case !intervals:
			a.value(l, e.key, true)
		}
	}
	return nil
}

// done is called after the last expression: what of the clock nobody has compared was for
// something that is not understood.
func (a *asking) done() {
	for _, l := range a.registers {
		if !l.understood {
			a.moments.minutes = true
		}
	}
}
