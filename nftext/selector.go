// SPDX-License-Identifier: MIT

package nftext

import (
	"fmt"
	"slices"

	"nftdict/dict"
)

// Selector is an expression of nft that reads a key or a value from the
// packet. The zero Selector is none.
type Selector uint8

// The selectors.
const (
	CtID Selector = 1 + iota
	CtMark
	MetaMark
	MetaIif
	MetaOif
	MetaLength
	MetaSkuid
	MetaSkgid
	MetaPriority
	IPSaddr
	IPDaddr
	IP6Saddr
	IP6Daddr
	EtherSaddr
	EtherDaddr
)

// selectors describes them: the words as nft prints them, other spellings
// that nft accepts, and what they yield.
var selectors = [...]struct {
	words   string
	aliases []string
	key     dict.KeyType // type of key; KeyInt also fits KeyMark and the other way round
	value   dict.Type    // type as a value; numbers are Int64, they are unsigned
}{
	CtID:         {"ct id", nil, dict.KeyCtID, dict.Int64},
	CtMark:       {"ct mark", nil, dict.KeyMark, dict.Int64},
	MetaMark:     {"meta mark", []string{"mark"}, dict.KeyMark, dict.Int64},
	MetaIif:      {"iif", []string{"meta iif"}, dict.KeyInt, dict.Int64},
	MetaOif:      {"oif", []string{"meta oif"}, dict.KeyInt, dict.Int64},
	MetaLength:   {"meta length", nil, dict.KeyInt, dict.Int64},
	MetaSkuid:    {"meta skuid", []string{"skuid"}, dict.KeyInt, dict.Int64},
	MetaSkgid:    {"meta skgid", []string{"skgid"}, dict.KeyInt, dict.Int64},
	MetaPriority: {"meta priority", nil, dict.KeyInt, dict.Int64},
	IPSaddr:      {"ip saddr", nil, dict.KeyIPv4, dict.IPv4},
	IPDaddr:      {"ip daddr", nil, dict.KeyIPv4, dict.IPv4},
	IP6Saddr:     {"ip6 saddr", nil, dict.KeyIPv6, dict.IPv6},
	IP6Daddr:     {"ip6 daddr", nil, dict.KeyIPv6, dict.IPv6},
	EtherSaddr:   {"ether saddr", nil, dict.KeyEther, dict.Ether},
	EtherDaddr:   {"ether daddr", nil, dict.KeyEther, dict.Ether},
}

// Selectors lists all selectors.
func Selectors() []Selector {
	all := make([]Selector, 0, len(selectors)-1)
	for s := 1; s < len(selectors); s++ {
		all = append(all, Selector(s))
	}
	return all
}

// CheckTable returns an error that wraps dict.ErrInvalid if rules cannot name a table
// so: the name begins a key wherever it stands.
func CheckTable(name string) error {
	begins := name == "dict"
	for _, s := range Selectors() {
		begins = begins || s.String() == name || slices.Contains(selectors[s].aliases, name)
	}
	if begins {
		return fmt.Errorf("%w: rules take the word %s for a key, they cannot name such a table", dict.ErrInvalid, dict.Quote(name))
	}
	return nil
}

// String returns the selector as nft prints it: `ct id`, `ip saddr`.
func (s Selector) String() string { return selectors[s].words }

// Key returns the type of key that the selector yields.
func (s Selector) Key() dict.KeyType { return selectors[s].key }

// Value returns the type of value that the selector yields.
func (s Selector) Value() dict.Type { return selectors[s].value }

// Fits reports whether what the selector yields is a key of type t: an address
// of its family or KeyAddress, a MAC address, a conntrack id only for KeyCtID,
// any other number for KeyMark and KeyInt.
func (s Selector) Fits(t dict.KeyType) bool {
	switch k := s.Key(); k {
	case dict.KeyIPv4, dict.KeyIPv6:
		return t == k || t == dict.KeyAddress
	case dict.KeyMark, dict.KeyInt:
		return t == dict.KeyMark || t == dict.KeyInt
	default:
		return t == k
	}
}
