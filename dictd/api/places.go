// SPDX-License-Identifier: MIT

package api

import "sync"

// places are what there is a number of. Nobody but root takes more of them than one
// user may, and root finds some kept for him.
type places struct {
	most    int // of everybody but root
	ofUser  int // of one user
	forRoot int // besides

	mu    sync.Mutex
	total int
	of    map[uint32]int // by user
}

func newPlaces(most, ofUser, forRoot int) *places {
	return &places{most: most, ofUser: ofUser, forRoot: forRoot, of: make(map[uint32]int)}
}

// enter takes a place for a user, false if there is none.
func (p *places) enter(uid uint32) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	limit := p.most
	if uid == 0 {
		limit += p.forRoot
	}
	if p.total >= limit || uid != 0 && p.of[uid] >= p.ofUser {
		return false
	}
	p.total++
	p.of[uid]++
	return true
}

// exit gives the place of a user back.
func (p *places) exit(uid uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total--
	if p.of[uid]--; p.of[uid] == 0 {
		delete(p.of, uid)
	}
}
