// SPDX-License-Identifier: MIT

package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"nftdict/dict"
)

// Kind is what a subject is.
type Kind uint8

// The kinds of subjects.
const (
	User Kind = iota
	Device
	Host
	Group // with one budget for all of its users
)

// Kinds are all of them.
var kinds = [...]struct{ word, all, table string }{
	User:   {"user", "users", dict.Users},
	Device: {"device", "devices", dict.Devices},
	Host:   {"host", "hosts", dict.Hosts},
	Group:  {"group", "", dict.Groups},
}

// String returns "user", "device", "host" or "group".
func (k Kind) String() string { return kinds[k].word }

// Table returns the standard table that has the subjects' rows.
func (k Kind) Table() string { return kinds[k].table }

// ParseKind reads what String returns. The error wraps dict.ErrInvalid.
func ParseKind(word string) (Kind, error) {
	for k := range kinds {
		if kinds[k].word == word {
			return Kind(k), nil
		}
	}
	return 0, fmt.Errorf("kind %s: %w: want user, device, host or group", dict.Quote(word), dict.ErrInvalid)
}

// Subject is who has a budget: a user or group by name, a device by its MAC, a
// host by its address, in canonical form.
type Subject struct {
	Kind Kind
	Name string
}

// String returns the subject as a plan names it: "user alice".
func (s Subject) String() string { return s.Kind.String() + " " + s.Name }

// ParseSubject reads a kind and a name. The error wraps dict.ErrInvalid or
// dict.ErrTooLong.
func ParseSubject(kind Kind, name string) (Subject, error) {
	fail := func(err error, want string) (Subject, error) {
		return Subject{}, fmt.Errorf("%s %s: %w: want %s", kind, dict.Quote(name), err, want)
	}
	switch kind {
	case Device:
		k, err := dict.ParseKey(dict.KeyEther, name)
		if err != nil {
			return fail(dict.ErrInvalid, "a MAC")
		}
		name = k.String()
	case Host:
		a, err := netip.ParseAddr(name)
		if err != nil || a.Zone() != "" {
			return fail(dict.ErrInvalid, "an address")
		}
		name = a.Unmap().String()
	default:
		if _, err := dict.StringKey(name); err != nil || name == "" || strings.TrimSpace(name) != name {
			return fail(dict.ErrInvalid, "a name")
		}
	}
	return Subject{kind, name}, nil
}

// Key returns the key of the subject's row.
func (s Subject) Key() (dict.Key, error) {
	switch s.Kind {
	case Device:
		return dict.ParseKey(dict.KeyEther, s.Name)
	case Host:
		a, err := netip.ParseAddr(s.Name)
		return dict.AddrKey(a), err
	}
	return dict.StringKey(s.Name)
}

// Whom says for whom a plan is: subjects by name, all of a kind, or each user of
// a group.
type Whom struct {
	Kind    Kind
	All     bool   // all that are known
	Members bool   // Name is a group, and each user in it has the budget
	Name    string // of the subject or the group
}

// parseWhom reads one word of `for`.
func parseWhom(text string, shared bool) (Whom, error) {
	for k := range kinds {
		if kinds[k].all == text && text != "" {
			return Whom{Kind: Kind(k), All: true}, nil
		}
	}
	word, name, _ := strings.Cut(text, " ")
	kind, err := ParseKind(word)
	if err != nil {
		return Whom{}, fmt.Errorf("for %s: %w: want \"user NAME\", \"device MAC\", \"host ADDRESS\", \"group NAME\", \"users\", \"devices\" or \"hosts\"", dict.Quote(text), dict.ErrInvalid)
	}
	s, err := ParseSubject(kind, strings.TrimSpace(name))
	switch {
	case err != nil:
		return Whom{}, fmt.Errorf("for %s: %w", dict.Quote(text), err)
	case kind != Group:
		return Whom{Kind: kind, Name: s.Name}, nil
	case strings.Contains(s.Name, ","):
		return Whom{}, fmt.Errorf("for %s: %w: names of groups have no comma", dict.Quote(text), dict.ErrInvalid)
	case shared:
		return Whom{Kind: Group, Name: s.Name}, nil
	}
	return Whom{Kind: User, Members: true, Name: s.Name}, nil
}

// Is reports whether a subject is meant; groups are those of a user.
func (w Whom) Is(s Subject, groups []string) bool {
	switch {
	case w.Kind != s.Kind:
		return false
	case w.All:
		return true
	case w.Members:
		return slices.Contains(groups, w.Name)
	}
	return w.Name == s.Name
}
