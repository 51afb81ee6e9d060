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
	kern *conntrack.Client
}

var _ Recaller = (*Carrier)(nil)

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
	c := &Carrier{cfg: cfg}
	var err error
	if c.kern, err = conntrack.Dial(cfg.NetNS); err != nil {
		return nil, err
	}
	return c, nil
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
// of which that failed.
func (c *Carrier) Carry(flows []conntrack.Flow) (missing []uint32, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	var gone []uint32
	for len(flows) > 0 {
		part := flows[:min(len(flows), carryPart)]
		flows = flows[len(part):]
		left, old, err := c.carry(part)
		missing, gone = append(missing, left...), append(gone, old...)
		errs = append(errs, err)
	}
	// All are back by now.
	for _, id := range gone {
		if err := c.cfg.Store.Delete(dict.Sessions, dict.CtID(id)); err != nil && !errors.Is(err, dict.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return missing, fmt.Errorf("recall: %w", err)
	}
	return missing, nil
}

// carryPart is how many connections are without their row at a time, for as long as it
// takes to make their entries and to write the rows.
const carryPart = 32

// carry returns those that stay in a flowtable, and the ids that are nobody's now.
func (c *Carrier) carry(flows []conntrack.Flow) (missing, gone []uint32, err error) {
	rows := make([]*dict.Row, len(flows))
	var errs []error
	for i := range flows {
		switch row, err := c.cfg.Store.Get(dict.Sessions, dict.CtID(flows[i].ID)); {
		case err == nil:
			rows[i] = &row
		case !errors.Is(err, dict.ErrNotExist):
			errs = append(errs, err)
		}
	}
	if c.cfg.Sessions != nil {
		for i := range flows {
			c.cfg.Sessions.Depart(&flows[i])
		}
	}
	all, err := c.kern.Carry(flows, c.cfg.Lives)
	errs = append(errs, err)
	var moved []dict.Row
	now := make([]*conntrack.Flow, len(flows))
	for i := range all {
		switch a := &all[i]; {
		case a.Err == nil:
			now[i] = &a.Now
		case errors.Is(a.Err, conntrack.ErrNotFound): // it had ended
		default:
			// Somebody's entry is there: a packet's, or still the old one.
			found, failed := c.kern.Lookup(flows[i].Orig, flows[i].Zone)
			if failed != nil {
				break
			}
			now[i] = &found
			if found.ID == flows[i].ID && found.Offloaded() {
				missing = append(missing, found.ID)
				errs = append(errs, a.Err)
			}
		}
		if now[i] == nil || now[i].ID != flows[i].ID {
			gone = append(gone, flows[i].ID)
		}
		if now[i] != nil && rows[i] != nil && now[i].ID != flows[i].ID {
			moved = append(moved, dict.Row{Key: dict.CtID(now[i].ID), Cells: rows[i].Cells})
		}
	}
	if len(moved) > 0 {
		errs = append(errs, c.cfg.Store.Put(dict.Sessions, moved...))
	}
	if c.cfg.Sessions != nil {
		for i := range flows {
			c.cfg.Sessions.Arrive(&flows[i], now[i])
		}
	}
	return missing, gone, errors.Join(errs...)
}
