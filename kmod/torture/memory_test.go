// SPDX-License-Identifier: MIT

package torture

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// mostFaults is how many allocations a call makes at most.
const mostFaults = 2000

// step is a call whose allocations fail one after the other.
type step struct {
	name string
	do   func(*host) error
	// answered: the call has an answer, and may be done though that is lost.
	answered bool
	// anew: it needs the prepared state even if it has changed nothing.
	anew bool
}

// prepared are the messages that make the state that each step begins with.
func prepared(id uint32) (list [][]*node) {
	open := []*node{text(attrTable, "open"), u32(attrKeyType, 7), u32(attrLimit, 100), u32(attrFlags, 2)}
	for _, attrs := range ruleTables(false) {
		switch string(attrs[0].data) {
		case "ct-id\x00", "int\x00", "string\x00":
			list = append(list, attrs)
		}
	}
	return append(list, open, putOf("int", u32(rowKey, 1), 1, 2), putOf("string", raw(rowKey, []byte("key")), 2, 7),
		putOf("open", u32(rowKey, 1), 1), putOf("ct-id", u32(rowKey, id), 1))
}

// putOf makes a row with values of some types.
func putOf(table string, key *node, kinds ...int) []*node {
	w := writer{Rand: rand.New(rand.NewPCG(1, uint64(len(kinds))))}
	row := nest(attrRow, key)
	for _, k := range kinds {
		row.kids = append(row.kids, nest(rowCell, text(cellName, fieldNames[k]), w.value(k)))
	}
	return []*node{text(attrTable, table), row}
}

// prepare makes that state, by nothing but successful calls.
func (h *host) prepare(t *testing.T, id uint32) string {
	t.Helper()
	tables, err := h.tables()
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(tables, func(t tableInfo) bool { return t.users > 0 }) {
		b := newBatch(h.nft)
		b.delRules(faultChain())
		if err := b.commit(); err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range tables {
		if err := h.command(cmdTableDel, 0, []*node{text(attrTable, table.name)}, nil); err != nil {
			t.Fatalf("delete table %q: %v", table.name, err)
		}
	}
	for _, attrs := range prepared(id) {
		cmd := uint8(cmdTableNew)
		if attrs[1].typ&^unix.NLA_F_NESTED == attrRow {
			cmd = cmdRowPut
		}
		if err := h.command(cmd, 0, attrs, nil); err != nil {
			t.Fatalf("prepare: command %d of %s: %v", cmd, attrs[0].data, err)
		}
	}
	return h.state(t)
}

// state tells everything that the module holds, but for the fields of an
// open table, which may come with a row that is then refused.
func (h *host) state(t *testing.T) string {
	t.Helper()
	tables, err := h.tables()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(dictDir + "all")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, t := range tables {
		if t.refused = 0; t.open {
			t.fields = 0
		}
		fmt.Fprintf(&b, "%+v\n", t)
	}
	return b.String() + string(text)
}

// one makes the allocations of a step fail one after the other, until it
// passes without; it returns how many there were.
func (f *faults) one(t *testing.T, h *host, s step, id uint32) (sites, failed int) {
	t.Helper()
	before := h.prepare(t, id)
	if err := s.do(h); err != nil {
		t.Errorf("%s: %v", s.name, err)
		return 0, 0
	}
	whole := h.state(t)
	now := ""
	for n := 1; n < mostFaults; n++ {
		if now != before || s.anew {
			if now = h.prepare(t, id); now != before {
				t.Fatalf("%s, allocation %d: prepared is\n%s\ninstead of\n%s", s.name, n, now, before)
			}
		}
		reached, err := f.try(n, func() error { return s.do(h) })
		if !reached {
			if err != nil {
				t.Errorf("%s without a fault after %d: %v", s.name, n-1, err)
			}
			return n - 1, failed
		}
		now = h.state(t)
		if err == nil {
			now = "" // to be prepared anew
			continue
		}
		failed++
		lost := s.answered || errors.Is(err, unix.ENOBUFS) || errors.Is(err, errSilent)
		if now != before && (!lost || now != whole) {
			t.Errorf("%s, allocation %d failed with %v and left\n%s\ninstead of\n%s", s.name, n, err, now, before)
		}
	}
	t.Fatalf("%s: no end of allocations", s.name)
	return 0, 0
}

// entry makes a conntrack entry in the calling thread's namespace and returns
// its id.
func (h *host) entry(t *testing.T) uint32 {
	t.Helper()
	// Conntrack is at work as soon as a rule asks for it.
	b := newBatch(h.nft)
	c := chain{family: unix.NFPROTO_IPV4, name: "output", hook: 3}
	b.addChain(c)
	b.addRule(c, expression("ct", be32(unix.NFTA_CT_KEY, unix.NFT_CT_STATE), be32(unix.NFTA_CT_DREG, 1)))
	if err := b.commit(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("/proc/sys/net/netfilter/nf_conntrack_udp_timeout", []byte("100000"), 0); err != nil {
		t.Fatal(err)
	}
	m := &member{crowd: &crowd{}, host: h, Rand: rand.New(rand.NewPCG(1, 1))}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Sendto(fd, []byte("x"), 0, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: 40000}); err != nil {
		t.Fatal(err)
	}
	if err := m.putSessions(); err != nil && !errors.Is(err, unix.ENOENT) || len(m.ids) == 0 {
		t.Fatalf("conntrack entries %v: %v", m.ids, err)
	}
	return m.ids[0]
}

// each makes every allocation of steps fail, below code. A call that fails has
// changed nothing.
func (h *host) each(t *testing.T, id uint32, steps []step, below func(*faults) extent) {
	t.Helper()
	f := newFaults(t)
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // the runtime's own memory is not meant
	code := below(f)
	sum := 0
	for _, s := range steps {
		note("%s %s", t.Name(), s.name)
		f.only(code)
		sites, failed := f.one(t, h, s, id)
		f.only(anywhere())
		t.Logf("%-28s %3d allocations, %3d failed the call", s.name, sites, failed)
		sum += sites
	}
	t.Logf("%d allocations failed", sum)
	if sum < 3*len(steps) {
		t.Errorf("only %d allocations failed", sum)
	}
	h.sweep(t)
}

// TestFaultsOfCommands makes every allocation of every command fail.
func TestFaultsOfCommands(t *testing.T) {
	h := newHost(t)
	id := h.entry(t)
	h.each(t, id, commandSteps(id), func(f *faults) extent { return f.function("genl_rcv") })
}

// TestFaultsOfChanges does so while somebody listens, for what the module
// itself asks for.
func TestFaultsOfChanges(t *testing.T) {
	h := newHost(t)
	ear, err := openFamily()
	if err != nil {
		t.Fatal(err)
	}
	defer ear.close()
	if err := ear.listen(); err != nil {
		t.Fatal(err)
	}
	id := h.entry(t)
	h.each(t, id, commandSteps(id), (*faults).module)
}

// TestFaultsOfText makes every allocation of the text interface fail.
func TestFaultsOfText(t *testing.T) {
	h := newHost(t)
	h.each(t, h.entry(t), textSteps(), (*faults).module)
}

// TestFaultsOfRules makes every allocation of loading each form of a rule
// fail, also those of nf_tables, which then gives up what the module has done.
func TestFaultsOfRules(t *testing.T) {
	h := newHost(t)
	b := newBatch(h.nft)
	b.addChain(faultChain())
	if err := b.commit(); err != nil {
		t.Fatal(err)
	}
	h.each(t, h.entry(t), ruleSteps(t), func(f *faults) extent { return f.function("nfnetlink_rcv") })
}

// faultChain is where rules are loaded without memory.
func faultChain() chain {
	return chain{family: unix.NFPROTO_INET, name: "output", hook: 3}
}

// TestFaultsOfNamespace makes every allocation of the module for a new
// namespace fail.
func TestFaultsOfNamespace(t *testing.T) {
	newBudget(t)
	h := newHost(t)
	f := newFaults(t)
	f.only(f.module())
	failed := 0
	for n := 1; n < mostFaults; n++ {
		reached, err := f.try(n, func() error { return unix.Unshare(unix.CLONE_NEWNET) })
		if err != nil {
			failed++
			if !errors.Is(err, unix.ENOMEM) {
				t.Errorf("allocation %d: %v, want %v", n, err, unix.ENOMEM)
			}
		}
		if !reached {
			t.Logf("%d allocations, %d failed the call", n-1, failed)
			break
		}
	}
	if failed == 0 {
		t.Error("none failed")
	}
	h.sweep(t)
}

// TestFaultsOfModule makes every allocation of the module's start fail.
func TestFaultsOfModule(t *testing.T) {
	newBudget(t)
	h := newHost(t)
	f := newFaults(t)
	dir := os.Getenv("NFTDICT_MODULES")
	if dir == "" {
		t.Fatal("NFTDICT_MODULES does not tell where the module's file is")
	}
	if err := removeModule(h); err != nil {
		t.Fatal(err)
	}
	f.only(f.function("do_one_initcall"))
	failed := 0
	for n := 1; n < mostFaults; n++ {
		reached, err := f.try(n, func() error { return insertModule(filepath.Join(dir, "nft_dict.ko")) })
		if err != nil {
			failed++
		} else if rerr := removeModule(h); reached && rerr != nil {
			t.Fatalf("allocation %d: remove the module: %v", n, rerr)
		}
		if !reached {
			t.Logf("%d allocations, %d failed the call", n-1, failed)
			if err != nil {
				t.Error(err)
			}
			break
		}
	}
	f.only(anywhere())
	if failed == 0 {
		t.Error("none failed")
	}
	if err := insertModule(filepath.Join(dir, "nft_dict.ko")); err != nil && !errors.Is(err, unix.EEXIST) {
		t.Fatal(err)
	}
	if err := h.resolve(); err != nil {
		t.Fatal(err)
	}
	h.sweep(t)
}

// TestFaultsOfPackets lets a quarter of the module's allocations fail while
// everybody writes and packets make rows.
func TestFaultsOfPackets(t *testing.T) {
	b := newBudget(t)
	h := newHost(t)
	f := newFaults(t)
	h.ruleTables(t)
	f.only(f.module())
	c := newCrowd(t, b.random(0), loadSpec(t), loadConstants(t))
	c.rules.Lock()
	h.makingRows(t)
	f.chance(25)
	h.ofPackets(t)
	c.last(0)
	f.chance(0)
	c.rules.Unlock()
	c.end()
	h.sweep(t)
}
