// SPDX-License-Identifier: MIT

package vendor

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Bounds of what is read: the registries of the IEEE have some 50,000 entries in
// lines of 400 bytes.
const (
	MaxEntries = 1 << 18
	MaxLine    = 4096 // bytes
	MaxName    = 128  // bytes
)

// Errors of a Builder, for callers to test for.
var (
	// ErrNoEntries says that a text is no registry that is known.
	ErrNoEntries = errors.New("no entry of a known registry of hardware addresses in it")
	// ErrTooLarge says that a text exceeds a bound.
	ErrTooLarge = errors.New("too large")
)

// prefix is the beginning of addresses: so many bits, at the low end of the
// number.
type prefix struct {
	number uint64
	bits   int
}

// Builder makes a Table of registries.
type Builder struct {
	entries []entry
	names   strings.Builder
	places  map[string]uint32
	files   []File
}

// entry is a line of a registry.
type entry struct {
	prefix
	name uint32 // its place in names
}

// NewBuilder returns a Builder without entries.
func NewBuilder() *Builder { return &Builder{places: make(map[string]uint32)} }

// Add reads a registry and returns how many entries it has, of use or not. Of two
// entries with the same bits the first that was added stays. An error leaves the
// Builder as it was.
func (b *Builder) Add(in io.Reader) (int, error) {
	before, r := len(b.entries), reader{}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, MaxLine)
	fail := func(err error) (int, error) {
		b.entries = b.entries[:before]
		return 0, err
	}
	seen := 0
	for n := 1; lines.Scan(); n++ {
		p, name, ok := r.line(lines.Text())
		if !ok {
			continue
		}
		seen++
		name = cleanName(name)
		if name == "" || isNobody(name) || p.number>>(p.bits-8)&3 != 0 { // the last are of no card
			continue
		}
		if len(b.entries) >= MaxEntries {
			return fail(fmt.Errorf("line %d: %w: more than %d entries", n, ErrTooLarge, MaxEntries))
		}
		b.entries = append(b.entries, entry{p, b.place(name)})
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return fail(fmt.Errorf("%w: a line of more than %d bytes", ErrTooLarge, MaxLine))
	case err != nil:
		return fail(err)
	case seen == 0:
		return fail(ErrNoEntries)
	}
	return seen, nil
}

// place returns where a name is kept.
func (b *Builder) place(name string) uint32 {
	at, ok := b.places[name]
	if !ok {
		at = uint32(b.names.Len())
		b.names.WriteByte(byte(len(name)))
		b.names.WriteString(name)
		b.places[strings.Clone(name)] = at
	}
	return at
}

// Table returns the Table of what was added. The Builder must not be used again.
func (b *Builder) Table() *Table {
	slices.SortStableFunc(b.entries, func(x, y entry) int {
		return cmp.Or(cmp.Compare(x.bits, y.bits), cmp.Compare(x.number, y.number))
	})
	b.entries = slices.CompactFunc(b.entries, func(x, y entry) bool { return x.prefix == y.prefix })
	t := &Table{names: strings.Clone(b.names.String()), files: b.files}
	for _, e := range b.entries {
		switch e.bits {
		case largeBits:
			t.large.add(uint32(e.number), e.name)
		case mediumBits:
			t.medium.add(uint32(e.number), e.name)
		case smallBits:
			t.small.add(e.number, e.name)
		}
	}
	t.large.clip()
	t.medium.clip()
	t.small.clip()
	return t
}

func (l *list[K]) add(k K, name uint32) {
	l.keys, l.names = append(l.keys, k), append(l.names, name)
}

func (l *list[K]) clip() {
	l.keys, l.names = slices.Clip(l.keys), slices.Clip(l.names)
}
