// SPDX-License-Identifier: MIT

// Package countrytest makes small databases in MaxMind's format, for tests of
// what reads them.
//
// It refuses networks that contain one another, and anything large: each call
// builds the whole file in memory.
package countrytest

import (
	"encoding/binary"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"
)

// Record is what a database tells of a network: strings, numbers and further
// Records by name.
type Record map[string]any

// Country is a Record as GeoLite2-Country has it.
func Country(iso string) Record {
	return Record{"continent": Record{"code": "EU"}, "country": Record{"geoname_id": uint32(1), "iso_code": iso}}
}

// Database is a database to be encoded.
type Database struct {
	Type     string
	Built    time.Time
	Version  int // of IP: 4 or 6; a 6 holds IPv4, too, with aliases as MaxMind has them
	Networks map[netip.Prefix]Record
}

// Bits of the numbers in a tree, and the bytes between it and the data.
const (
	recordSize = 32
	separator  = 16
)

// node is a branching, or at its end the place of a record.
type node struct {
	branch [2]*node
	record int // place in the data, where there are no branches; -1 is none
	number int
}

// Encode returns the file.
func (d *Database) Encode() ([]byte, error) {
	root, data := newNode(), []byte(nil)
	places := map[string]int{}
	prefixes := slices.SortedFunc(maps.Keys(d.Networks), func(a, b netip.Prefix) int { return a.Compare(b) })
	for _, p := range prefixes {
		value := encode(nil, d.Networks[p])
		at, ok := places[string(value)]
		if !ok {
			at = len(data)
			places[string(value)] = at
			data = append(data, value...)
		}
		address, bits := p.Masked().Addr().AsSlice(), p.Bits()
		switch {
		case d.Version == 6 && p.Addr().Is4():
			address, bits = append(make([]byte, 12), address...), bits+96
		case d.Version == 4 && !p.Addr().Is4():
			return nil, fmt.Errorf("network %v: not of IPv4", p)
		}
		end, err := root.walk(address, bits)
		if err != nil || end.branch[0] != nil || end.record >= 0 {
			return nil, fmt.Errorf("network %v: contains another, or lies in one", p)
		}
		end.record = at
	}
	if root.branch[0] == nil {
		root.branch = [2]*node{newNode(), newNode()}
	}
	if d.Version == 6 {
		if err := root.alias(); err != nil {
			return nil, err
		}
	}
	var nodes []*node
	root.collect(&nodes)
	var file []byte
	for _, n := range nodes {
		for _, b := range n.branch {
			value := len(nodes)
			switch {
			case b.branch[0] != nil:
				value = b.number
			case b.record >= 0:
				value = len(nodes) + separator + b.record
			}
			file = binary.BigEndian.AppendUint32(file, uint32(value))
		}
	}
	file = append(file, make([]byte, separator)...)
	file = append(file, data...)
	file = append(file, "\xab\xcd\xefMaxMind.com"...)
	return encode(file, Record{
		"binary_format_major_version": uint16(2), "binary_format_minor_version": uint16(0), "build_epoch": uint64(d.Built.Unix()),
		"database_type": d.Type, "description": Record{"en": "made for a test"}, "ip_version": uint16(d.Version),
		"languages": []string{"en"}, "node_count": uint32(len(nodes)), "record_size": uint16(recordSize),
	}), nil
}

func newNode() *node { return &node{record: -1, number: -1} }

// walk returns the node that so many bits of an address lead to, and makes those
// on the way.
func (n *node) walk(address []byte, bits int) (*node, error) {
	for i := range bits {
		if n.record >= 0 {
			return nil, fmt.Errorf("a network ends after %d bits", i)
		}
		if n.branch[0] == nil {
			n.branch = [2]*node{newNode(), newNode()}
		}
		n = n.branch[address[i/8]>>(7-i%8)&1]
	}
	return n, nil
}

// alias lets the networks lead to the IPv4 tree that writers of databases have
// lead there: mapped addresses, Teredo and 6to4.
func (n *node) alias() error {
	four, err := n.walk(make([]byte, 16), 96)
	if err != nil || four.branch[0] == nil { // it is no tree
		return nil
	}
	for text, last := range map[string]int{"::ffff:0:0": 96, "2001::": 32, "2002::": 16} {
		address := netip.MustParseAddr(text).AsSlice()
		before, err := n.walk(address, last-1)
		if err != nil {
			return fmt.Errorf("alias %s: %w", text, err)
		}
		if before.branch[0] == nil {
			before.branch = [2]*node{newNode(), newNode()}
		}
		before.branch[address[(last-1)/8]>>(7-(last-1)%8)&1] = four
	}
	return nil
}

// collect numbers the branchings from n on.
func (n *node) collect(nodes *[]*node) {
	if n.branch[0] == nil || n.number >= 0 {
		return
	}
	n.number = len(*nodes)
	*nodes = append(*nodes, n)
	n.branch[0].collect(nodes)
	n.branch[1].collect(nodes)
}
