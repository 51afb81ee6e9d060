// SPDX-License-Identifier: MIT

package front

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// decompileReply returns b, a datagram from the kernel, with placeholders in
// place of compiled terms and error offsets as nft's own messages have them.
// seen is the first term it met, nil if none; out is b itself where nothing
// changed.
func (t *terms) decompileReply(b []byte, codec Codec, moved moves) (out []byte, seen *term, err error) {
	changed := false
	for rest := b; len(rest) > 0; {
		at := len(b) - len(rest)
		m, next, err := nextMessage(rest)
		if err != nil {
			return nil, nil, err
		}
		var done []byte
		switch m.typ {
		case msgNewRule, msgDelRule:
			var e *term
			if done, e, err = t.decompileRule(m, codec); err != nil {
				return nil, nil, err
			}
			if seen == nil {
				seen = e
			}
		case unix.NLMSG_ERROR:
			done = moveError(m, moved)
		}
		if done != nil && !changed {
			changed = true
			out = append(make([]byte, 0, len(b)+256), b[:at]...)
		}
		if changed {
			if done == nil {
				done = m.raw
			}
			out = pad4(append(out, done...))
		}
		rest = next
	}
	if !changed {
		return b, seen, nil
	}
	return out, seen, nil
}

// exprDict is the expression of the kernel module. Of a rule that holds one which
// does not become a placeholder nft shows nothing at all, and says so nowhere.
const exprDict = "dict"

// decompileRule returns the message with placeholders and the first term in it, or
// nil when it has none.
func (t *terms) decompileRule(m message, codec Codec) ([]byte, *term, error) {
	r, err := readRule(m)
	if err != nil || r.exprs < 0 {
		return nil, nil, err
	}
	elems, err := readElements(r.attrs[r.exprs].data)
	if err != nil {
		return nil, nil, err
	}
	var (
		free  = spares{base: t.base}
		first *term
		exprs []byte
		kept  int // elements before it are in exprs
	)
	keep := func(to int) {
		for ; kept < to; kept++ {
			exprs = pad4(append(exprs, elems[kept].Raw...))
		}
	}
	for i := 0; i < len(elems); {
		found, ok := codec.Decompile(r.target.Family, elems[i:])
		if !ok || found.Elements < 1 || found.Elements > len(elems)-i {
			if elems[i].Name == exprDict {
				t.overlook(r)
			}
			i++
			continue
		}
		keep(i)
		key := termKey{kind: found.Kind, text: found.Text}
		if found.Kind == Value {
			if key.carrier, ok = free.take(found.Class, elems); !ok {
				return nil, nil, fmt.Errorf("%s: %w", found.Text, errValues)
			}
		}
		e := t.entry(key)
		if first == nil {
			first = e
		}
		exprs = appendPlaceholder(exprs, e)
		if found.Kind == Value {
			exprs = appendCarrier(exprs, e.carrier, found.Register, t.base)
		}
		i += found.Elements
		kept = i
	}
	if first == nil {
		return nil, nil, nil
	}
	keep(len(elems))
	out, err := appendRule(nil, m, r, exprs, unguarded(r.userData()))
	return out, first, err
}

// moveError returns an error message whose offset points into the message that
// nft made, or nil when it does so already.
func moveError(m message, moved moves) []byte {
	const body = msgHeader + 4 // errno
	if len(moved[m.seq]) == 0 || len(m.raw) < body+msgHeader {
		return nil
	}
	flags := binary.NativeEndian.Uint16(m.raw[6:])
	if flags&unix.NLM_F_ACK_TLVS == 0 {
		return nil
	}
	tlvs := body + msgHeader
	if flags&unix.NLM_F_CAPPED == 0 {
		if n := binary.NativeEndian.Uint32(m.raw[body:]); n < uint32(len(m.raw)) {
			tlvs = body + align4(int(n))
		}
	}
	if tlvs > len(m.raw) {
		return nil
	}
	attrs, err := readAttrs(m.raw[tlvs:], nil)
	if err != nil {
		return nil
	}
	for _, a := range attrs {
		if a.typ != unix.NLMSGERR_ATTR_OFFS || len(a.data) != 4 {
			continue
		}
		off := int(binary.NativeEndian.Uint32(a.data))
		old := moved.back(m.seq, off)
		if old == off {
			return nil
		}
		out := append([]byte(nil), m.raw...)
		binary.NativeEndian.PutUint32(out[tlvs+a.off+attrHeader:], uint32(old))
		return out
	}
	return nil
}

// split returns the first messages of a datagram that fit into size bytes, and the
// rest. head is empty when not even one does.
func split(b []byte, size int) (head, tail []byte) {
	if len(b) <= size {
		return b, nil
	}
	at := 0
	for at < len(b) {
		_, rest, err := nextMessage(b[at:])
		end := len(b) - len(rest)
		if err != nil || end > size {
			break
		}
		at = end
	}
	return b[:at], b[at:]
}
