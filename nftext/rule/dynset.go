// SPDX-License-Identifier: MIT

package rule

import (
	"fmt"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// Stateful is what is kept for each element of a set: a Limit, Quota, Counter
// or Connections.
type Stateful interface {
	Statement
	stateful() (expr.Any, error)
}

// DynSet adds the packet's key to a set, or to a map with a value for it: nft's
// meters. What is kept for the element acts as in a rule: a Limit over its
// rate lets the rule end. A full set ends the rule, too.
type DynSet struct {
	Set  *nftables.Set // Dynamic; with HasTimeout if elements go
	Key  AnyKey
	Data Value // for maps: what the key is mapped to

	Update  bool          // renew the timeout of an element that is there
	Delete  bool          // delete the key, in place of adding it
	Timeout time.Duration // whole milliseconds; 0 is the set's
	Each    []Stateful    // kept for each element
}

// Add adds the packet's key to a set, with what is kept for it.
func Add(set *nftables.Set, k AnyKey, each ...Stateful) DynSet {
	return DynSet{Set: set, Key: k, Each: each}
}

// Update is Add that renews the timeout of an element that is there.
func Update(set *nftables.Set, k AnyKey, each ...Stateful) DynSet {
	return DynSet{Set: set, Key: k, Each: each, Update: true}
}

// String returns the statement as nft writes it.
func (d DynSet) String() string {
	word, name, k := "add", "", ""
	if d.Update {
		word = "update"
	}
	if d.Delete {
		word = "delete"
	}
	if d.Set != nil {
		name = d.Set.Name
	}
	if d.Key != nil {
		k = d.Key.String()
	}
	text := word + " @" + name + " { " + k
	if d.Timeout != 0 {
		text += " timeout " + duration(d.Timeout)
	}
	for _, e := range d.Each {
		text += " " + e.String()
	}
	if d.Data != nil {
		text += " : " + d.Data.String()
	}
	return text + " }"
}

// duration writes a time as nft does.
func duration(d time.Duration) string {
	text := ""
	for _, u := range []struct {
		unit time.Duration
		word string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}, {time.Millisecond, "ms"}} {
		if n := d / u.unit; n > 0 {
			text += fmt.Sprintf("%d%s", n, u.word)
			d -= n * u.unit
		}
	}
	return text
}

func (DynSet) remedy() string {
	return "the set has to be there, in the same table, with the flag dynamic, and timeout if the element has one"
}

func (d DynSet) check() error {
	switch {
	case d.Set == nil || d.Set.Name == "" || d.Key == nil:
		return fmt.Errorf("%w: it names no set or no key", dict.ErrInvalid)
	case d.Update && d.Delete:
		return fmt.Errorf("%w: update and delete", dict.ErrInvalid)
	case d.Timeout < 0 || d.Timeout%time.Millisecond != 0:
		return fmt.Errorf("timeout %s: %w: want whole milliseconds", d.Timeout, dict.ErrInvalid)
	case d.Set.KeyType.Name != "" && d.Timeout != 0 && !d.Set.HasTimeout:
		return fmt.Errorf("set %s: %w: it has no timeouts: set HasTimeout", d.Set.Name, dict.ErrInvalid)
	case d.Set.KeyType.Name != "" && !d.Set.Dynamic:
		return fmt.Errorf("set %s: %w: rules cannot change it: set Dynamic", d.Set.Name, dict.ErrInvalid)
	}
	for _, e := range d.Each {
		if _, ok := e.(Connections); ok && d.Set.HasTimeout {
			return fmt.Errorf("set %s: %w: ct count needs one without timeouts", d.Set.Name, dict.ErrInvalid)
		}
	}
	return fits(d.Key, d.Set, d.Data != nil)
}

func (d DynSet) build(b *builder) error {
	if d.Set != nil {
		d.Set = b.known(d.Set)
	}
	if err := d.check(); err != nil {
		return err
	}
	e := &expr.Dynset{SrcRegKey: reg1, SetID: d.Set.ID, SetName: d.Set.Name, Timeout: d.Timeout, Operation: unix.NFT_DYNSET_OP_ADD}
	const opDelete = 2 // NFT_DYNSET_OP_DELETE
	switch {
	case d.Update:
		e.Operation = unix.NFT_DYNSET_OP_UPDATE
	case d.Delete:
		e.Operation = opDelete
	}
	if d.Data != nil {
		// The data first: what yields it may use the key's register.
		if have := d.Set.DataType; have.Bytes != 0 && d.Data.dataType().Bytes != 0 && have.Bytes != d.Data.dataType().Bytes {
			return fmt.Errorf("map %s: %w: it holds %s, not %s", d.Set.Name, dict.ErrInvalid, have.Name, d.Data.dataType().Name)
		}
		e.SrcRegData = reg3
		if d.Key.dataType().Bytes > 32 {
			return fmt.Errorf("%w: the key leaves no register for the data", dict.ErrInvalid)
		}
		if err := d.Data.into(b, reg3); err != nil {
			return err
		}
	}
	if err := loadFor(b, d.Key, d.Set); err != nil {
		return err
	}
	for _, s := range d.Each {
		each, err := s.stateful()
		if err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
		e.Exprs = append(e.Exprs, each)
	}
	b.add(e)
	return nil
}
