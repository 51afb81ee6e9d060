// SPDX-License-Identifier: MIT

package rules

import (
	"errors"
	"fmt"
	"sync"

	"github.com/google/nftables"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/nftext"
	"nftdict/nftext/rule"
)

const (
	family = nftables.TableFamilyINet

	// lock leaves the table to its creator while that lives, and then to all.
	lock = rule.TableOwner | rule.TablePersist
)

// Table is the daemon's table in one network namespace. Its methods may be
// called by several goroutines.
type Table struct {
	mu     sync.Mutex
	conn   *netlink.Conn
	netns  int
	name   string
	kernel rule.Features
	owned  bool

	schema   nftext.Schema
	compiler nftext.Compiler
}

// Options of a Table.
type Options struct {
	Name  string // of the table
	NetNS int    // descriptor of the network namespace; 0 means the caller's
	// Schema and Compiler are for the dict terms of a Policy.
	Schema   nftext.Schema
	Compiler nftext.Compiler
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
	t := &Table{conn: conn, netns: o.NetNS, name: o.Name, schema: o.Schema, compiler: o.Compiler}
	if t.kernel, err = rule.Probe(o.NetNS); err == nil && !t.kernel.Queue && !t.kernel.XTQueue {
		err = fmt.Errorf("no way to queue packets: %w: needs CONFIG_NFT_QUEUE, or CONFIG_NETFILTER_XT_TARGET_NFQUEUE with CONFIG_NFT_COMPAT", unix.EOPNOTSUPP)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("nf_tables: %w", err)
	}
	if o.NoOwner {
		t.kernel.Owner = false
	}
	return t, nil
}

// batch returns an empty transaction of the table's socket, which owns it.
func (t *Table) batch() (*rule.Batch, *nftables.Table) {
	return rule.NewBatch(rule.Options{Conn: t.conn, Features: &t.kernel, Schema: t.schema, Compiler: t.compiler}), &nftables.Table{Name: t.name, Family: family}
}

// Own locks the table against others, where the kernel can, before Install does:
// what is in it stays. It fails while another process holds the table.
func (t *Table) Own() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.kernel.Owner {
		return nil
	}
	b, table := t.batch()
	b.AddTable(table, lock)
	if err := b.Commit(); err != nil {
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
	return t.install(nil, layout(c, terms))
}

// install puts the table with chains, and perhaps a flowtable, in the place of what
// is there. t is locked.
func (t *Table) install(f *Flowtable, chains []chain) error {
	var flags rule.TableFlags
	if t.kernel.Owner {
		flags = lock
	}
	b, table := t.batch()
	// Created if it is not there, so that there is one to delete. With the flags
	// this takes a table over that a dead daemon has left.
	b.AddTable(table, flags)
	b.Conn().DelTable(table)
	b.AddTable(table, flags)
	if f != nil {
		b.Conn().AddFlowtable(f.object(table))
	}
	for _, ch := range chains {
		made := &nftables.Chain{Name: ch.name, Table: table}
		if ch.hook != nil {
			made.Type, made.Hooknum, made.Priority = nftables.ChainTypeFilter, ch.hook, nftables.ChainPriorityRef(nftables.ChainPriority(ch.priority))
			if ch.nat {
				made.Type = nftables.ChainTypeNAT
			}
		}
		b.Conn().AddChain(made)
		b.Add(made, ch.rules...)
	}
	if err := b.Commit(); err != nil {
		return fmt.Errorf("install table inet %s: %w", t.name, ownedByOther(err))
	}
	t.owned = t.kernel.Owner
	return nil
}

// Remove deletes the table. It is no error if there is none.
func (t *Table) Remove() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	b, table := t.batch()
	b.Conn().DelTable(table)
	if err := b.Commit(); err != nil && !errors.Is(err, unix.ENOENT) {
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
		if first, ok := errors.AsType[*rule.RefusedError](err); ok {
			err = first.Err
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
	f := Features{Queue: "nft", Owner: t.kernel.Owner}
	if !t.kernel.Queue {
		f.Queue = "xt NFQUEUE"
	}
	return f
}
