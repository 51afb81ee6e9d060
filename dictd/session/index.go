// SPDX-License-Identifier: MIT

package session

import (
	"slices"
	"sync"
)

// index finds sessions by conntrack id. Ids are hashes already: their low bits
// choose a shard.
type index struct {
	shards [64]shard
}

type shard struct {
	mu sync.RWMutex
	// one holds the only, or the first, session of an id; more all of them where
	// there are several.
	one  map[uint32]*Session
	more map[uint32][]*Session
}

func newIndex() *index {
	x := new(index)
	for i := range x.shards {
		x.shards[i].one = make(map[uint32]*Session)
	}
	return x
}

func (x *index) shard(id uint32) *shard { return &x.shards[id%uint32(len(x.shards))] }

// get returns the first session of an id, or nil.
func (x *index) get(id uint32) *Session {
	sh := x.shard(id)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.one[id]
}

// all returns a copy of all sessions of an id.
func (x *index) all(id uint32) []*Session {
	sh := x.shard(id)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	if all := sh.more[id]; all != nil {
		return slices.Clone(all)
	}
	if s := sh.one[id]; s != nil {
		return []*Session{s}
	}
	return nil
}

// each calls f for all sessions, once for each of their ids, and holds a shard's
// lock for reading meanwhile.
func (x *index) each(f func(*Session)) {
	for i := range x.shards {
		sh := &x.shards[i]
		sh.mu.RLock()
		for id, s := range sh.one {
			if all := sh.more[id]; all != nil {
				for _, s := range all {
					f(s)
				}
				continue
			}
			f(s)
		}
		sh.mu.RUnlock()
	}
}

// add gives an id to a session that does not have it and returns how many
// sessions have it now.
func (x *index) add(id uint32, s *Session) int {
	sh := x.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	first := sh.one[id]
	if first == nil {
		sh.one[id] = s
		return 1
	}
	if sh.more == nil {
		sh.more = make(map[uint32][]*Session)
	}
	all := sh.more[id]
	if all == nil {
		all = []*Session{first}
	}
	sh.more[id] = append(all, s)
	return len(sh.more[id])
}

// remove takes an id from a session and returns the sessions that keep it, if
// it was shared.
func (x *index) remove(id uint32, s *Session) (left []*Session) {
	sh := x.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	all := sh.more[id]
	if all == nil {
		if sh.one[id] == s {
			delete(sh.one, id)
		}
		return nil
	}
	all = slices.DeleteFunc(all, func(o *Session) bool { return o == s })
	sh.one[id] = all[0]
	if sh.more[id] = all; len(all) == 1 {
		delete(sh.more, id)
	}
	return slices.Clone(all)
}

// ambiguous reports whether several sessions have the id.
func (x *index) ambiguous(id uint32) bool {
	sh := x.shard(id)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.more[id] != nil
}
