// SPDX-License-Identifier: MIT

package front

import (
	"golang.org/x/sys/unix"
)

// readElements returns the expressions in an NFTA_RULE_EXPRESSIONS payload.
func readElements(b []byte) ([]Element, error) {
	list, err := readAttrs(b, make([]attr, 0, 8))
	if err != nil {
		return nil, err
	}
	out := make([]Element, 0, len(list))
	var buf [4]attr
	for _, a := range list {
		if a.typ != unix.NFTA_LIST_ELEM {
			return nil, errAttr
		}
		parts, err := readAttrs(a.data, buf[:0])
		if err != nil {
			return nil, err
		}
		out = append(out, Element{
			Name: cstring(pick(parts, unix.NFTA_EXPR_NAME)),
			Data: pick(parts, unix.NFTA_EXPR_DATA),
			Raw:  a.raw,
		})
	}
	return out, nil
}

// appendElement appends an expression of that name and data to a list.
func appendElement(b []byte, name string, data []byte) []byte {
	body := appendAttr(nil, unix.NFTA_EXPR_NAME, append([]byte(name), 0))
	body = appendAttr(body, unix.NFTA_EXPR_DATA|unix.NLA_F_NESTED, data)
	return appendAttr(b, unix.NFTA_LIST_ELEM|unix.NLA_F_NESTED, body)
}

// appendPlaceholder appends the expressions that nft makes of a placeholder. That
// of a value stands amid the expressions of its statement, so it stays clear of
// the registers they use.
func appendPlaceholder(b []byte, e *term) []byte {
	register := uint32(unix.NFT_REG_1)
	if e.kind == Value {
		register = unix.NFT_REG32_15
	}
	if e.kind == Statement {
		data := appendAttr32(nil, unix.NFTA_OBJREF_IMM_TYPE, unix.NFT_OBJECT_QUOTA)
		data = appendAttr(data, unix.NFTA_OBJREF_IMM_NAME, append([]byte(e.token), 0))
		return appendElement(b, "objref", data)
	}
	load := appendAttr32(nil, unix.NFTA_META_DREG, register)
	load = appendAttr32(load, unix.NFTA_META_KEY, unix.NFT_META_BRI_IIFNAME)
	var name [unix.IFNAMSIZ]byte
	copy(name[:], e.token)
	cmp := appendAttr32(nil, unix.NFTA_CMP_SREG, register)
	cmp = appendAttr32(cmp, unix.NFTA_CMP_OP, unix.NFT_CMP_EQ)
	cmp = appendAttr(cmp, unix.NFTA_CMP_DATA|unix.NLA_F_NESTED, appendAttr(nil, unix.NFTA_DATA_VALUE, name[:]))
	return appendElement(appendElement(b, "meta", load), "cmp", cmp)
}

// appendRefused appends an expression that every kernel rejects with EINVAL: an
// immediate without register and value.
func appendRefused(b []byte) []byte { return appendElement(b, "immediate", nil) }

// placeholderAt returns the term whose placeholder begins elems and the number of
// elements it takes, or nil.
func (t *terms) placeholderAt(elems []Element) (e *term, n int) {
	var buf [4]attr
	switch elems[0].Name {
	case "objref":
		a, err := readAttrs(elems[0].Data, buf[:0])
		if err != nil {
			return nil, 0
		}
		e = t.exactly(pick(a, unix.NFTA_OBJREF_IMM_NAME))
		if typ, _ := uint32Of(pick(a, unix.NFTA_OBJREF_IMM_TYPE)); e == nil || e.kind != Statement && !t.opaque || typ != unix.NFT_OBJECT_QUOTA {
			return nil, 0
		}
		return e, 1
	case "meta":
		if len(elems) < 2 || elems[1].Name != "cmp" {
			return nil, 0
		}
		load, err := readAttrs(elems[0].Data, buf[:0])
		if err != nil {
			return nil, 0
		}
		key, _ := uint32Of(pick(load, unix.NFTA_META_KEY))
		dreg, ok := uint32Of(pick(load, unix.NFTA_META_DREG))
		if !ok || key != unix.NFT_META_BRI_IIFNAME {
			return nil, 0
		}
		cmp, err := readAttrs(elems[1].Data, nil)
		if err != nil {
			return nil, 0
		}
		sreg, _ := uint32Of(pick(cmp, unix.NFTA_CMP_SREG))
		op, ok := uint32Of(pick(cmp, unix.NFTA_CMP_OP))
		if !ok || op != unix.NFT_CMP_EQ || sreg != dreg {
			return nil, 0
		}
		value, err := readAttrs(pick(cmp, unix.NFTA_CMP_DATA), nil)
		if err != nil {
			return nil, 0
		}
		if e = t.exactly(pick(value, unix.NFTA_DATA_VALUE)); e == nil || e.kind == Statement {
			return nil, 0
		}
		return e, 2
	}
	return nil, 0
}

// exactly returns the term whose token is all of the zero-terminated name b.
func (t *terms) exactly(b []byte) *term {
	if s := cstring(b); len(s) == tokenLen {
		return t.at(b)
	}
	return nil
}
