// SPDX-License-Identifier: MIT

package classifier

import (
	"hash/maphash"
	"sync"
	"time"
)

// rememberedParts is the number of locks that entries are spread over.
const rememberedParts = 16

// remembered is what sessions leave for later ones by key: bounded, and for a
// while. When it is full an entry chosen at random gives way. It is safe for
// concurrent use.
type remembered[K comparable, V any] struct {
	seed   maphash.Seed
	most   int // entries of a part
	maxAge time.Duration
	parts  [rememberedParts]rememberedPart[K, V]
}

type rememberedPart[K comparable, V any] struct {
	mu      sync.Mutex
	entries map[K]rememberedEntry[V]
}

type rememberedEntry[V any] struct {
	value V
	last  time.Time
}

// init makes room for total entries, rounded up to a multiple of the parts, that
// are forgotten when nothing confirmed them for maxAge.
func (r *remembered[K, V]) init(total int, maxAge time.Duration) {
	r.seed, r.maxAge = maphash.MakeSeed(), maxAge
	r.most = (total + rememberedParts - 1) / rememberedParts
	for i := range r.parts {
		r.parts[i].entries = make(map[K]rememberedEntry[V])
	}
}

func (r *remembered[K, V]) part(k K) *rememberedPart[K, V] {
	return &r.parts[maphash.Comparable(r.seed, k)%rememberedParts]
}

// confirm keeps what next makes of the value under k, of which known says whether
// there is one.
func (r *remembered[K, V]) confirm(k K, now time.Time, next func(v V, known bool) V) {
	p := r.part(k)
	p.mu.Lock()
	defer p.mu.Unlock()
	e, held := p.entries[k]
	if !held && len(p.entries) >= r.most {
		for other := range p.entries {
			delete(p.entries, other)
			break
		}
	}
	known := held && now.Sub(e.last) <= r.maxAge
	p.entries[k] = rememberedEntry[V]{next(e.value, known), now}
}

// find returns the value under k.
func (r *remembered[K, V]) find(k K, now time.Time) (v V, ok bool) {
	p := r.part(k)
	p.mu.Lock()
	defer p.mu.Unlock()
	e, held := p.entries[k]
	if !held {
		return v, false
	}
	if now.Sub(e.last) > r.maxAge {
		delete(p.entries, k)
		return v, false
	}
	return e.value, true
}

// take is find that forgets the value, which must have been confirmed within the
// time given.
func (r *remembered[K, V]) take(k K, within time.Duration, now time.Time) (v V, ok bool) {
	p := r.part(k)
	p.mu.Lock()
	defer p.mu.Unlock()
	e, held := p.entries[k]
	delete(p.entries, k)
	if !held || now.Sub(e.last) > min(within, r.maxAge) {
		return v, false
	}
	return e.value, true
}

// len returns the number of entries held, old ones included.
func (r *remembered[K, V]) len() int {
	n := 0
	for i := range r.parts {
		r.parts[i].mu.Lock()
		n += len(r.parts[i].entries)
		r.parts[i].mu.Unlock()
	}
	return n
}
