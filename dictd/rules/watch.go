// SPDX-License-Identifier: MIT

package rules

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// groupTables is the multicast group of nf_tables' notifications.
const groupTables = 7

// settle is how long Watch waits for a transaction's further messages, settled how long
// at most: where somebody changes something all the time there is always a further one.
const (
	settle  = 50 * time.Millisecond
	settled = 10 * settle
)

// Watch calls changed whenever somebody else has altered or deleted the table,
// or may have, until ctx ends. Changes that come together are one call. Where
// the table is locked nobody can, and Watch just waits.
func (t *Table) Watch(ctx context.Context, changed func()) error {
	return t.watch(ctx, t.foreign, changed)
}

// WatchOthers is Watch for rules, chains, tables, and what sets and maps hold, of others
// than the table itself and those that are named, of any family. What rules put into sets
// is not told, nor is what leaves them after its time.
func (t *Table) WatchOthers(ctx context.Context, but []string, changed func()) error {
	return t.watch(ctx, func(m netlink.Message) bool {
		name, ok := tableOf(m)
		if !ok {
			name, ok = setOf(m)
		}
		return ok && name != t.name && !slices.Contains(but, name)
	}, changed)
}

func (t *Table) watch(ctx context.Context, matters func(netlink.Message) bool, changed func()) error {
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: t.netns})
	if err != nil {
		return fmt.Errorf("watch nf_tables: %w", err)
	}
	defer conn.Close()
	if err := conn.JoinGroup(groupTables); err != nil {
		return fmt.Errorf("watch nf_tables: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	pending := false
	var latest time.Time // to tell what is pending
	for {
		if ctx.Err() != nil {
			return nil
		}
		if pending {
			quiet := time.Now().Add(settle)
			if latest.IsZero() {
				latest = quiet.Add(settled - settle)
			}
			if quiet.After(latest) {
				quiet = latest
			}
			if err := conn.SetReadDeadline(quiet); err != nil {
				return fmt.Errorf("watch nf_tables: %w", err)
			}
		}
		messages, err := conn.Receive()
		var op *netlink.OpError
		switch {
		case err == nil:
			for _, m := range messages {
				pending = pending || matters(m)
			}
			continue
		case errors.Is(err, unix.ENOBUFS): // anything may have happened
			pending = true
			continue
		case !errors.As(err, &op) || !op.Timeout():
			return fmt.Errorf("watch nf_tables: %w", err)
		}
		if ctx.Err() != nil {
			return nil
		}
		// It has been quiet since the change, or never will be.
		latest = time.Time{}
		if err := conn.SetReadDeadline(time.Time{}); err != nil {
			return fmt.Errorf("watch nf_tables: %w", err)
		}
		if pending {
			pending = false
			changed()
		}
	}
}

// foreign reports whether a notification tells of a change of this table that
// was not made through t.
func (t *Table) foreign(m netlink.Message) bool {
	if m.Header.PID == t.conn.PID() || len(m.Data) < 4 || m.Data[0] != byte(family) {
		return false
	}
	name, ok := tableOf(m)
	return ok && name == t.name
}

// tableOf returns the table of which a notification tells that its chains, rules or
// flowtables have changed, or itself.
func tableOf(m netlink.Message) (string, bool) {
	if m.Header.Type>>8 != unix.NFNL_SUBSYS_NFTABLES || len(m.Data) < 4 {
		return "", false
	}
	switch m.Header.Type & 0xff {
	case unix.NFT_MSG_NEWTABLE, unix.NFT_MSG_DELTABLE, unix.NFT_MSG_NEWCHAIN, unix.NFT_MSG_DELCHAIN,
		unix.NFT_MSG_NEWRULE, unix.NFT_MSG_DELRULE, unix.NFT_MSG_DELFLOWTABLE:
		return firstTable(m)
	}
	return "", false
}

// setOf returns the table of which a notification tells that what one of its sets or
// maps holds has changed.
func setOf(m netlink.Message) (string, bool) {
	if m.Header.Type>>8 != unix.NFNL_SUBSYS_NFTABLES || len(m.Data) < 4 {
		return "", false
	}
	switch m.Header.Type & 0xff {
	case unix.NFT_MSG_NEWSETELEM, unix.NFT_MSG_DELSETELEM:
		return firstTable(m)
	}
	return "", false
}

// firstTable returns the name of the table that a notification is about: in all of these
// the first attribute.
func firstTable(m netlink.Message) (string, bool) {
	d, err := netlink.NewAttributeDecoder(m.Data[4:])
	if err != nil {
		return "", false
	}
	d.ByteOrder = binary.BigEndian
	for d.Next() {
		if d.Type() == unix.NFTA_TABLE_NAME {
			return d.String(), true
		}
	}
	return "", false
}
