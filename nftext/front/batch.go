// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"fmt"

	"golang.org/x/sys/unix"
)

// compileFunc returns the elements of a term for a rule at t.
type compileFunc func(t Target, term string) ([]byte, error)

// move says that the bytes [newAt, newEnd) of a sent message stand for
// [oldAt, oldEnd) of the message nft made. Offsets count from the message header.
type move struct{ newAt, newEnd, oldAt, oldEnd int }

// moves holds, by sequence number, what was moved in the messages of a batch.
type moves map[uint32][]move

// back returns where the offset off of a sent message lies in the one nft made:
// anything in a compiled term is the start of its placeholder.
func (m moves) back(seq uint32, off int) int {
	shift := 0
	for _, v := range m[seq] {
		switch {
		case off >= v.newEnd:
			shift = v.oldEnd - v.newEnd
		case off >= v.newAt:
			return v.oldAt
		}
	}
	return off + shift
}

// compileBatch returns b, what nft sends, with compiled terms in place of the
// placeholders. A term that does not compile is noted as failed and becomes an
// expression that the kernel rejects. An error means that nothing may be sent.
func (t *terms) compileBatch(b []byte, compile compileFunc) (out []byte, moved moves, err error) {
	moved = moves{}
	out = make([]byte, 0, len(b)+len(b)/4)
	for len(b) > 0 {
		m, rest, err := nextMessage(b)
		if err != nil {
			return nil, nil, err
		}
		if bytes.Contains(m.raw, t.mark) && m.typ == msgNewRule {
			var mv []move
			if out, mv, err = t.compileRule(out, m, compile); err != nil {
				return nil, nil, err
			}
			if mv != nil {
				moved[m.seq] = mv
			}
		} else {
			out = append(out, b[:len(b)-len(rest)]...)
		}
		b = rest
	}
	if e, _ := t.find(out); e != nil {
		return nil, nil, fmt.Errorf("%s: only the place of a %s in a rule takes a dict term: %w", e.text, e.kind, errPlace)
	}
	return out, moved, nil
}

// compileRule appends one NEWRULE message.
func (t *terms) compileRule(out []byte, m message, compile compileFunc) ([]byte, []move, error) {
	r, err := readRule(m)
	if err != nil {
		return nil, nil, err
	}
	if r.exprs < 0 {
		return pad4(append(out, m.raw...)), nil, nil
	}
	list := r.attrs[r.exprs]
	elems, err := readElements(list.data)
	if err != nil {
		return nil, nil, err
	}
	var (
		mv    []move
		done  []*term
		exprs []byte
		at    = ruleHeader + list.off + attrHeader // of exprs in the message
		old   = at                                 // of elems[i] in the message nft made
		user  = guarded(r.userData())
	)
	if r.user >= 0 && r.user < r.exprs {
		v := r.moveUser(user, 0)
		mv = append(mv, v)
		at += v.newEnd - v.oldEnd
	}
	held := values{base: t.base}
	link := t.unlink(r.target.Family, elems)
	for i := 0; i < len(elems); {
		for _, e := range link.before[i] {
			exprs = pad4(append(exprs, e.Raw...))
			mv = append(mv, move{newAt: at + len(exprs) - align4(len(e.Raw)), newEnd: at + len(exprs), oldAt: old, oldEnd: old})
		}
		if with, ok := link.replace[i]; ok || link.drop[i] {
			size := align4(len(elems[i].Raw))
			mv = append(mv, move{newAt: at + len(exprs), newEnd: at + len(exprs) + len(with), oldAt: old, oldEnd: old + size})
			exprs = append(exprs, with...)
			old += size
			i++
			continue
		}
		e, n := t.placeholderAt(elems[i:])
		target := r.target
		if e == nil {
			if e, target.Register, err = held.carried(elems[i]); err != nil {
				return nil, nil, err
			}
			if e == nil {
				held.pass(elems[i])
				exprs = pad4(append(exprs, elems[i].Raw...))
				old += align4(len(elems[i].Raw))
				i++
				continue
			}
			target.Class, n = e.carrier.class, 1
			if i+1 < len(elems) && e.carrier.turned(elems[i+1], target.Register) {
				n = 2
			}
		} else if e.kind == Value {
			if err := held.mark(e); err != nil {
				return nil, nil, err
			}
		}
		v := move{newAt: at + len(exprs), oldAt: old, oldEnd: old}
		for k := range n {
			v.oldEnd += align4(len(elems[i+k].Raw))
		}
		i, old = i+n, v.oldEnd
		if e.kind == Value && target.Class == 0 {
			// Its carrier follows.
		} else if code, err := compile(target, e.text); err != nil {
			t.fail(e, err)
			exprs = appendRefused(exprs)
		} else {
			exprs = pad4(append(exprs, code...))
		}
		v.newEnd = at + len(exprs)
		mv, done = append(mv, v), append(done, e)
	}
	if err := held.done(); err != nil {
		return nil, nil, err
	}
	if len(done) == 0 {
		return pad4(append(out, m.raw...)), nil, nil
	}
	if r.user > r.exprs {
		mv = append(mv, r.moveUser(user, len(exprs)-align4(len(list.data))))
	}
	whole, err := appendRule(out, m, r, exprs, user)
	if err != nil {
		return nil, nil, fmt.Errorf("rule with %s: %w", done[0].text, err)
	}
	return whole, mv, nil
}

// moveUser returns the move of the rule's user data that becomes user, where
// what is before it grew by that many bytes.
func (r *rule) moveUser(user []byte, grown int) move {
	a := r.attrs[r.user]
	at := ruleHeader + a.off
	return move{
		newAt: at + grown, newEnd: at + grown + align4(attrHeader+len(user)),
		oldAt: at, oldEnd: at + align4(len(a.raw)),
	}
}

// elementsOf tells whether b is a well-formed list of elements, which what a
// codec returns must be.
func elementsOf(b []byte) error {
	list, err := readAttrs(b, nil)
	if err != nil {
		return err
	}
	for _, a := range list {
		if a.typ != unix.NFTA_LIST_ELEM {
			return fmt.Errorf("attribute %d at offset %d is no list element", a.typ, a.off)
		}
	}
	return nil
}

// commits reports whether what nft sends ends as a batch does that is to be
// carried out. Without its end the kernel takes back what it tried: nft -c.
func commits(b []byte) bool {
	for len(b) > 0 {
		m, rest, err := nextMessage(b)
		if err != nil {
			break
		}
		if m.typ == unix.NFNL_MSG_BATCH_END {
			return true
		}
		b = rest
	}
	return false
}
