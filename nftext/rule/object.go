// SPDX-License-Identifier: MIT

package rule

import (
	"fmt"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// NamedCounter counts in a counter of the table.
func NamedCounter(name string) Statement {
	return object("counter name", unix.NFT_OBJECT_COUNTER, name)
}

// NamedQuota holds as the table's quota does.
func NamedQuota(name string) Statement { return object("quota name", unix.NFT_OBJECT_QUOTA, name) }

// NamedLimit holds as the table's limit does.
func NamedLimit(name string) Statement { return object("limit name", unix.NFT_OBJECT_LIMIT, name) }

// NamedSynproxy is Synproxy with the settings that the table has under a name.
func NamedSynproxy(name string) Statement {
	return object("synproxy name", unix.NFT_OBJECT_SYNPROXY, name)
}

// SetHelper gives the connection a helper of the table.
func SetHelper(name string) Statement {
	return object("ct helper set", unix.NFT_OBJECT_CT_HELPER, name)
}

// SetTimeout gives the connection a timeout policy of the table.
func SetTimeout(name string) Statement {
	return object("ct timeout set", unix.NFT_OBJECT_CT_TIMEOUT, name)
}

// SetExpectation makes the connection expect others, by a policy of the table.
func SetExpectation(name string) Statement {
	return object("ct expectation set", unix.NFT_OBJECT_CT_EXPECT, name)
}

// object refers to an object of the table.
func object(word string, typ int, name string) Statement {
	return statement{text: word + " " + quote(name), help: "the object has to be there, in the same table", make: func(b *builder) error {
		if name == "" {
			return fmt.Errorf("%w: it has no name", dict.ErrInvalid)
		}
		b.add(&expr.Objref{Type: typ, Name: name})
		return nil
	}}
}
