// SPDX-License-Identifier: MIT

package rule

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/google/nftables"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/nftext"
)

// Batch is a transaction in the making: objects of google/nftables, by Conn,
// and rules of this package, in the order in which they were added. Commit puts
// all of it into the kernel or none. A Batch is for one goroutine.
type Batch struct {
	options  Options
	conn     *nftables.Conn
	messages []message
	codes    []*nftext.Code
	rules    int // how many there are
	lastID   uint32
	bases    map[tableChain]bool          // chains of this batch, and whether they have a hook
	sets     map[tableChain]*nftables.Set // what the kernel says of sets that are only named
	err      error
}

// tableChain names a chain, or a set.
type tableChain struct {
	family nftables.TableFamily
	table  string
	name   string
}

// NewBatch returns an empty batch. Commit or Close it.
func NewBatch(o Options) *Batch {
	b := &Batch{options: o}
	b.reset()
	return b
}

func (b *Batch) reset() {
	conn, err := nftables.New(nftables.WithTestDial(b.take))
	*b = Batch{options: b.options, conn: conn, err: err, bases: map[tableChain]bool{}, sets: map[tableChain]*nftables.Set{}}
}

// Conn returns a connection of google/nftables that writes into this batch. It
// can add, change and delete whatever that library can; its Flush is not
// needed. It reads nothing: for that use one of nftables.New.
func (b *Batch) Conn() *nftables.Conn { return b.conn }

// take receives what Conn sends: the messages of a batch of its own.
func (b *Batch) take(sent []netlink.Message) ([]netlink.Message, error) {
	for _, m := range sent {
		if m.Header.Type>>8 != unix.NFNL_SUBSYS_NFTABLES {
			continue // what brackets the batch
		}
		m.Data = slices.Clone(m.Data)
		b.note(m)
		what := describe(m)
		b.messages = append(b.messages, message{rule: -1, what: what, text: what, Message: m})
	}
	return nil, io.EOF // no answers
}

// drain takes what Conn has buffered, so that the order is kept.
func (b *Batch) drain() {
	if err := b.conn.Flush(); err != nil {
		b.fail(err)
	}
}

// note remembers whether a new chain has a hook.
func (b *Batch) note(m netlink.Message) {
	const header = 4 // struct nfgenmsg
	if m.Header.Type&0xff != unix.NFT_MSG_NEWCHAIN || len(m.Data) < header {
		return
	}
	d, err := netlink.NewAttributeDecoder(m.Data[header:])
	if err != nil {
		return
	}
	at, hooked := tableChain{family: nftables.TableFamily(m.Data[0])}, false
	for d.Next() {
		switch d.Type() {
		case unix.NFTA_CHAIN_TABLE:
			at.table = d.String()
		case unix.NFTA_CHAIN_NAME:
			at.name = d.String()
		case unix.NFTA_CHAIN_HOOK:
			hooked = true
		}
	}
	b.bases[at] = hooked
}

// callable refuses a chain that jump and goto cannot lead to, if it is known.
func (b *Batch) callable(t *nftables.Table, chain string) error {
	if b.bases[tableChain{t.Family, t.Name, chain}] {
		return fmt.Errorf("chain %s: %w: it has a hook, and only chains without one are called", chain, dict.ErrInvalid)
	}
	return nil
}

// nextID returns the number of a set within the transaction, out of the way of
// those that google/nftables gives.
func (b *Batch) nextID() uint32 {
	const first = 1 << 30
	b.lastID++
	return first + b.lastID
}

func (b *Batch) fail(err error) {
	b.err = errors.Join(b.err, err)
}

// Err returns what is wrong with the batch so far; Commit returns it too and
// sends nothing then.
func (b *Batch) Err() error {
	b.drain()
	return b.err
}

// AddTable is Conn().AddTable with flags, which google/nftables leaves out. The
// table of an owner goes when the batch is committed, unless it persists: its
// owner is the socket that Commit uses.
func (b *Batch) AddTable(t *nftables.Table, flags TableFlags) *nftables.Table {
	b.drain()
	e := newEncoder()
	e.String(unix.NFTA_TABLE_NAME, t.Name)
	e.Uint32(unix.NFTA_TABLE_FLAGS, uint32(flags))
	attrs, err := e.Encode()
	if err != nil {
		b.fail(fmt.Errorf("add table %s: %w", t.Name, err))
		return t
	}
	m := newMessage(unix.NFT_MSG_NEWTABLE, netlink.Create, uint8(t.Family), attrs)
	m.what = describe(m.Message)
	m.text = m.what
	b.messages = append(b.messages, m)
	return t
}

// AddSet is Conn().AddSet for any number of elements.
func (b *Batch) AddSet(s *nftables.Set, elements []nftables.SetElement) {
	if s.Anonymous || s.Constant {
		// Those must be complete when they are made.
		b.wrap("add set "+s.Name, b.conn.AddSet(s, elements))
		return
	}
	b.wrap("add set "+s.Name, b.conn.AddSet(s, nil))
	for part := range slices.Chunk(elements, elementsPerMessage) {
		b.wrap("add set "+s.Name, b.conn.SetAddElements(s, part))
	}
}

func (b *Batch) wrap(what string, err error) {
	if err != nil {
		b.fail(fmt.Errorf("%s: %w", what, err))
	}
}

// Add appends rules to a chain. Of the chain its Table and Name are needed; with
// Hooknum and Type, as for a new chain, statements are checked against them.
func (b *Batch) Add(c *nftables.Chain, rules ...Rule) {
	for _, r := range rules {
		b.put("add rule %s %s", c, r, netlink.Create|netlink.Append, 0, 0)
	}
}

// Insert puts rules in front of a chain's others, in their order.
func (b *Batch) Insert(c *nftables.Chain, rules ...Rule) {
	for _, r := range slices.Backward(rules) {
		b.put("insert rule %s %s", c, r, netlink.Create, 0, 0)
	}
}

// AddAfter puts a rule behind the one of a handle (List).
func (b *Batch) AddAfter(c *nftables.Chain, handle uint64, r Rule) {
	b.put(fmt.Sprintf("add rule %%s handle %d %%s", handle), c, r, netlink.Create|netlink.Append, 0, handle)
}

// InsertBefore puts a rule in front of the one of a handle.
func (b *Batch) InsertBefore(c *nftables.Chain, handle uint64, r Rule) {
	b.put(fmt.Sprintf("insert rule %%s handle %d %%s", handle), c, r, netlink.Create, 0, handle)
}

// Replace puts a rule in the place of the one of a handle. It has a handle of
// its own.
func (b *Batch) Replace(c *nftables.Chain, handle uint64, r Rule) {
	b.put(fmt.Sprintf("replace rule %%s handle %d %%s", handle), c, r, netlink.Replace, handle, 0)
}

// Delete deletes the rule of a handle.
func (b *Batch) Delete(c *nftables.Chain, handle uint64) {
	b.drain()
	e := newEncoder()
	e.String(unix.NFTA_RULE_TABLE, c.Table.Name)
	e.String(unix.NFTA_RULE_CHAIN, c.Name)
	e.Uint64(unix.NFTA_RULE_HANDLE, handle)
	attrs, err := e.Encode()
	b.wrap("delete rule", err)
	m := newMessage(unix.NFT_MSG_DELRULE, 0, uint8(c.Table.Family), attrs)
	m.what = fmt.Sprintf("delete rule %s handle %d", place(c), handle)
	m.text = m.what
	b.messages = append(b.messages, m)
}

// place names a chain as nft does.
func place(c *nftables.Chain) string {
	return fmt.Sprintf("%s %s %s", nftext.FamilyWord(uint8(c.Table.Family)), c.Table.Name, c.Name)
}

// put appends a rule's messages. The form is of nft's command, for String.
func (b *Batch) put(form string, c *nftables.Chain, r Rule, flags netlink.HeaderFlags, handle, position uint64) {
	b.drain()
	index := b.rules
	b.rules++
	if c == nil || c.Table == nil {
		b.fail(fmt.Errorf("rule %d: %w: no chain, or a chain without its table", index, dict.ErrInvalid))
		return
	}
	what := fmt.Sprintf("rule %d of %s", index, place(c))
	build := &builder{chain: c, family: uint8(c.Table.Family), batch: b}
	err := build.rule(r)
	b.codes = append(b.codes, build.codes...)
	userData, err2 := r.userData()
	e := newEncoder()
	e.String(unix.NFTA_RULE_TABLE, c.Table.Name)
	e.String(unix.NFTA_RULE_CHAIN, c.Name)
	if handle != 0 {
		e.Uint64(unix.NFTA_RULE_HANDLE, handle)
	}
	if position != 0 {
		e.Uint64(unix.NFTA_RULE_POSITION, position)
	}
	if userData != nil {
		e.Bytes(unix.NFTA_RULE_USERDATA, userData)
	}
	attrs, err3 := e.Encode()
	if const64k := 1 << 16; len(build.exprs)+unix.NLA_HDRLEN >= const64k {
		err3 = errors.Join(err3, fmt.Errorf("%w: %d bytes of expressions, more than a message holds", dict.ErrInvalid, len(build.exprs)))
	}
	if err := errors.Join(err, err2, err3); err != nil {
		b.fail(fmt.Errorf("%s: %w", what, err))
		return
	}
	for i := range build.sets {
		build.sets[i].what, build.sets[i].rule = what+": its set", index
	}
	b.messages = append(b.messages, build.sets...)
	m := newMessage(unix.NFT_MSG_NEWRULE, flags, uint8(c.Table.Family), attrs)
	m.what, m.rule, m.list = what, index, r.statements
	m.text = fmt.Sprintf(form, place(c), r)
	before := len(m.Data) + unix.NLA_HDRLEN
	m.Data = appendAttr(m.Data, unix.NFTA_RULE_EXPRESSIONS|unix.NLA_F_NESTED, build.exprs)
	for _, at := range build.starts {
		m.starts = append(m.starts, before+at)
	}
	b.messages = append(b.messages, m)
}

// String tells what the batch would do, a line for each object and rule: for
// logs, and close to nft's commands.
func (b *Batch) String() string {
	b.drain()
	var out strings.Builder
	for _, m := range b.messages {
		if m.text != "" {
			out.WriteString(m.text + "\n")
		}
	}
	return out.String()
}

// Close gives up what is not committed. It is no error to close a batch that
// has been.
func (b *Batch) Close() error {
	var err error
	for _, c := range b.codes {
		err = errors.Join(err, c.Release())
	}
	b.reset()
	return err
}
