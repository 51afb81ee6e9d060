// SPDX-License-Identifier: MIT

package front

import (
	"encoding/binary"
	"regexp"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// Of an Ether's carrier nft believes that it reads the frame: where tables see more
// than frames it puts a match on the device's type before the statement, and from
// then on tells protocols apart by the type in the frame. None of that is so of a
// value, so it is undone in what nft sends.

// frame says what the user matches of the frame behind a term in its rule.
type frame uint8

const (
	noFrame   frame = iota // nothing, or raw bytes
	someFrame              // fields of ether or vlan
	frameType              // ether type among them
)

// rawBytes matches what nft writes for bytes of the frame without a name.
var rawBytes = regexp.MustCompile(`@ll[\s\\]*,[\s\\]*(\d+)[\s\\]*,[\s\\]*(\d+)`)

// rawType reports whether a rule reads the type in the frame as bytes without a name:
// in what nft sends, that is no other than what it adds itself for an Ether's carrier.
func rawType(rule []byte) bool {
	for _, m := range rawBytes.FindAllSubmatch(rule, -1) {
		offset, _ := strconv.ParseUint(string(m[1]), 10, 32) // 0 of what is no number for nft, either
		length, _ := strconv.ParseUint(string(m[2]), 10, 32)
		if onType(offset, length) {
			return true
		}
	}
	return false
}

// onType reports whether bits of the frame are of its type.
func onType(offset, length uint64) bool { return offset < 8*14 && offset+length > 8*12 }

// ruleAround returns the text of the rule around a value, or more.
func ruleAround(src []byte, s Span) []byte {
	start := s.Statement
	for start > 0 && src[start-1] != ';' && (src[start-1] != '\n' || start > 1 && src[start-2] == '\\') {
		start--
	}
	end := scan{src: src, at: s.End}
	for depth := 0; ; {
		at := end.at
		switch t := end.next(); {
		case t == "", depth == 0 && (t == "\n" || t == ";" || t == "}"):
			return src[start:at]
		case t == "{":
			depth++
		case t == "}":
			depth--
		}
	}
}

// links says what is to become of the elements of a rule that nft made.
type links struct {
	drop    map[int]bool      // not sent
	replace map[int][]byte    // sent as these
	before  map[int][]Element // sent before
}

// unlink returns what is to become of elems, in a table of that family.
func (t *terms) unlink(family uint8, elems []Element) (l links) {
	if family == unix.NFPROTO_BRIDGE {
		return l
	}
	var values []*term // of the statement that follows
	for i := 0; i < len(elems); {
		e, n := t.placeholderAt(elems[i:])
		switch {
		case e != nil && e.kind == Value:
			values = append(values, e)
			i += n
			continue
		case e != nil:
			values = nil
			i += n
			continue
		}
		if at := t.linkedAt(elems, i, values); at >= 0 {
			l.undo(t, family, elems, at, values)
			return l
		}
		values = nil
		i++
	}
	return l
}

// linkedAt returns where, among the matches that nft puts before a statement at i
// with values, the one on the device's type stands; -1 where there is none, or where
// the statement reads the frame itself.
func (t *terms) linkedAt(elems []Element, i int, values []*term) int {
	at := -1
	ether := false
	for _, e := range values {
		ether = ether || e.carrier.class == Ether
	}
	if !ether {
		return at
	}
	for ; i+1 < len(elems) && elems[i+1].Name == "cmp" && t.carried(elems[i], values) < 0; i += 2 {
		if matched(elems[i:], "meta", unix.NFTA_META_KEY, unix.NFT_META_IIFTYPE, binary.NativeEndian.AppendUint16(nil, unix.ARPHRD_ETHER)) {
			at = i
		}
	}
	if at < 0 {
		return at
	}
	for ; i < len(elems); i++ {
		if onFrame(elems[i]) && t.carried(elems[i], values) < 0 {
			return -1
		}
		if !loads(elems[i]) {
			break
		}
	}
	return at
}

// undo notes what is to become of the match at elems[at], and of those that nft
// makes because of it. Where the user's own match on the frame follows, the one on
// the device's type goes before that.
func (l *links) undo(t *terms, family uint8, elems []Element, at int, values []*term) {
	l.drop = map[int]bool{at: true, at + 1: true}
	l.replace = map[int][]byte{}
	own := noFrame
	for _, e := range values {
		own = max(own, e.frame)
	}
	for i := 0; i < len(elems); i++ {
		if e, n := t.placeholderAt(elems[i:]); e != nil {
			if e.kind == Value && i > at {
				values = append(values, e)
			}
			i += n - 1
			continue
		}
		if !onFrame(elems[i]) {
			continue
		}
		if n := t.carried(elems[i], values); i > at && n >= 0 {
			values = slices.Delete(slices.Clone(values), n, n+1)
			continue
		}
		load, cmp, ok := typeMatch(family, elems[i:])
		if !ok && own == noFrame {
			continue
		}
		if !ok || own == frameType && i > at {
			for i > at+2 && loads(elems[i-1]) {
				i--
			}
			l.before = map[int][]Element{i: elems[at : at+2]}
			return
		}
		l.replace[i], l.replace[i+1] = load, cmp
	}
}

// carried returns which of values an element loads the carrier of, -1 if none.
func (t *terms) carried(e Element, values []*term) int {
	c, _, ok := carrierOf(e, t.base)
	return slices.IndexFunc(values, func(v *term) bool { return ok && v.carrier == c })
}

// onFrame reports whether an expression reads or writes the frame.
func onFrame(e Element) bool {
	if e.Name != "payload" {
		return false
	}
	attrs, err := readAttrs(e.Data, nil)
	base, ok := uint32Of(pick(attrs, unix.NFTA_PAYLOAD_BASE))
	return err == nil && ok && base == unix.NFT_PAYLOAD_LL_HEADER
}

// loads reports whether an expression only fills a register.
func loads(e Element) bool {
	attrs, err := readAttrs(e.Data, nil)
	if err != nil {
		return false
	}
	switch e.Name {
	case "payload": // no more than a load has its destination there
		return pick(attrs, unix.NFTA_PAYLOAD_DREG) != nil
	case "meta":
		return pick(attrs, unix.NFTA_META_DREG) != nil
	case "ct":
		return pick(attrs, unix.NFTA_CT_DREG) != nil
	case "rt", "socket", "fib", "hash", "numgen", "exthdr", "osf", "xfrm", "tunnel", "bitwise", "byteorder", "immediate":
		return true
	}
	return false
}

// matched reports whether elems begin with a load of that name and key and the
// comparison with a value.
func matched(elems []Element, name string, keyAttr uint16, key uint32, value []byte) bool {
	if len(elems) < 2 || elems[0].Name != name || elems[1].Name != "cmp" {
		return false
	}
	load, err := readAttrs(elems[0].Data, nil)
	have, ok := uint32Of(pick(load, keyAttr))
	return err == nil && ok && have == key && string(comparedWith(elems[1])) == string(value)
}

// comparedWith returns what a comparison is with, nil if it is not for equality.
func comparedWith(e Element) []byte {
	attrs, err := readAttrs(e.Data, nil)
	if op, _ := uint32Of(pick(attrs, unix.NFTA_CMP_OP)); err != nil || op != unix.NFT_CMP_EQ {
		return nil
	}
	value, err := readAttrs(pick(attrs, unix.NFTA_CMP_DATA), nil)
	if err != nil {
		return nil
	}
	return pick(value, unix.NFTA_DATA_VALUE)
}

// typeMatch returns what nft would have where elems begin to match the type in the
// frame, had it not come to believe that the rule reads frames; ok is false where they
// do not, or where nft does so for nothing but the user's own matches.
func typeMatch(family uint8, elems []Element) (load, compare []byte, ok bool) {
	const offset, length = 12, 2
	attrs, err := readAttrs(elems[0].Data, nil)
	number := func(typ uint16) uint32 {
		v, _ := uint32Of(pick(attrs, typ))
		return v
	}
	if err != nil || len(elems) < 2 || elems[1].Name != "cmp" ||
		number(unix.NFTA_PAYLOAD_OFFSET) != offset || number(unix.NFTA_PAYLOAD_LEN) != length {
		return nil, nil, false
	}
	value := comparedWith(elems[1])
	if len(value) != length {
		return nil, nil, false
	}
	key := uint32(unix.NFT_META_NFPROTO)
	switch proto := binary.BigEndian.Uint16(value); {
	case family == unix.NFPROTO_NETDEV && (proto == unix.ETH_P_IP || proto == unix.ETH_P_IPV6 || proto == unix.ETH_P_ARP):
		key = unix.NFT_META_PROTOCOL
	case family != unix.NFPROTO_NETDEV && proto == unix.ETH_P_IP:
		value = []byte{unix.NFPROTO_IPV4}
	case family != unix.NFPROTO_NETDEV && proto == unix.ETH_P_IPV6:
		value = []byte{unix.NFPROTO_IPV6}
	default:
		return nil, nil, false
	}
	register := number(unix.NFTA_PAYLOAD_DREG)
	load = appendAttr32(nil, unix.NFTA_META_DREG, register)
	compare = appendAttr32(nil, unix.NFTA_CMP_SREG, register)
	compare = appendAttr32(compare, unix.NFTA_CMP_OP, unix.NFT_CMP_EQ)
	compare = appendAttr(compare, unix.NFTA_CMP_DATA|unix.NLA_F_NESTED, appendAttr(nil, unix.NFTA_DATA_VALUE, value))
	return appendElement(nil, "meta", appendAttr32(load, unix.NFTA_META_KEY, key)), appendElement(nil, "cmp", compare), true
}
