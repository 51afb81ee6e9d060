// SPDX-License-Identifier: MIT

package rules

import (
	"errors"
	"fmt"
	"sync"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

const (
	family = unix.NFPROTO_INET

	flagOwner   = 1 << 1 // the table is its creator's while that lives
	flagPersist = 1 << 2 // and stays afterwards
)

// kernel is what a kernel offers to the rules.
type kernel struct {
	nftQueue bool // nft's own queue expression
	xtQueue  bool // the xt NFQUEUE target
	owner    bool // table flags owner and persist
}

// Table is the daemon's table in one network namespace. Its methods may be
// called by several goroutines.
type Table struct {
	mu     sync.Mutex
	conn   *netlink.Conn
	netns  int
	name   string
	kernel kernel
	owned  bool
}

// Options of a Table.
type Options struct {
	Name  string // of the table
	NetNS int    // descriptor of the network namespace; 0 means the caller's
	// NoOwner leaves the table open to others even where the kernel could lock it.
	NoOwner bool
}

// Open prepares a table: it tries what the kernel can do, and changes nothing.
// It needs CAP_NET_ADMIN.
func Open(o Options) (*Table, error) {
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: o.NetNS})
	if err != nil {
		return nil, fmt.Errorf("nf_tables: %w", err)
	}
	_ = conn.SetOption(netlink.ExtendedAcknowledge, true) // better texts where there are any
	t := &Table{conn: conn, netns: o.NetNS, name: o.Name}
	if t.kernel, err = probe(conn); err != nil {
		conn.Close()
		return nil, fmt.Errorf("nf_tables: %w", err)
	}
	if o.NoOwner {
		t.kernel.owner = false
	}
	return t, nil
}

// Own locks the table against others, where the kernel can, before Install does:
// what is in it stays. It fails while another process holds the table.
func (t *Table) Own() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.kernel.owner {
		return nil
	}
	b := newBatch(family)
	b.table(t.name, flagOwner|flagPersist)
	if err := b.commit(t.conn); err != nil {
		return fmt.Errorf("lock table inet %s: %w", t.name, ownedByOther(err))
	}
	t.owned = true
	return nil
}

// Install puts the table into the kernel, in place of the one there, in one
// transaction. The terms' file descriptors must stay open until it returns.
func (t *Table) Install(c Config, terms Terms) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	flags := uint32(0)
	if t.kernel.owner {
		flags = flagOwner | flagPersist
	}
	b := newBatch(family)
	// Created if it is not there, so that there is one to delete. With the flags
	// this takes a table over that a dead daemon has left.
	b.table(t.name, flags)
	b.deleteTable(t.name)
	b.table(t.name, flags)
	chains := layout(c, t.kernel, terms)
	for _, ch := range chains {
		b.chain(t.name, ch)
	}
	for _, ch := range chains {
		for _, r := range ch.rules {
			b.rule(t.name, ch.name, r)
		}
	}
	if err := b.commit(t.conn); err != nil {
		return fmt.Errorf("install table inet %s: %w", t.name, ownedByOther(err))
	}
	t.owned = t.kernel.owner
	return nil
}

// Remove deletes the table. It is no error if there is none.
func (t *Table) Remove() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := newBatch(family)
	b.deleteTable(t.name)
	if err := b.commit(t.conn); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("remove table inet %s: %w", t.name, ownedByOther(err))
	}
	t.owned = false
	return nil
}

// ownedByOther explains the kernel's EPERM for a table that another process
// holds. Who lacks the capability got EPERM before.
func ownedByOther(err error) error {
	if errors.Is(err, unix.EPERM) {
		// The kernel refuses each message of the transaction, and once is enough.
		if all := (refusals)(nil); errors.As(err, &all) {
			err = all[0].error
		}
		return fmt.Errorf("%w: another running dictd owns it, or CAP_NET_ADMIN is missing", err)
	}
	return err
}

// Close releases the socket. The table stays.
func (t *Table) Close() error { return t.conn.Close() }

// Features tells what the rules use of the kernel.
type Features struct {
	Queue string `json:"queue"` // "nft" or "xt NFQUEUE"
	Owner bool   `json:"owner"` // the table is locked against others
}

// Features returns what was found out about the kernel.
func (t *Table) Features() Features {
	f := Features{Queue: "nft", Owner: t.kernel.owner}
	if !t.kernel.nftQueue {
		f.Queue = "xt NFQUEUE"
	}
	return f
}
