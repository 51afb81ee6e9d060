// SPDX-License-Identifier: MIT

package fakenic

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// State is what the card of a namespace has, and has done since the namespace was
// made.
type State struct {
	// Rules that were accepted, refused and taken away, and how many times
	// figures of one were asked for.
	Accepted, Refused, Destroyed, Asked uint64
	// Packets and Bytes (of the network layer) are forwarded. Left are packets
	// that the stack got though a rule matched: too large for the way out. Untold
	// are bytes of rules that were taken away before figures of these were asked for:
	// the kernel, and so conntrack, never hears of them.
	Packets, Bytes, Left, Untold uint64
	// Devices are those that flowtables have bound.
	Devices []string
	Rules   []Rule
}

// Rule is one direction of a connection.
type Rule struct {
	In, Out  string // devices
	Protocol string // tcp or udp
	From, To netip.AddrPort
	// Packets and Bytes are forwarded; of the bytes Told went into statistics.
	Packets, Bytes, Told uint64
}

// parse reads the module's text.
func parse(text string) (State, error) {
	var s State
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		var err error
		switch {
		case len(f) == 8 && f[0] == "accepted":
			err = numbers(f, &s.Accepted, &s.Refused, &s.Destroyed, &s.Asked)
		case len(f) == 8 && f[0] == "packets":
			err = numbers(f, &s.Packets, &s.Bytes, &s.Left, &s.Untold)
		case len(f) == 4 && f[0] == "device":
			s.Devices = append(s.Devices, f[1])
		case len(f) == 15 && f[0] == "rule":
			r := Rule{In: f[1], Protocol: f[2], Out: f[8]}
			if r.From, err = netip.ParseAddrPort(net.JoinHostPort(f[3], f[4])); err == nil {
				r.To, err = netip.ParseAddrPort(net.JoinHostPort(f[5], f[6]))
			}
			if err == nil {
				err = numbers(f[9:], &r.Packets, &r.Bytes, &r.Told)
			}
			s.Rules = append(s.Rules, r)
		default:
			err = fmt.Errorf("%d words", len(f))
		}
		if err != nil {
			return State{}, fmt.Errorf("fakenic: line %q: %w", line, err)
		}
	}
	return s, nil
}

// numbers reads every second word.
func numbers(words []string, to ...*uint64) (err error) {
	for i, n := range to {
		if *n, err = strconv.ParseUint(words[2*i+1], 10, 64); err != nil {
			return err
		}
	}
	return nil
}
