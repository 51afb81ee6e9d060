// SPDX-License-Identifier: MIT

package front

import "golang.org/x/sys/unix"

// Values of nf_tables' uapi that x/sys/unix lacks.
const (
	metaIifkind  = 26
	metaOifkind  = 27
	metaSdifname = 34
	metaSecpath  = 25
	rtXFRM       = 4
)

// etherOffset returns where the n-th of the addresses that are carriers lies in a
// frame.
func etherOffset(n int) uint32 { return [...]uint32{6, 0}[n] }

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
	case Bool:
		if c.raw {
			break
		}
		// As above.
		data := appendAttr32(nil, unix.NFTA_META_DREG, register)
		data = appendAttr32(data, unix.NFTA_META_KEY, [...]uint32{metaSecpath, rtXFRM}[c.n])
		return appendElement(b, [...]string{"meta", "rt"}[c.n], data)
	case Ether:
		if c.raw {
			break
		}
		data := appendAttr32(nil, unix.NFTA_PAYLOAD_DREG, register)
		data = appendAttr32(data, unix.NFTA_PAYLOAD_BASE, unix.NFT_PAYLOAD_LL_HEADER)
		data = appendAttr32(data, unix.NFTA_PAYLOAD_OFFSET, etherOffset(c.n))
		return appendElement(b, "payload", appendAttr32(data, unix.NFTA_PAYLOAD_LEN, uint32(c.class.Width())))
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
	case "numgen", "ct", "meta", "payload", "rt":
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
	// All have their destination in the same attribute.
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
	case "rt":
		return carrier{class: Bool, n: 1}, register, number(unix.NFTA_META_KEY) == rtXFRM
	case "payload":
		if number(unix.NFTA_PAYLOAD_BASE) == unix.NFT_PAYLOAD_LL_HEADER {
			for n := range 2 {
				if c = (carrier{class: Ether, n: n}); number(unix.NFTA_PAYLOAD_OFFSET) == etherOffset(n) {
					return c, register, number(unix.NFTA_PAYLOAD_LEN) == uint32(Ether.Width())
				}
			}
			return c, 0, false
		}
		at := number(unix.NFTA_PAYLOAD_OFFSET) - carrierOffset/8
		for _, class := range []Class{Integer, Integer16, Integer64, Bool, Ether} {
			if number(unix.NFTA_PAYLOAD_LEN) == uint32(class.Width()) && at < uint32(carriers(class)) {
				return carrier{class: class, n: int(at), raw: class == Integer || class == Bool || class == Ether}, register, number(unix.NFTA_PAYLOAD_BASE) == unix.NFT_PAYLOAD_TRANSPORT_HEADER
			}
		}
		return c, 0, false
	case "meta":
		key := number(unix.NFTA_META_KEY)
		switch key {
		case metaSecpath:
			return carrier{class: Bool}, register, true
		case unix.NFT_META_MARK:
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
