// SPDX-License-Identifier: MIT

package offload

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"nftdict/dict"
)

// Whom names connections: those of somebody, of an application, or one.
type Whom struct {
	Kind WhomKind
	Name string // as ParseWhom has checked it; "" of All and Strangers
}

// WhomKind is by what connections are named.
type WhomKind uint8

// The kinds.
const (
	OfCt WhomKind = iota // a conntrack id
	OfHost
	OfUser
	OfDevice
	OfApplication
	OfCategory
	OfGroup
	All       // of every flowtable
	Strangers // of which neither end is known; nobody names them from outside
)

var whomKinds = []string{OfCt: "ct", OfHost: "host", OfUser: "user", OfDevice: "device", OfApplication: "application", OfCategory: "category", OfGroup: "group", All: "all", Strangers: "strangers"}

// String returns the name of a kind.
func (k WhomKind) String() string {
	if int(k) < len(whomKinds) {
		return whomKinds[k]
	}
	return fmt.Sprintf("kind-%d", uint8(k))
}

// String returns kind and name.
func (w Whom) String() string {
	if w.Name == "" {
		return w.Kind.String()
	}
	return w.Kind.String() + " " + w.Name
}

// ParseWhom reads a name of a kind, and brings numbers and addresses into the form in
// which they are written. The error wraps dict.ErrInvalid.
func ParseWhom(kind, name string) (Whom, error) {
	kinds := whomKinds[:All+1]
	i := slices.Index(kinds, kind)
	w := Whom{WhomKind(i), name}
	var err error
	switch {
	case i < 0:
		return Whom{}, fmt.Errorf("%s: %w: want one of %s", dict.Quote(kind), dict.ErrInvalid, strings.Join(kinds, ", "))
	case w.Kind == All:
		if name != "" {
			err = fmt.Errorf("%w: all has no name", dict.ErrInvalid)
		}
	case name == "":
		return Whom{}, fmt.Errorf("%s: %w: say which one", kind, dict.ErrInvalid)
	case w.Kind == OfCt:
		var id uint64
		if id, err = strconv.ParseUint(name, 0, 32); err != nil {
			err = fmt.Errorf("%w: want the number that `conntrack -L -o id` shows", dict.ErrInvalid)
		}
		w.Name = strconv.FormatUint(id, 10)
	case w.Kind == OfHost:
		var a netip.Addr
		if a, err = netip.ParseAddr(name); err != nil || a.Zone() != "" {
			err = fmt.Errorf("%w: want an address", dict.ErrInvalid)
		}
		w.Name = a.Unmap().String()
	case w.Kind == OfDevice:
		var k dict.Key
		if k, err = dict.ParseKey(dict.KeyEther, name); err == nil {
			w.Name = k.String()
		}
	default:
		_, err = dict.StringKey(name)
	}
	if err != nil {
		return Whom{}, fmt.Errorf("%s %s: %w", kind, dict.Quote(name), err)
	}
	return w, nil
}

// Ct returns the Whom that is one connection.
func Ct(id uint32) Whom { return Whom{OfCt, strconv.FormatUint(uint64(id), 10)} }

// ID returns the conntrack id of a Whom of kind OfCt.
func (w Whom) ID() uint32 {
	id, _ := strconv.ParseUint(w.Name, 10, 32) // it was checked
	return uint32(id)
}
