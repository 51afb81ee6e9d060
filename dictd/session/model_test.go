// SPDX-License-Identifier: MIT

package session

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"nftdict/dictd/conntrack"
)

// connection is one incarnation of a conntrack entry in the model.
type connection struct {
	flow      conntrack.Flow
	confirmed bool
	gone      bool
}

// queued is a packet on its way to the daemon.
type queued struct {
	c     *connection
	first bool
}

// model is a kernel that makes, confirms, rejects and deletes entries at
// random, with few ids and few tuples, so that they are reused at once, and
// whose events and packets arrive when they like.
type model struct {
	*rig
	rng      *rand.Rand
	entries  []*connection
	packets  []queued
	inFlight []*connection           // accepted first packets on their way to confirmation
	members  map[int64][]*connection // the connections that had packets of a session
}

func (m *model) live(f func(*connection) bool) *connection {
	i := slices.IndexFunc(m.entries, func(c *connection) bool { return !c.gone && f(c) })
	if i < 0 {
		return nil
	}
	return m.entries[i]
}

// arrive is a packet of a random tuple that reaches the rules.
func (m *model) arrive() {
	t := tuple(uint16(m.rng.IntN(3)))
	if c := m.live(func(c *connection) bool { return c.confirmed && c.flow.Orig == t }); c != nil {
		m.packets = append(m.packets, queued{c, false})
		return
	}
	id := uint32(m.rng.IntN(6))
	if m.live(func(c *connection) bool { return c.flow.ID == id }) != nil && m.rng.IntN(20) > 0 {
		return // ids of living entries differ, nearly always
	}
	if m.live(func(c *connection) bool { return c.flow.ID == id && c.flow.Orig == t }) != nil {
		return // two entries with one tuple and one id
	}
	c := &connection{flow: flow(id, t)}
	m.entries = append(m.entries, c)
	m.rows.Delete(id) // the rule
	m.packets = append(m.packets, queued{c, true})
}

// handle lets the daemon see the oldest queued packet.
func (m *model) handle() {
	if len(m.packets) == 0 {
		return
	}
	q := m.packets[0]
	m.packets = m.packets[1:]
	n := m.packet(Packet{ID: q.c.flow.ID, Tuple: q.c.flow.Orig, First: q.first})
	if q.first {
		m.inFlight = append(m.inFlight, q.c)
	}
	if n == 0 {
		return
	}
	members := m.members[n]
	if !q.c.gone && !slices.Contains(members, q.c) {
		// It is the first of a session, or came while one before it lived.
		ended := func(c *connection) bool { return c.gone && c.confirmed }
		alive := func(c *connection) bool { return !c.gone }
		if len(members) > 0 && (members[0].flow.Orig != q.c.flow.Orig || slices.ContainsFunc(members, ended) && !slices.ContainsFunc(members, alive)) {
			m.t.Fatalf("session %d takes in a packet of %s: %+v", n, q.c.flow.Orig, members)
		}
		m.members[n] = append(members, q.c)
	}
	m.check(q.c)
}

// check is the rule on the dictionary that the packet meets next.
func (m *model) check(c *connection) {
	n, ok := m.rows.rows[c.flow.ID]
	if !ok || c.gone {
		return
	}
	if !slices.Contains(m.members[n], c) {
		m.t.Fatalf("a packet of %s id %d meets the row of session %d", c.flow.Orig, c.flow.ID, n)
	}
}

// settle accepts or rejects a first packet that has its verdict.
func (m *model) settle() {
	if len(m.inFlight) == 0 {
		return
	}
	c := m.inFlight[0]
	m.inFlight = m.inFlight[1:]
	clash := m.live(func(o *connection) bool { return o.confirmed && o.flow.Orig == c.flow.Orig })
	if clash != nil || m.rng.IntN(4) == 0 {
		c.gone = true
		return
	}
	c.confirmed = true
	m.kernel.confirm(c.flow)
}

// end deletes a random confirmed entry.
func (m *model) end() {
	c := m.live(func(c *connection) bool { return c.confirmed && m.rng.IntN(3) == 0 })
	if c != nil {
		c.gone = true
		m.kernel.destroy(c.flow)
	}
}

func TestNoPacketMeetsAStaleRow(t *testing.T) {
	for seed := range uint64(300) {
		m := &model{rig: newRig(t, 100), rng: rand.New(rand.NewPCG(seed, 1)), members: make(map[int64][]*connection)}
		for range 2000 {
			switch m.rng.IntN(12) {
			case 0, 1, 2:
				m.arrive()
			case 3, 4, 5:
				m.handle()
			case 6, 7:
				m.settle()
			case 8:
				m.end()
			case 9, 10:
				m.kernel.deliver(1 + m.rng.IntN(3))
			case 11:
				m.now = m.now.Add(time.Second)
				m.Expire(m.now)
				if m.rng.IntN(20) == 0 {
					if err := m.Reconcile(m.now, nil, nil); err != nil {
						t.Fatal(err)
					}
				}
			}
			m.entries = slices.DeleteFunc(m.entries, func(c *connection) bool { return c.gone })
		}
		// All ends; nothing is left.
		for _, c := range m.entries {
			if c.confirmed {
				c.gone = true
				m.kernel.destroy(c.flow)
			}
		}
		m.kernel.deliver(1 << 20)
		m.now = m.now.Add(time.Hour)
		m.Expire(m.now)
		if n := m.Len(); n != 0 {
			t.Fatalf("seed %d: %d sessions are left after all connections have ended: %+v", seed, n, m.Stats())
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
