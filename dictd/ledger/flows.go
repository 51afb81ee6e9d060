// SPDX-License-Identifier: MIT

package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"github.com/google/nftables"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/nftext/rule"
)

// Passed is what the kernel knows of a connection that went into a flowtable, in
// both directions: what conntrack had counted then, and what has passed the rules
// since.
type Passed struct {
	Began [2]uint64
	Slow  [2]uint64
}

// Flows is an nft table of its own, in which rules note what connections have counted
// before they go into flowtables, and count what comes the slow way. It stays where the
// daemon ends, and so does what it knows.
//
//	map began_original, began_reply { ct id : bytes }; set noted { ct id }; set slow_original, slow_reply { ct id counter }
//	prerouting, right behind conntrack:
//	  ct status ! confirmed                          forget the id: it had another connection
//	  ct direction D ct id @slow_D                   count, return
//	  ct direction reply ct reply packets 1          add @noted { ct id }, add @began_original { ct id : ct original bytes }
//	  ct direction D ct id @noted                    update @slow_D { ct id counter }, return
//	  ct direction reply ct reply packets <= 16      add @noted { ct id }, add @began_D { ct id : ct D bytes } of both directions
//	  ct status offload,hw-offload                   the same
//	forward, late: the last of these, unless @noted, for the packet with which a connection goes into a flowtable
//
// A packet is counted right where conntrack counts it, so that whatever waits in a
// queue at the moment of the note is in Began, and not in Slow. What rules drop is in
// Slow: it came the slow way.
//
// The note is taken with the first answer, while nothing else of the connection is on
// its way and before any rule can have put it into a flowtable: on another processor its
// packets may take the fast way as soon as that is done, and a note that is taken later
// would have these in Began. Connections that are older than the table have a note that
// is late, and so have those without answers: what other processors handle at that
// moment may be off.
type Flows struct {
	conn  *netlink.Conn // of transactions
	ask   *netlink.Conn // of questions
	nft   *nftables.Conn
	table *nftables.Table
	conf  FlowsConfig
	sets  [4]*nftables.Set // began and slow, of both directions each
	noted *nftables.Set    // those that have them
	there map[uint32]uint8 // which sets have an id, as read last
	blind atomic.Int32
}

// FlowsConfig says how a Flows is.
type FlowsConfig struct {
	Table    string // name, of family inet
	Priority int32  // of its chain at forward: behind those that put connections into flowtables
	NetNS    int    // descriptor of the network namespace; 0 means the caller's
	Size     uint32 // most connections
	Status   rule.Status
}

// FlowsTable returns the name of the table that stands beside the daemon's own.
func FlowsTable(own string) string { return own + "_flows" }

// StatusOffload are the bits of connections in flowtables.
const StatusOffload = rule.Status(1<<14 | 1<<15)

// OpenFlows changes nothing yet.
func OpenFlows(c FlowsConfig) (*Flows, error) {
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: c.NetNS})
	if err != nil {
		return nil, fmt.Errorf("table of flows: %w", err)
	}
	ask, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: c.NetNS})
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("table of flows: %w", err)
	}
	nft, err := nftables.New(nftables.WithNetNSFd(c.NetNS), nftables.AsLasting())
	if err != nil {
		conn.Close()
		ask.Close()
		return nil, fmt.Errorf("table of flows: %w", err)
	}
	f := &Flows{conn: conn, ask: ask, nft: nft, table: &nftables.Table{Name: c.Table, Family: nftables.TableFamilyINet}, conf: c}
	number := nftables.TypeInteger
	number.Bytes = 8
	for i, name := range [...]string{"began_original", "began_reply", "slow_original", "slow_reply"} {
		f.sets[i] = &nftables.Set{Table: f.table, Name: name, KeyType: nftables.TypeInteger, Dynamic: true, Size: c.Size}
		if i < 2 {
			f.sets[i].IsMap, f.sets[i].DataType = true, number
		}
	}
	f.noted = &nftables.Set{Table: f.table, Name: "noted", KeyType: nftables.TypeInteger, Dynamic: true, Size: c.Size}
	return f, nil
}

// all are the sets.
func (f *Flows) all() []*nftables.Set { return append(f.sets[:], f.noted) }

// Close releases the sockets. The table stays.
func (f *Flows) Close() error {
	return errors.Join(f.conn.Close(), f.ask.Close(), f.nft.CloseLasting())
}

// Active implements Beside.
func (f *Flows) Active() (bool, error) {
	all, blind, err := f.Flowtables()
	f.blind.Store(int32(blind))
	if err != nil || all == 0 {
		return false, err
	}
	return true, f.Install()
}

// Blind returns how many flowtables there were last that do not count.
func (f *Flows) Blind() int { return int(f.blind.Load()) }

// Install makes the table, unless it is there.
func (f *Flows) Install() error {
	chains, err := f.nft.ListChainsOfTableFamily(nftables.TableFamilyINet)
	if err != nil {
		return fmt.Errorf("table of flows: %w", err)
	}
	there := false
	for _, c := range chains {
		if c.Table.Name != f.conf.Table || c.Name != flowsChain {
			continue
		}
		if c.Priority != nil && int32(*c.Priority) == f.conf.Priority {
			return nil
		}
		there = true
	}
	b := rule.NewBatch(rule.Options{Conn: f.conn})
	if there {
		b.Conn().DelTable(f.table)
	}
	b.AddTable(f.table, 0)
	for _, s := range f.all() {
		b.AddSet(s, nil)
	}
	behind, late := f.rules()
	for _, c := range []struct {
		name     string
		hook     *nftables.ChainHook
		priority int32
		rules    []rule.Rule
	}{
		{"prerouting", nftables.ChainHookPrerouting, behindConntrack, behind},
		{flowsChain, nftables.ChainHookForward, f.conf.Priority, late},
		{"last", nftables.ChainHookForward, math.MaxInt32, late}, // behind flowtables that are behind quotas
	} {
		b.Add(b.Conn().AddChain(&nftables.Chain{
			Name: c.name, Table: f.table, Type: nftables.ChainTypeFilter, Hooknum: c.hook,
			Priority: nftables.ChainPriorityRef(nftables.ChainPriority(c.priority)),
		}), c.rules...)
	}
	if err := b.Commit(); err != nil {
		return fmt.Errorf("install table inet %s: %w", f.conf.Table, err)
	}
	return nil
}

const flowsChain = "forward"

// behindConntrack is the priority right behind conntrack's at prerouting.
const behindConntrack = -199

// early is how many answers of a connection are looked at for a note.
const early = 16

// rules returns those of the chain behind conntrack, and of the late ones.
func (f *Flows) rules() (behind, late []rule.Rule) {
	directions := [...]rule.Direction{rule.Original, rule.Reply}
	began := func(d rule.Direction, drop bool) rule.DynSet {
		return rule.DynSet{Set: f.sets[d], Key: rule.CtID(), Data: rule.CtBytesOf(d), Delete: drop}
	}
	slow := func(d rule.Direction) *nftables.Set { return f.sets[2+int(d)] }
	noted := rule.Add(f.noted, rule.CtID())
	first := rule.CtStatus().None(rule.StatusConfirmed)
	var forget, again, count []rule.Rule
	for _, d := range directions {
		forget = append(forget,
			rule.New(first, began(d, true)),
			rule.New(first, rule.DynSet{Set: slow(d), Key: rule.CtID(), Delete: true}))
		// To find an element counts the packet in it.
		again = append(again, rule.New(rule.CtDirection().Is(d), rule.CtID().In(slow(d)), rule.Return()))
		count = append(count, rule.New(rule.CtDirection().Is(d), rule.CtID().In(f.noted), rule.Update(slow(d), rule.CtID(), rule.Counter{}), rule.Return()))
	}
	forget = append(forget, rule.New(first, rule.DynSet{Set: f.noted, Key: rule.CtID(), Delete: true}))
	reply := rule.CtDirection().Is(rule.Reply)
	// What is not in began_reply began at nothing: the answer itself is counted.
	answer := rule.New(reply, rule.CtPacketsOf(rule.Reply).Is(1), noted, began(rule.Original, false))
	answers := rule.New(reply, rule.CtPacketsOf(rule.Reply).AtMost(early), noted, began(rule.Original, false), began(rule.Reply, false))
	note := rule.New(rule.CtStatus().Any(f.conf.Status), noted, began(rule.Original, false), began(rule.Reply, false))
	known := rule.New(rule.CtStatus().Any(f.conf.Status), rule.CtID().In(f.noted), rule.Return())
	return slices.Concat(forget, again, []rule.Rule{answer}, count, []rule.Rule{answers, note}), []rule.Rule{known, note}
}

// Read returns what is known, by conntrack id.
func (f *Flows) Read() (map[uint32]Passed, error) {
	all := make(map[uint32]Passed)
	f.there = make(map[uint32]uint8)
	for i, s := range f.sets {
		elements, err := f.nft.GetSetElements(s)
		if err != nil {
			return nil, fmt.Errorf("read table inet %s: %w", f.conf.Table, err)
		}
		for _, e := range elements {
			if len(e.Key) != 4 {
				continue
			}
			id := binary.BigEndian.Uint32(e.Key)
			p, known := all[id]
			switch {
			case i < 2 && len(e.Val) == 8:
				p.Began[i] = binary.NativeEndian.Uint64(e.Val)
			case i >= 2 && known && e.Counter != nil:
				p.Slow[i-2] = e.Counter.Bytes
			default:
				continue
			}
			all[id] = p
			f.there[id] |= 1 << i
		}
	}
	return all, nil
}

// Forget deletes what is known of connections. Those that rules have forgotten
// meanwhile are none to it.
func (f *Flows) Forget(ids []uint32) error {
	for i, s := range f.all() {
		var gone []nftables.SetElement
		for _, id := range ids {
			if i == len(f.sets) && f.there[id] != 0 || f.there[id]&(1<<i) != 0 {
				gone = append(gone, nftables.SetElement{Key: binary.BigEndian.AppendUint32(nil, id)})
			}
		}
		for part := range slices.Chunk(gone, forgetBatch) {
			err := f.delete(s, part)
			for j := 0; errors.Is(err, unix.ENOENT) && j < len(part); j++ {
				// One of them is gone, and none is deleted.
				if one := f.delete(s, part[j:j+1]); one != nil && !errors.Is(one, unix.ENOENT) {
					err = one
				}
			}
			if err != nil && !errors.Is(err, unix.ENOENT) {
				return fmt.Errorf("table inet %s: %w", f.conf.Table, err)
			}
		}
	}
	return nil
}

// forgetBatch is how many are deleted in one transaction.
const forgetBatch = 256

func (f *Flows) delete(s *nftables.Set, elements []nftables.SetElement) error {
	if err := f.nft.SetDeleteElements(s, elements); err != nil {
		return err
	}
	return f.nft.Flush()
}

// Remove deletes the table. It is no error if there is none.
func (f *Flows) Remove() error {
	f.nft.DelTable(f.table)
	if err := f.nft.Flush(); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("remove table inet %s: %w", f.conf.Table, err)
	}
	return nil
}

// Netlink messages and attributes of flowtables.
const (
	msgGetFlowtable     = unix.NFNL_SUBSYS_NFTABLES<<8 | 23
	flowtableFlags      = 7
	flowtableFlagCounts = 2
)

// Flowtables returns how many flowtables there are, and how many of them do not
// count: what passes those is nowhere.
func (f *Flows) Flowtables() (all, blind int, err error) {
	messages, err := f.ask.Execute(netlink.Message{
		Header: netlink.Header{Type: msgGetFlowtable, Flags: netlink.Request | netlink.Dump}, Data: []byte{unix.AF_UNSPEC, unix.NFNETLINK_V0, 0, 0},
	})
	if err != nil {
		return 0, 0, fmt.Errorf("flowtables: %w", err)
	}
	for _, m := range messages {
		if len(m.Data) < 4 {
			continue
		}
		attrs, err := netlink.UnmarshalAttributes(m.Data[4:])
		if err != nil {
			return 0, 0, fmt.Errorf("flowtables: %w", err)
		}
		flags := uint32(0)
		for _, a := range attrs {
			if a.Type == flowtableFlags && len(a.Data) == 4 {
				flags = binary.BigEndian.Uint32(a.Data)
			}
		}
		if all++; flags&flowtableFlagCounts == 0 {
			blind++
		}
	}
	return all, blind, nil
}
