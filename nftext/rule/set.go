// SPDX-License-Identifier: MIT

package rule

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// anonymous is a set or map that belongs to one rule. google/nftables writes
// such sets, but with numbers always in network order and all elements in one
// message.
type anonymous struct {
	id       uint32
	typ      nftables.SetDatatype
	dataType nftables.SetDatatype // of a map; zero is none
	host     bool                 // keys are numbers in host order
	dataHost bool                 // and so is what they are mapped to
	interval bool
	elements []nftables.SetElement
}

// span is values from lo to hi, both included, of equal length, in the order of
// bytes.
type span struct{ lo, hi []byte }

// elementsPerMessage keeps messages below 64 KiB, the limit of an attribute.
const elementsPerMessage = 256

// among appends the condition that the key is one of values or in one of spans.
func (k key) among(b *builder, values []value, spans []span, not bool) error {
	set := anonymous{typ: k.typ, host: k.host}
	wild := slices.ContainsFunc(values, func(v value) bool { return v.prefix })
	if spans == nil && !wild {
		seen := map[string]bool{}
		for _, v := range values {
			if !seen[string(v.data)] {
				set.elements = append(set.elements, nftables.SetElement{Key: v.data})
			}
			seen[string(v.data)] = true
		}
	} else {
		for _, v := range values {
			lo, hi := slices.Clone(v.data), slices.Clone(v.data)
			for len(lo) < int(k.typ.Bytes) {
				lo, hi = append(lo, 0), append(hi, 0xff)
			}
			spans = append(spans, span{lo, hi})
		}
		set.interval, set.host = true, false
		set.elements = intervals(spans)
	}
	load := k.into
	if set.interval {
		load = k.ordered
	}
	if err := errors.Join(k.lookup(), load(b, reg1)); err != nil {
		return err
	}
	name, err := b.anonymous(&set)
	if err != nil {
		return err
	}
	b.add(&expr.Lookup{SourceRegister: reg1, SetID: set.id, SetName: name, Invert: not})
	if !not {
		k.teach(b, expr.CmpOpEq, values)
	}
	return nil
}

// intervals returns the elements of spans: where each begins and, marked as an
// end, where it is over. Spans that overlap or meet become one.
func intervals(spans []span) []nftables.SetElement {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b span) int { return bytes.Compare(a.lo, b.lo) })
	var out []nftables.SetElement
	if len(spans) > 0 && !allBytes(spans[0].lo, 0) {
		out = append(out, nftables.SetElement{Key: zeros(len(spans[0].lo)), IntervalEnd: true})
	}
	for i := 0; i < len(spans); {
		s := spans[i]
		for i++; i < len(spans); i++ {
			if !allBytes(s.hi, 0xff) && bytes.Compare(spans[i].lo, next(s.hi)) > 0 {
				break
			}
			if bytes.Compare(spans[i].hi, s.hi) > 0 {
				s.hi = spans[i].hi
			}
		}
		out = append(out, nftables.SetElement{Key: s.lo})
		if !allBytes(s.hi, 0xff) {
			out = append(out, nftables.SetElement{Key: next(s.hi), IntervalEnd: true})
		}
	}
	return out
}

// allBytes reports whether all of v are b.
func allBytes(v []byte, b byte) bool { return bytes.Count(v, []byte{b}) == len(v) }

// next returns the number behind v, in network order.
func next(v []byte) []byte {
	v = slices.Clone(v)
	for i := len(v) - 1; i >= 0; i-- {
		if v[i]++; v[i] != 0 {
			break
		}
	}
	return v
}

// anonymous appends the messages that make a set and returns its name.
func (b *builder) anonymous(s *anonymous) (name string, err error) {
	name = "__set%d"
	var flags uint32 = unix.NFT_SET_ANONYMOUS | unix.NFT_SET_CONSTANT
	if s.interval {
		flags |= unix.NFT_SET_INTERVAL
	}
	isMap := s.dataType.Name != ""
	if isMap {
		name = "__map%d"
		flags |= unix.NFT_SET_MAP
	}
	s.id = b.batch.nextID()
	err = b.message(unix.NFT_MSG_NEWSET, func(e *netlink.AttributeEncoder) {
		e.String(unix.NFTA_SET_TABLE, b.chain.Table.Name)
		e.String(unix.NFTA_SET_NAME, name)
		e.Uint32(unix.NFTA_SET_ID, s.id)
		e.Uint32(unix.NFTA_SET_FLAGS, flags)
		e.Uint32(unix.NFTA_SET_KEY_TYPE, s.typ.GetNFTMagic())
		e.Uint32(unix.NFTA_SET_KEY_LEN, s.typ.Bytes)
		if isMap {
			dataType := s.dataType.GetNFTMagic()
			if dataType == nftables.TypeVerdict.GetNFTMagic() {
				dataType = unix.NFT_DATA_VERDICT
			}
			e.Uint32(unix.NFTA_SET_DATA_TYPE, dataType)
			e.Uint32(unix.NFTA_SET_DATA_LEN, s.dataType.Bytes)
		}
		e.Nested(unix.NFTA_SET_DESC, func(e *netlink.AttributeEncoder) error {
			e.Uint32(unix.NFTA_SET_DESC_SIZE, uint32(len(s.elements)))
			return nil
		})
		// Names count as numbers in host order.
		host := s.host || !s.interval && s.typ.GetNFTMagic() == nftables.TypeIFName.GetNFTMagic()
		info := userdata.AppendUint32(nil, userdata.NFTNL_UDATA_SET_KEYBYTEORDER, byteOrder(host))
		if isMap {
			info = userdata.AppendUint32(info, userdata.NFTNL_UDATA_SET_DATABYTEORDER, byteOrder(s.dataHost))
		}
		e.Bytes(unix.NFTA_SET_USERDATA, info)
	})
	for part := range slices.Chunk(s.elements, elementsPerMessage) {
		if err != nil {
			return "", err
		}
		err = b.message(unix.NFT_MSG_NEWSETELEM, func(e *netlink.AttributeEncoder) {
			e.String(unix.NFTA_SET_ELEM_LIST_TABLE, b.chain.Table.Name)
			e.String(unix.NFTA_SET_ELEM_LIST_SET, name)
			e.Uint32(unix.NFTA_SET_ELEM_LIST_SET_ID, s.id)
			e.Nested(unix.NFTA_SET_ELEM_LIST_ELEMENTS, func(e *netlink.AttributeEncoder) error {
				for _, element := range part {
					encodeElement(e, element)
				}
				return nil
			})
		})
	}
	return name, err
}

// byteOrder is how nft notes the order of a set's numbers.
func byteOrder(host bool) uint32 {
	if host {
		return 1
	}
	return 2
}

func encodeElement(e *netlink.AttributeEncoder, element nftables.SetElement) {
	e.Nested(unix.NFTA_LIST_ELEM, func(e *netlink.AttributeEncoder) error {
		if element.IntervalEnd {
			e.Uint32(unix.NFTA_SET_ELEM_FLAGS, unix.NFT_SET_ELEM_INTERVAL_END)
		}
		data(e, unix.NFTA_SET_ELEM_KEY, element.Key)
		switch v := element.VerdictData; {
		case v != nil:
			e.Nested(unix.NFTA_SET_ELEM_DATA, func(e *netlink.AttributeEncoder) error {
				e.Nested(unix.NFTA_DATA_VERDICT, func(e *netlink.AttributeEncoder) error {
					e.Uint32(unix.NFTA_VERDICT_CODE, uint32(v.Kind))
					if v.Chain != "" {
						e.String(unix.NFTA_VERDICT_CHAIN, v.Chain)
					}
					return nil
				})
				return nil
			})
		case element.Val != nil:
			data(e, unix.NFTA_SET_ELEM_DATA, element.Val)
		}
		return nil
	})
}

// message appends a message that goes before the rule.
func (b *builder) message(typ int, fill func(*netlink.AttributeEncoder)) error {
	e := newEncoder()
	fill(e)
	attrs, err := e.Encode()
	if err != nil {
		return fmt.Errorf("anonymous set: %w: %w", dict.ErrInvalid, err)
	}
	b.sets = append(b.sets, newMessage(typ, netlink.Create, b.family, attrs))
	return nil
}
