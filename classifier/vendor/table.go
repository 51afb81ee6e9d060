// SPDX-License-Identifier: MIT

package vendor

import (
	"iter"
	"slices"
	"time"
)

// Bits of an address that a maker has: MA-L; MA-M; MA-S and IAB.
const (
	largeBits  = 24
	mediumBits = 28
	smallBits  = 36
)

// Table knows the makers of hardware addresses. It is immutable and may be used
// from many goroutines at once. A nil Table knows nobody.
type Table struct {
	large  list[uint32]
	medium list[uint32]
	small  list[uint64]
	names  string // each behind a byte with its length
	files  []File
}

// File is a registry that a Table was read from.
type File struct {
	Path    string
	Changed time.Time // last
	Entries int       // that it added
}

// Lookup returns who made the card with this address, the longest entry that
// fits, "" if nobody is known. It does not allocate.
func (t *Table) Lookup(mac [6]byte) string {
	if t == nil || !IsUniversal(mac) {
		return ""
	}
	all := uint64(0)
	for _, b := range mac {
		all = all<<8 | uint64(b)
	}
	at, ok := t.small.find(all >> (48 - smallBits))
	if !ok {
		at, ok = t.medium.find(uint32(all >> (48 - mediumBits)))
	}
	if !ok {
		at, ok = t.large.find(uint32(all >> (48 - largeBits)))
	}
	if !ok {
		return ""
	}
	return t.name(at)
}

// IsUniversal reports whether an address is one card's, given by its maker:
// neither a group's nor locally administered.
func IsUniversal(mac [6]byte) bool { return mac[0]&3 == 0 }

// Len returns how many entries there are.
func (t *Table) Len() int {
	if t == nil {
		return 0
	}
	return len(t.large.keys) + len(t.medium.keys) + len(t.small.keys)
}

// Size returns the bytes of memory that the entries take.
func (t *Table) Size() int {
	if t == nil {
		return 0
	}
	return 8*len(t.large.keys) + 8*len(t.medium.keys) + 12*len(t.small.keys) + len(t.names)
}

// Files returns what the Table was read from, in that order.
func (t *Table) Files() []File {
	if t == nil {
		return nil
	}
	return slices.Clone(t.files)
}

// all goes over the entries: bits in the low end of the prefix, how many, name.
func (t *Table) all() iter.Seq2[prefix, string] {
	return func(yield func(prefix, string) bool) {
		for i, k := range t.large.keys {
			if !yield(prefix{uint64(k), largeBits}, t.name(t.large.names[i])) {
				return
			}
		}
		for i, k := range t.medium.keys {
			if !yield(prefix{uint64(k), mediumBits}, t.name(t.medium.names[i])) {
				return
			}
		}
		for i, k := range t.small.keys {
			if !yield(prefix{k, smallBits}, t.name(t.small.names[i])) {
				return
			}
		}
	}
}

// name returns the name at a place in names.
func (t *Table) name(at uint32) string {
	n := uint32(t.names[at])
	return t.names[at+1 : at+1+n]
}

// list is the entries of one length, in order.
type list[K uint32 | uint64] struct {
	keys  []K
	names []uint32 // places in Table.names
}

// find returns the place of the name of k.
func (l *list[K]) find(k K) (uint32, bool) {
	i, ok := slices.BinarySearch(l.keys, k)
	if !ok {
		return 0, false
	}
	return l.names[i], true
}
