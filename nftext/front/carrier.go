// SPDX-License-Identifier: MIT

package front

import "fmt"

// carrier is an expression of nft's own that stands for a Value term while nft
// works with it: one of the value's type and width, and that rules hardly use.
// Several of a class tell the values of a statement apart.
type carrier struct {
	class Class
	n     int  // below carriers(class)
	raw   bool // as it lies in a packet: nft checks no more than the width, and lists elements as the set says
	mark  bool // an Integer of a type of its own: see Span.candidates
	port  bool // an Integer16 of the type of ports, which nft 1.1 wants for one
}

// candidates returns the carriers that may stand for a value. joined tells that it
// is a part of a concatenation that a statement looks up in a map: of such a map's
// elements nft 1.0 prints numbers only if they are of a type that has a width, as
// marks have.
func (s Span) candidates(joined bool) (list []carrier) {
	if joined && s.Class == Integer {
		return []carrier{{class: Integer, n: 0, mark: true}, {class: Integer, n: 1, mark: true}}
	}
	if joined && (s.Class == Integer16 || s.Class == Integer64) {
		return nil
	}
	switch s.Class {
	case Bool, Ether: // the types count
		return []carrier{{class: s.Class, n: 0}, {class: s.Class, n: 1}}
	}
	for n := range carriers(s.Class) {
		list = append(list, carrier{class: s.Class, n: n, raw: s.Class == Integer && s.Place == Argument})
	}
	return list
}

// carriers returns how many carriers a class has, 0 if there is no such class.
func carriers(c Class) int {
	switch c {
	case Integer, Integer16, Integer64, Bool, Ether:
		return 16
	case IPv4, IPv6:
		return 4
	case Name:
		return 5
	}
	return 0
}

// Raw payload far behind the transport header, each 8 bits after the one before.
// The kernel refuses such offsets before 6.14.
const carrierOffset = 62464

// text returns the carrier as nft reads and prints it. base is the table's for
// numbers.
func (c carrier) text(base uint32) string {
	switch c.class {
	case Integer:
		if c.mark {
			return [...]string{"ct mark", "meta mark"}[c.n]
		}
		if c.raw {
			break
		}
		offset := base + uint32(c.n)
		return fmt.Sprintf("numgen inc mod %d offset %d", -offset, offset) // up to 2^32-1
	case Integer16, IPv4, IPv6:
		if c.class == Integer16 && !c.port {
			break
		}
		direction, end := "reply", "d"
		if c.n&1 != 0 {
			end = "s"
		}
		if c.n&2 != 0 {
			direction = "original"
		}
		switch c.class {
		case IPv4:
			return "ct " + direction + " ip " + end + "addr"
		case IPv6:
			return "ct " + direction + " ip6 " + end + "addr"
		}
		return "ct " + direction + " proto-" + map[string]string{"s": "src", "d": "dst"}[end]
	case Bool:
		if !c.raw {
			return [...]string{"meta ipsec", "rt ipsec"}[c.n]
		}
	case Ether:
		if !c.raw {
			return [...]string{"ether saddr", "ether daddr"}[c.n]
		}
	case Name:
		return "meta " + [...]string{"obrname", "ibrname", "oifkind", "iifkind", "sdifname"}[c.n]
	}
	return fmt.Sprintf("@th,%d,%d", carrierOffset+8*c.n, 8*c.class.Width())
}

// Width returns how many bytes a Class takes in registers.
func (c Class) Width() int {
	switch c {
	case Bool:
		return 1
	case Ether:
		return 6
	case Integer16:
		return 2
	case Integer64:
		return 8
	case IPv6, Name:
		return 16
	}
	return 4
}

// spares hands out carriers for the values of a rule in a dump.
type spares struct {
	base uint32
	used map[carrier]bool // nil before the first is taken
}

// take returns a carrier that neither a value before nor one of the expressions
// elems of the rule uses.
func (s *spares) take(class Class, elems []Element) (carrier, bool) {
	if s.used == nil {
		s.used = map[carrier]bool{}
		for _, e := range elems {
			if c, _, ok := carrierOf(e, s.base); ok {
				s.used[c] = true
			}
		}
	}
	for n := range carriers(class) {
		if c := (carrier{class: class, n: n, raw: class == Bool || class == Ether}); !s.used[c] {
			s.used[c] = true
			return c, true
		}
	}
	return carrier{}, false
}
