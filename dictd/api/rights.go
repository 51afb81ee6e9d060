// SPDX-License-Identifier: MIT

package api

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"strings"

	"nftdict/dict"
)

// Rights says who may ask and who may change. Root, and who the daemon runs as,
// may do both; a nil Rights lets nobody else do anything.
type Rights struct{ read, write principals }

// principals are users and groups by id.
type principals struct{ users, groups map[uint32]struct{} }

// overflow is what the kernel shows in place of ids of other user namespaces that
// have none here: nobody's. Rights for it would be rights for all of them.
const overflow = 65534

// NewRights returns the Rights of those that are named: "user:NAME", "group:NAME",
// with an id in a name's place, too. Who may change may ask. The error wraps
// dict.ErrInvalid, or dict.ErrNotExist where there is no such name.
func NewRights(read, write []string) (*Rights, error) {
	var r Rights
	return &r, errors.Join(r.read.add("api.read", read), r.write.add("api.write", write))
}

// add looks names up.
func (p *principals) add(key string, names []string) error {
	var errs []error
	for _, name := range names {
		kind, id, err := lookUp(name)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("%s %s: %w", key, dict.Quote(name), err))
			continue
		case kind == 'u' && p.users == nil:
			p.users = make(map[uint32]struct{})
		case kind == 'g' && p.groups == nil:
			p.groups = make(map[uint32]struct{})
		}
		if kind == 'u' {
			p.users[id] = struct{}{}
		} else {
			p.groups[id] = struct{}{}
		}
	}
	return errors.Join(errs...)
}

// lookUp returns 'u' or 'g' and the id of a name.
func lookUp(text string) (kind byte, id uint32, err error) {
	word, name, _ := strings.Cut(text, ":")
	if (word != "user" && word != "group") || name == "" {
		return 0, 0, fmt.Errorf("%w: want user:NAME or group:NAME", dict.ErrInvalid)
	}
	number := name
	if name[0] < '0' || name[0] > '9' {
		var unknownUser user.UnknownUserError
		var unknownGroup user.UnknownGroupError
		if word == "user" {
			var u *user.User
			if u, err = user.Lookup(name); err == nil {
				number = u.Uid
			}
		} else {
			var g *user.Group
			if g, err = user.LookupGroup(name); err == nil {
				number = g.Gid
			}
		}
		if errors.As(err, &unknownUser) || errors.As(err, &unknownGroup) {
			err = fmt.Errorf("%w on this machine", dict.ErrNotExist)
		}
		if err != nil {
			return 0, 0, err
		}
	}
	n, err := strconv.ParseUint(number, 10, 32)
	if err != nil || n == 1<<32-1 {
		return 0, 0, fmt.Errorf("%w: want a number below 4294967295, or a name", dict.ErrInvalid)
	}
	if n == overflow {
		return 0, 0, fmt.Errorf("%w: %d stands for everybody of other user namespaces", dict.ErrInvalid, overflow)
	}
	return word[0], uint32(n), nil
}

func (p *principals) has(peer *Peer) bool {
	if _, ok := p.users[peer.UID]; ok {
		return true
	}
	for gid := range p.groups {
		if peer.in(gid) {
			return true
		}
	}
	return false
}

// May reports whether a peer may ask, or with change whether it may change.
func (r *Rights) May(p *Peer, change bool) bool {
	if p.UID == 0 || int(p.UID) == os.Geteuid() {
		return true
	}
	return r != nil && (r.write.has(p) || !change && r.read.has(p))
}

// mode is the socket's: who has no right to anything cannot open it where that is
// all but the owner.
func (r *Rights) mode() fs.FileMode {
	if r == nil || len(r.read.users)+len(r.read.groups)+len(r.write.users)+len(r.write.groups) == 0 {
		return 0o600
	}
	return 0o666
}
