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

	"nftdict/nftext"
)

// groupTables is the multicast group of nf_tables' notifications.
const groupTables = 7

// settle is how long Watch waits for further news of the same, settled how long at most:
// where somebody changes something all the time there are always further ones.
const (
	settle  = 50 * time.Millisecond
	settled = 10 * settle
)

// What has changed, as WatchOthers tells it: OfRules, or a set by the words of its
// family, its table and its name, or OfSets where there are very many.
const (
	OfRules = "rules"
	OfSets  = "sets"
)

// maxSets is of how many sets together news are kept apart.
const maxSets = 64

// Watch calls changed whenever somebody else has altered or deleted the table,
// or may have, until ctx ends. Changes that come together are one call. Where
// the table is locked nobody can, and Watch just waits.
func (t *Table) Watch(ctx context.Context, changed func()) error {
	about := func(m netlink.Message) string {
		if t.foreign(m) {
			return OfRules
		}
		return ""
	}
	return t.watch(ctx, about, func([]string) { changed() })
}

// WatchOthers is Watch for rules, chains, tables, and what sets and maps hold, of others
// than the table itself and those that are named, of any family; changed is called with
// what has changed. What rules put into sets is not told, nor is what leaves them after
// its time.
func (t *Table) WatchOthers(ctx context.Context, but []string, changed func(what []string)) error {
	return t.watch(ctx, func(m netlink.Message) string {
		what := OfRules
		name, ok := tableOf(m)
		if !ok {
			name, what, ok = setOf(m)
		}
		if !ok || name == t.name || slices.Contains(but, name) {
			return ""
		}
		return what
	}, changed)
}

// news is what is to be told of something.
type news struct {
	quiet  time.Time // when it is, if nothing further comes
	latest time.Time // when it is in any case
}

// watch tells of what about finds messages to be about, "" for nothing.
func (t *Table) watch(ctx context.Context, about func(netlink.Message) string, changed func([]string)) error {
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
	pending := make(map[string]news)
	note := func(what string) {
		n, ok := pending[what]
		if !ok && len(pending) > maxSets && what != OfRules {
			what = OfSets
			n, ok = pending[what]
		}
		now := time.Now()
		if n.quiet = now.Add(settle); !ok {
			n.latest = now.Add(settled)
		}
		pending[what] = n
	}
	for ctx.Err() == nil {
		what, next := ready(pending, time.Now())
		if len(what) > 0 {
			changed(what)
		}
		if err := conn.SetReadDeadline(next); err != nil {
			return fmt.Errorf("watch nf_tables: %w", err)
		}
		if ctx.Err() != nil {
			break
		}
		messages, err := conn.Receive()
		var op *netlink.OpError
		switch {
		case err == nil:
			for _, m := range messages {
				if what := about(m); what != "" {
					note(what)
				}
			}
		case errors.Is(err, unix.ENOBUFS): // anything may have happened
			note(OfRules)
		case !errors.As(err, &op) || !op.Timeout():
			return fmt.Errorf("watch nf_tables: %w", err)
		}
	}
	return nil
}

// ready takes what is to be told now, and returns when the next is, the zero time if
// nothing waits.
func ready(pending map[string]news, now time.Time) (what []string, next time.Time) {
	for name, n := range pending {
		at := n.quiet
		if n.latest.Before(at) {
			at = n.latest
		}
		switch {
		case !at.After(now):
			what = append(what, name)
			delete(pending, name)
		case next.IsZero() || at.Before(next):
			next = at
		}
	}
	slices.Sort(what)
	return what, next
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
// maps holds has changed, and which set that is.
func setOf(m netlink.Message) (table, set string, ok bool) {
	if m.Header.Type>>8 != unix.NFNL_SUBSYS_NFTABLES || len(m.Data) < 4 {
		return "", "", false
	}
	switch m.Header.Type & 0xff {
	case unix.NFT_MSG_NEWSETELEM, unix.NFT_MSG_DELSETELEM:
		if table, ok = firstTable(m); !ok {
			return "", "", false
		}
		name, _ := attrOf(m, unix.NFTA_SET_ELEM_LIST_SET)
		return table, setName(m.Data[0], table, name), true
	}
	return "", "", false
}

// setName names a set among those of all tables.
func setName(family uint8, table, set string) string {
	return nftext.FamilyWord(family) + " " + table + " " + set
}

// firstTable returns the name of the table that a notification is about: in all of these
// the first attribute.
func firstTable(m netlink.Message) (string, bool) { return attrOf(m, unix.NFTA_TABLE_NAME) }

// attrOf returns an attribute that is a text.
func attrOf(m netlink.Message, typ uint16) (string, bool) {
	d, err := netlink.NewAttributeDecoder(m.Data[4:])
	if err != nil {
		return "", false
	}
	d.ByteOrder = binary.BigEndian
	for d.Next() {
		if d.Type() == typ {
			return d.String(), true
		}
	}
	return "", false
}
