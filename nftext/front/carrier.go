// SPDX-License-Identifier: MIT

package front

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// carrier is an expression of nft's own that stands for a Value term while nft
// works with it: one of the value's type and width, and that rules hardly use.
// Several of a class tell the values of a statement apart.
type carrier struct {
	class Class
	n     int  // below carriers(class)
	raw   bool // an Integer as it lies in a packet, of which nft checks no more than the width
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
	for n := range carriers(s.Class) {
		list = append(list, carrier{class: s.Class, n: n, raw: s.Class == Integer && s.Place == Argument})
	}
	return list
}

// carriers returns how many carriers a class has, 0 if there is no such class.
func carriers(c Class) int {
	switch c {
	case Integer, Integer16, Integer64:
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

// Values of nf_tables' uapi that x/sys/unix lacks.
const (
	metaIifkind  = 26
	metaOifkind  = 27
	metaSdifname = 34
)

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
	case Name:
		return "meta " + [...]string{"obrname", "ibrname", "oifkind", "iifkind", "sdifname"}[c.n]
	}
	return fmt.Sprintf("@th,%d,%d", carrierOffset+8*c.n, 8*c.class.Width())
}

// metaKey returns the key of a Name.
func (c carrier) metaKey() uint32 {
	return [...]uint32{unix.NFT_META_BRI_OIFNAME, unix.NFT_META_BRI_IIFNAME, metaOifkind, metaIifkind, metaSdifname}[c.n]
}

// ctKey returns the key and direction of an address or port.
func (c carrier) ctKey() (key uint32, direction byte) {
	keys := map[Class][2]uint32{
		Integer16: {unix.NFT_CT_PROTO_DST, unix.NFT_CT_PROTO_SRC},
		IPv4:      {unix.NFT_CT_DST_IP, unix.NFT_CT_SRC_IP},
		IPv6:      {unix.NFT_CT_DST_IP6, unix.NFT_CT_SRC_IP6},
	}[c.class]
	if c.n&2 == 0 {
		direction = 1 // reply
	}
	return keys[c.n&1], direction
}

// appendCarrier appends the expression that loads a carrier into a register.
func appendCarrier(b []byte, c carrier, register, base uint32) []byte {
	switch c.class {
	case Integer:
		if c.mark {
			// Both have the register and the key in the same attributes.
			data := appendAttr32(nil, unix.NFTA_META_DREG, register)
			data = appendAttr32(data, unix.NFTA_META_KEY, [...]uint32{unix.NFT_CT_MARK, unix.NFT_META_MARK}[c.n])
			return appendElement(b, [...]string{"ct", "meta"}[c.n], data)
		}
		if c.raw {
			break
		}
		offset := base + uint32(c.n)
		data := appendAttr32(nil, unix.NFTA_NG_DREG, register)
		data = appendAttr32(data, unix.NFTA_NG_MODULUS, -offset)
		data = appendAttr32(data, unix.NFTA_NG_TYPE, unix.NFT_NG_INCREMENTAL)
		return appendElement(b, "numgen", appendAttr32(data, unix.NFTA_NG_OFFSET, offset))
	case Integer16, IPv4, IPv6:
		if c.class == Integer16 && !c.port {
			break
		}
		key, direction := c.ctKey()
		data := appendAttr32(nil, unix.NFTA_CT_DREG, register)
		data = appendAttr32(data, unix.NFTA_CT_KEY, key)
		return appendElement(b, "ct", appendAttr(data, unix.NFTA_CT_DIRECTION, []byte{direction}))
	case Name:
		data := appendAttr32(nil, unix.NFTA_META_DREG, register)
		return appendElement(b, "meta", appendAttr32(data, unix.NFTA_META_KEY, c.metaKey()))
	}
	data := appendAttr32(nil, unix.NFTA_PAYLOAD_DREG, register)
	data = appendAttr32(data, unix.NFTA_PAYLOAD_BASE, unix.NFT_PAYLOAD_TRANSPORT_HEADER)
	data = appendAttr32(data, unix.NFTA_PAYLOAD_OFFSET, uint32(carrierOffset/8+c.n))
	return appendElement(b, "payload", appendAttr32(data, unix.NFTA_PAYLOAD_LEN, uint32(c.class.Width())))
}

// carrierOf returns the carrier that an expression loads, and the register.
func carrierOf(e Element, base uint32) (c carrier, register uint32, ok bool) {
	var buf [8]attr
	switch e.Name {
	case "numgen", "ct", "meta", "payload":
	default:
		return c, 0, false
	}
	attrs, err := readAttrs(e.Data, buf[:0])
	if err != nil {
		return c, 0, false
	}
	number := func(typ uint16) uint32 {
		v, _ := uint32Of(pick(attrs, typ))
		return v
	}
	// The four have their destination in the same attribute.
	register, ok = uint32Of(pick(attrs, unix.NFTA_META_DREG))
	if !ok {
		return c, 0, false
	}
	switch e.Name {
	case "numgen":
		offset := number(unix.NFTA_NG_OFFSET)
		c = carrier{class: Integer, n: int(offset - base)}
		ok = offset-base < uint32(carriers(Integer)) && number(unix.NFTA_NG_MODULUS) == -offset &&
			number(unix.NFTA_NG_TYPE) == unix.NFT_NG_INCREMENTAL
		return c, register, ok
	case "payload":
		at := number(unix.NFTA_PAYLOAD_OFFSET) - carrierOffset/8
		for _, class := range []Class{Integer, Integer16, Integer64} {
			if number(unix.NFTA_PAYLOAD_LEN) == uint32(class.Width()) && at < uint32(carriers(class)) {
				return carrier{class: class, n: int(at), raw: class == Integer}, register, number(unix.NFTA_PAYLOAD_BASE) == unix.NFT_PAYLOAD_TRANSPORT_HEADER
			}
		}
		return c, 0, false
	case "meta":
		key := number(unix.NFTA_META_KEY)
		if key == unix.NFT_META_MARK {
			return carrier{class: Integer, n: 1, mark: true}, register, true
		}
		for n := range carriers(Name) {
			if c = (carrier{class: Name, n: n}); c.metaKey() == key {
				return c, register, true
			}
		}
		return c, 0, false
	}
	key, direction := number(unix.NFTA_CT_KEY), pick(attrs, unix.NFTA_CT_DIRECTION)
	if key == unix.NFT_CT_MARK && direction == nil {
		return carrier{class: Integer, mark: true}, register, true
	}
	for n := range carriers(IPv4) {
		for _, class := range []Class{Integer16, IPv4, IPv6} {
			c = carrier{class: class, n: n, port: class == Integer16}
			if k, d := c.ctKey(); k == key && len(direction) == 1 && direction[0] == d {
				return c, register, true
			}
		}
	}
	return c, 0, false
}

// Width returns how many bytes a Class takes in registers.
func (c Class) Width() int {
	switch c {
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
		if c := (carrier{class: class, n: n}); !s.used[c] {
			s.used[c] = true
			return c, true
		}
	}
	return carrier{}, false
}
