// SPDX-License-Identifier: MIT

package country

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"

	"github.com/oschwald/maxminddb-golang/v2"
)

// MaxSize is the largest database that is read, in bytes.
const MaxSize = 256 << 20

// Errors of Open and Parse, for callers to test for.
var (
	// ErrBroken says that a file is no database, or not a whole one.
	ErrBroken = errors.New("no whole database in MaxMind's format")
	// ErrNoCountry says that a database tells of other things.
	ErrNoCountry = errors.New("the database tells no countries")
)

// Open reads the database in a file. An error names the file and what helps.
func Open(path string) (*Table, error) {
	if fi, err := os.Stat(path); err == nil && !fi.Mode().IsRegular() { // a pipe is not waited for
		return nil, fmt.Errorf("%s: %w: not a file: correct the name", path, ErrBroken)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: get a database of countries (geoipupdate has GeoLite2-Country), or correct the name", err)
	}
	defer f.Close()
	t, err := read(f)
	switch {
	case errors.Is(err, ErrBroken):
		return nil, fmt.Errorf("%s: %w: fetch it again", path, err)
	case errors.Is(err, ErrNoCountry):
		return nil, fmt.Errorf("%s: %w: take one of countries or cities", path, err)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// read reads the whole file: one that is mapped, and cut short while it is,
// takes its readers with it.
func read(f *os.File) (*Table, error) {
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: not a file", ErrBroken)
	}
	if fi.Size() > MaxSize {
		return nil, fmt.Errorf("%w: %d bytes, more than %d", ErrBroken, fi.Size(), MaxSize)
	}
	b := make([]byte, fi.Size())
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return Parse(b)
}

// Parse makes a Table of a database, of which it keeps nothing.
func Parse(mmdb []byte) (*Table, error) {
	r, err := maxminddb.OpenBytes(mmdb)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	defer r.Close()
	w := walker{codes: make(map[uintptr]Code)}
	// Every node of a tree has two branches, so the leaves are one more than the
	// nodes. Where branches meet again, other than in the aliases of IPv4 that the
	// reader leaves out, there may be more of them than can be walked.
	left := uint64(r.Metadata.NodeCount) + 1
	for leaf := range r.Networks(maxminddb.IncludeNetworksWithoutData()) {
		if left == 0 {
			return nil, fmt.Errorf("%w: branches of its tree meet again", ErrBroken)
		}
		left--
		if err := w.leaf(leaf); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBroken, err)
		}
	}
	t := &w.table
	if w.known == 0 {
		return nil, fmt.Errorf("%w: it is of type %q", ErrNoCountry, clean(r.Metadata.DatabaseType))
	}
	t.four.close(bucket4)
	t.six.close(bucket6)
	t.info = Info{
		Type: clean(r.Metadata.DatabaseType), Built: r.Metadata.BuildTime().UTC(),
		Stretches: len(t.four.code) + len(t.six.code), Size: t.four.size(4) + t.six.size(16),
	}
	return t, nil
}

// walker goes over the leaves of a database's tree, in the order of addresses.
type walker struct {
	table Table
	codes map[uintptr]Code // of records by their place, many addresses share one
	known int              // leaves with a country
	next  address6         // behind the last leaf of IPv6
}

// leaf takes in one stretch of addresses with what is known of it.
func (w *walker) leaf(leaf maxminddb.Result) error {
	if err := leaf.Err(); err != nil {
		return err
	}
	code := Code(0)
	if leaf.Found() {
		var err error
		if code, err = w.code(leaf); err != nil {
			return err
		}
	}
	if code != 0 {
		w.known++
	}
	p := leaf.Prefix()
	if !p.IsValid() {
		return errors.New("a network that is none")
	}
	first := p.Addr()
	if first.Is4() {
		b := first.As4()
		w.table.four.add(uint32(b[0])<<24|uint32(b[1])<<16|uint32(b[2])<<8|uint32(b[3]), code)
		return nil
	}
	if first == netip.IPv6Unspecified() && p.Bits() <= 96 { // IPv4 lies in ::/96
		w.table.four.add(0, code)
	}
	at := of6(first)
	if at != w.next { // an alias of IPv4 was left out
		w.table.six.add(w.next, 0)
	}
	w.table.six.add(at, code)
	w.next = at.behind(p.Bits())
	return nil
}

// code returns the country of a leaf's record, 0 if it has none.
func (w *walker) code(leaf maxminddb.Result) (Code, error) {
	if code, ok := w.codes[leaf.Offset()]; ok {
		return code, nil
	}
	code := Code(0)
	// Where it is, else where it is registered; then as flat databases have it.
	for _, path := range [...][]any{{"country", "iso_code"}, {"registered_country", "iso_code"}, {"country_code"}, {"country"}} {
		var s *string
		err := leaf.DecodePath(&s, path...)
		var broken maxminddb.InvalidDatabaseError
		if errors.As(err, &broken) {
			return 0, err
		}
		if err != nil || s == nil { // another kind of value lies there
			continue
		}
		if c, ok := ParseCode(*s); ok && c != unassigned {
			code = c
			break
		}
	}
	w.codes[leaf.Offset()] = code
	return code, nil
}

// clean makes a text of a file fit to be shown.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	return s[:min(len(s), 64)]
}
