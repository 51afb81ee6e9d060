// SPDX-License-Identifier: MIT

package offload

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"nftdict/dict"
	"nftdict/dictd/conntrack"
)

// Carrier takes connections out of flowtables by having conntrack make their entries
// anew: the way where the kernel has no better one. A connection has another id then,
// under which it finds its row.
type Carrier struct {
	cfg  CarrierConfig
	mu   sync.Mutex
	kern carrierKernel
}

var _ Recaller = (*Carrier)(nil)

// carrierKernel is conntrack, as a Carrier sees it.
type carrierKernel interface {
	Carry(flows []conntrack.Flow, lives func(*conntrack.Flow) time.Duration) ([]conntrack.Carried, error)
	Lookuper
	Offloaded(f func(*conntrack.Flow)) error
	Close() error
}

var _ carrierKernel = (*conntrack.Client)(nil)

// CarrierConfig says what a Carrier works on.
type CarrierConfig struct {
	NetNS int // descriptor of the network namespace; 0 means the caller's
	Store dict.Store
	// Sessions, which may be nil, are told of entries that are replaced: before, and
	// after it with the new one, nil if there is none.
	Sessions interface {
		Depart(*conntrack.Flow)
		Arrive(was, now *conntrack.Flow)
		Entries
	}
	Lives func(*conntrack.Flow) time.Duration // of an entry without packets
}

// NewCarrier returns a Carrier. Close must follow.
func NewCarrier(cfg CarrierConfig) (*Carrier, error) {
	kern, err := conntrack.Dial(cfg.NetNS)
	if err != nil {
		return nil, err
	}
	return &Carrier{cfg: cfg, kern: kern}, nil
}

// Close releases the socket.
func (c *Carrier) Close() error { return c.kern.Close() }

// Recall implements Recaller.
func (c *Carrier) Recall(ids []uint32) (missing []uint32, err error) {
	if c.cfg.Sessions != nil {
		if flows, ok := Few(c.kern, c.cfg.Sessions, ids); ok {
			return c.Carry(flows)
		}
	}
	wanted := make(map[uint32]struct{}, len(ids))
	for _, id := range ids {
		wanted[id] = struct{}{}
	}
	var flows []conntrack.Flow
	if err := c.kern.Offloaded(func(f *conntrack.Flow) {
		if _, ok := wanted[f.ID]; ok {
			flows = append(flows, *f)
		}
	}); err != nil {
		return ids, fmt.Errorf("recall: %w", err)
	}
	return c.Carry(flows)
}

// Carry makes the entries of connections anew, in flowtables or not. missing are those
// of which that failed, and those whose rows cannot be read, which would be lost.
func (c *Carrier) Carry(flows []conntrack.Flow) (missing []uint32, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var w work
	for len(flows) > 0 {
		part := flows[:min(len(flows), carryPart)]
		flows = flows[len(part):]
		if c.carry(part, &w); w.full { // for the next ones
			c.drop(&w, len(w.gone))
		}
	}
	// All are back by now.
	c.drop(&w, len(w.gone))
	if err := errors.Join(w.errs...); err != nil {
		return w.missing, fmt.Errorf("recall: %w", err)
	}
	return w.missing, nil
}

// carryPart is how many connections are without their row at a time, for as long as it
// takes to make their entries and to write the rows.
const carryPart = 32

// work is what a Carry has done so far.
type work struct {
	missing []uint32 // that stay in a flowtable
	gone    []uint32 // whose rows are nobody's now
	full    bool     // not all rows of the last part found room at first
	errs    []error
}

// move is a row that is to have another id.
type move struct {
	was uint32
	row dict.Row
}

// carry carries a part.
func (c *Carrier) carry(flows []conntrack.Flow, w *work) {
	flows, rows := c.read(flows, w)
	if c.cfg.Sessions != nil {
		for i := range flows {
			c.cfg.Sessions.Depart(&flows[i])
		}
	}
	all, err := c.kern.Carry(flows, c.cfg.Lives)
	w.errs = append(w.errs, err)
	var moved []move
	now := make([]*conntrack.Flow, len(flows))
	for i := range all {
		now[i] = c.became(&flows[i], &all[i], w)
		switch {
		case now[i] != nil && now[i].ID == flows[i].ID:
		case now[i] != nil && rows[i] != nil:
			moved = append(moved, move{flows[i].ID, dict.Row{Key: dict.CtID(now[i].ID), Cells: rows[i].Cells}})
		default:
			w.gone = append(w.gone, flows[i].ID)
		}
	}
	c.write(moved, w)
	if c.cfg.Sessions != nil {
		for i := range flows {
			c.cfg.Sessions.Arrive(&flows[i], now[i])
		}
	}
}

// read returns those connections whose rows can be read, with these; nil where there is none.
func (c *Carrier) read(flows []conntrack.Flow, w *work) (known []conntrack.Flow, rows []*dict.Row) {
	for i := range flows {
		switch row, err := c.cfg.Store.Get(dict.Sessions, dict.CtID(flows[i].ID)); {
		case err == nil:
			known, rows = append(known, flows[i]), append(rows, &row)
		case errors.Is(err, dict.ErrNotExist):
			known, rows = append(known, flows[i]), append(rows, nil)
		default:
			w.missing, w.errs = append(w.missing, flows[i].ID), append(w.errs, err)
		}
	}
	return known, rows
}

// became returns the entry that a connection has now, nil if it has ended.
func (c *Carrier) became(was *conntrack.Flow, a *conntrack.Carried, w *work) *conntrack.Flow {
	switch {
	case a.Err == nil:
		return &a.Now
	case errors.Is(a.Err, conntrack.ErrNotFound):
		return nil
	}
	// Somebody's entry is there: a packet's, or still the old one.
	found, err := c.kern.Lookup(was.Orig, was.Zone)
	switch {
	case errors.Is(err, conntrack.ErrNotFound):
		return nil
	case err != nil: // its row is not to be lost if it is
		found = *was
	}
	if err != nil || found.ID == was.ID && found.Offloaded() {
		w.missing, w.errs = append(w.missing, found.ID), append(w.errs, a.Err, err)
	}
	return &found
}

// write writes rows under their new ids.
func (c *Carrier) write(moved []move, w *work) {
	if w.full = false; len(moved) == 0 {
		return
	}
	rows := make([]dict.Row, len(moved))
	for i := range moved {
		rows[i] = moved[i].row
	}
	err := c.cfg.Store.Put(dict.Sessions, rows...)
	w.full = errors.Is(err, dict.ErrFull)
	var refused []move
	for _, m := range moved {
		if err != nil {
			if _, err := c.cfg.Store.Get(dict.Sessions, m.row.Key); err != nil {
				refused = append(refused, m)
				continue
			}
		}
		w.gone = append(w.gone, m.was)
	}
	for _, m := range refused {
		c.again(m, w)
	}
}

// again writes a row that was refused. Where there is no room it gets that of rows that
// are nobody's, and if none are left, that of its connection's row of before: one
// connection is without, should the daemon die in between.
func (c *Carrier) again(m move, w *work) {
	for w.full && len(w.gone) > 0 { // others may be faster
		c.drop(w, 1)
		if c.cfg.Store.Put(dict.Sessions, m.row) == nil {
			w.gone = append(w.gone, m.was)
			return
		}
	}
	if w.full {
		w.gone = append(w.gone, m.was)
		c.drop(w, 1)
	}
	switch err := c.cfg.Store.Put(dict.Sessions, m.row); {
	case err != nil:
		w.errs = append(w.errs, err)
	case !w.full:
		w.gone = append(w.gone, m.was)
	}
}

// drop deletes the last n rows that are nobody's.
func (c *Carrier) drop(w *work, n int) {
	for ; n > 0; n-- {
		last := len(w.gone) - 1
		if err := c.cfg.Store.Delete(dict.Sessions, dict.CtID(w.gone[last])); err != nil && !errors.Is(err, dict.ErrNotExist) {
			w.errs = append(w.errs, err)
		}
		w.gone = w.gone[:last]
	}
}
