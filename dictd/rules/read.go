// SPDX-License-Identifier: MIT

package rules

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// ReadMoments reads when rules of a network namespace, of others than the tables that are
// named, may say something else by themselves: those that ask the clock, and sets of which
// elements end after their time, but for sets that rules fill. netns is a descriptor; 0
// means the process's.
func ReadMoments(netns int, but []string) (*Moments, error) {
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: netns})
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	defer conn.Close()
	r := &reader{conn: conn, but: but, sets: make(map[string]uint32)}
	m := &Moments{Ends: make(map[string]time.Time)}
	if err := errors.Join(r.readSets(m), r.readRules(m)); err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	m.sort()
	return m, nil
}

// reader reads what nf_tables has.
type reader struct {
	conn *netlink.Conn
	but  []string
	sets map[string]uint32 // flags, by setName
}

// dump asks for all of a kind.
func (r *reader) dump(typ int, family uint8, attrs []byte) ([]netlink.Message, error) {
	return r.conn.Execute(netlink.Message{
		Header: netlink.Header{Type: netlink.HeaderType(unix.NFNL_SUBSYS_NFTABLES<<8 | typ), Flags: netlink.Request | netlink.Dump},
		Data:   append([]byte{family, unix.NFNETLINK_V0, 0, 0}, attrs...),
	})
}

func (r *reader) readSets(m *Moments) error {
	sets, err := r.dump(unix.NFT_MSG_GETSET, unix.NFPROTO_UNSPEC, nil)
	if err != nil {
		return err
	}
	for _, s := range sets {
		if len(s.Data) < 4 {
			continue
		}
		attrs := attributes(s.Data[4:])
		table, name := text(attrs[unix.NFTA_SET_TABLE]), text(attrs[unix.NFTA_SET_NAME])
		var flags uint32
		if b := attrs[unix.NFTA_SET_FLAGS]; len(b) == 4 {
			flags = binary.BigEndian.Uint32(b)
		}
		id := setName(s.Data[0], table, name)
		r.sets[id] = flags
		if flags&(unix.NFT_SET_TIMEOUT|unix.NFT_SET_EVAL) != unix.NFT_SET_TIMEOUT || slices.Contains(r.but, table) {
			continue
		}
		elements, err := r.elements(s.Data[0], table, name)
		if err != nil {
			return err
		}
		var ends int64
		for _, e := range elements {
			if e.ends > 0 && (ends == 0 || e.ends < ends) {
				ends = e.ends
			}
		}
		if ends > 0 {
			m.Ends[id] = time.Now().Add(time.Duration(ends) * time.Millisecond)
		}
	}
	return nil
}

func (r *reader) readRules(m *Moments) error {
	all, err := r.dump(unix.NFT_MSG_GETRULE, unix.NFPROTO_UNSPEC, nil)
	if err != nil {
		return err
	}
	for _, rule := range all {
		if len(rule.Data) < 4 {
			continue
		}
		attrs := attributes(rule.Data[4:])
		family, table := rule.Data[0], text(attrs[unix.NFTA_RULE_TABLE])
		if slices.Contains(r.but, table) {
			continue
		}
		a := &asking{moments: m, registers: make(map[uint32]*loaded), elements: func(set string) ([]element, bool, error) {
			e, err := r.elements(family, table, set)
			return e, r.sets[setName(family, table, set)]&unix.NFT_SET_INTERVAL != 0, err
		}}
		list, err := netlink.UnmarshalAttributes(attrs[unix.NFTA_RULE_EXPRESSIONS])
		if err != nil {
			return err
		}
		for _, e := range list {
			of := attributes(e.Data)
			if err := a.expression(text(of[unix.NFTA_EXPR_NAME]), of[unix.NFTA_EXPR_DATA]); err != nil {
				return err
			}
		}
		a.done()
	}
	return nil
}

// elements reads those of a set; of one that is gone meanwhile there are none.
func (r *reader) elements(family uint8, table, set string) (all []element, err error) {
	e := netlink.NewAttributeEncoder()
	e.String(unix.NFTA_SET_ELEM_LIST_TABLE, table)
	e.String(unix.NFTA_SET_ELEM_LIST_SET, set)
	attrs, err := e.Encode()
	if err != nil {
		return nil, err
	}
	messages, err := r.dump(unix.NFT_MSG_GETSETELEM, family, attrs)
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return nil, err
	}
	for _, m := range messages {
		if len(m.Data) < 4 {
			continue
		}
		list, err := netlink.UnmarshalAttributes(attributes(m.Data[4:])[unix.NFTA_SET_ELEM_LIST_ELEMENTS])
		if err != nil {
			return nil, err
		}
		for _, one := range list {
			if e, ok := elementOf(attributes(one.Data)); ok {
				all = append(all, e)
			}
		}
	}
	return all, nil
}

// keyEnd is the attribute of an element's other end.
const keyEnd = 10

// elementOf returns an element, false of one that only says that intervals begin with
// nothing.
func elementOf(attrs map[uint16][]byte) (e element, ok bool) {
	e.key = attributes(attrs[unix.NFTA_SET_ELEM_KEY])[unix.NFTA_DATA_VALUE]
	e.to = attributes(attrs[keyEnd])[unix.NFTA_DATA_VALUE]
	if b := attrs[unix.NFTA_SET_ELEM_EXPIRATION]; len(b) == 8 {
		e.ends = int64(binary.BigEndian.Uint64(b))
	}
	flags := attrs[unix.NFTA_SET_ELEM_FLAGS]
	ends := len(flags) == 4 && binary.BigEndian.Uint32(flags)&unix.NFT_SET_ELEM_INTERVAL_END != 0
	return e, !ends || slices.ContainsFunc(e.key, func(b byte) bool { return b != 0 })
}

// attributes returns attributes by their types, none of what is malformed.
func attributes(b []byte) map[uint16][]byte {
	list, err := netlink.UnmarshalAttributes(b)
	if err != nil {
		return nil
	}
	const flags = unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER
	m := make(map[uint16][]byte, len(list))
	for _, a := range list {
		m[a.Type&^flags] = a.Data
	}
	return m
}

// text returns an attribute that is one.
func text(b []byte) string { return strings.TrimRight(string(b), "\x00") }
