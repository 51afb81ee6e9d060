// SPDX-License-Identifier: MIT

package torture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// crowd is many who do everything at once in one namespace.
type crowd struct {
	tb        testing.TB
	ns        *os.File
	spec      *spec
	constants map[string]int
	stop      atomic.Bool
	rules     sync.Mutex // of who loads or deletes them
	threads   sync.WaitGroup
	done      []atomic.Int64 // by trade
}

// trade is something that one of the crowd does again and again. Its errors
// are others' doing, mostly, but it has to succeed now and then.
type trade struct {
	name string
	do   func(*member) error
}

// member is one of the crowd, on a thread of its own.
type member struct {
	*crowd
	*host
	*rand.Rand
	udp   int
	ids   []uint32
	files []*os.File
}

func trades() []trade {
	return []trade{
		{"put rows", (*member).putRows}, {"put sessions", (*member).putSessions}, {"change tables", (*member).changeTables},
		{"write text", (*member).writeText}, {"read text", (*member).readText}, {"dump", (*member).dumpRows}, {"listen", (*member).hear},
		{"load rules", (*member).loadRules}, {"send", (*member).sendPackets}, {"send too", (*member).sendPackets},
		{"delete entries", (*member).deleteEntries},
	}
}

// newCrowd starts a crowd in the namespace of the calling thread.
func newCrowd(tb testing.TB, r *rand.Rand, s *spec, constants map[string]int) *crowd {
	tb.Helper()
	ns, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		tb.Fatal(err)
	}
	c := &crowd{tb: tb, ns: ns, spec: s, constants: constants, done: make([]atomic.Int64, len(trades()))}
	for i, t := range trades() {
		r := rand.New(rand.NewPCG(r.Uint64(), uint64(i)))
		c.threads.Go(func() {
			if err := c.work(t, r, &c.done[i]); err != nil {
				tb.Errorf("%s: %v", t.name, err)
			}
		})
	}
	return c
}

// work does one trade until all stop.
func (c *crowd) work(t trade, r *rand.Rand, done *atomic.Int64) error {
	runtime.LockOSThread() // the thread ends with the goroutine
	if err := unix.Setns(int(c.ns.Fd()), unix.CLONE_NEWNET); err != nil {
		return err
	}
	h, err := openHost()
	for end := time.Now().Add(time.Minute); err != nil; time.Sleep(time.Millisecond) { // while the module is away
		if h, err = openHost(); c.stop.Load() || time.Now().After(end) {
			return err
		}
	}
	defer func() { h.close() }()
	udp, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer unix.Close(udp)
	m := &member{crowd: c, host: h, Rand: r, udp: udp}
	defer m.shut()
	for !c.stop.Load() {
		switch err := t.do(m); {
		case err == nil:
			done.Add(1)
		case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EOPNOTSUPP):
			if err := h.resolve(); err != nil {
				time.Sleep(time.Millisecond)
			}
		}
	}
	return nil
}

// enough is how often each trade has to succeed, and patience for how long
// that may take where the machine is busy.
const (
	enough   = 5
	patience = 5 * time.Minute
)

// last lets the crowd go on for a time, and longer if somebody has not done
// enough yet.
func (c *crowd) last(d time.Duration) {
	time.Sleep(d)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		least := int64(enough)
		for i := range c.done {
			least = min(least, c.done[i].Load())
		}
		if least == enough {
			return
		}
	}
}

// end stops the crowd and asks whether each of them got something done.
func (c *crowd) end() {
	c.stop.Store(true)
	c.threads.Wait()
	c.ns.Close()
	for i, t := range trades() {
		c.tb.Logf("%-15s %7d times", t.name, c.done[i].Load())
		if c.done[i].Load() == 0 {
			c.tb.Errorf("%s: never succeeded", t.name)
		}
	}
}

func (m *member) putRows() error {
	for _, q := range m.spec.requests() {
		if q.cmd == uint8(pick(m.Rand, cmdRowPut, cmdRowPut, cmdRowAdd, cmdRowDel, cmdRowRenew, cmdFlush, cmdRowGet)) && q.flags == 0 {
			w := writer{Rand: m.Rand, spec: m.spec}
			return m.command(q.cmd, 0, w.message(q).kids, nil)
		}
	}
	return nil
}

// putSessions puts rows for entries that live, or lived a moment ago.
func (m *member) putSessions() error {
	const ctGet, ctID = 1, 12
	if len(m.ids) == 0 || chance(m.Rand, 10) {
		m.ids = m.ids[:0]
		err := m.nft.do(unix.NFNL_SUBSYS_CTNETLINK<<8|ctGet, unix.NLM_F_DUMP, []byte{0, 0, 0, 0}, func(p part) {
			for _, a := range parse(p.body[4:]) {
				if a.typ == ctID {
					m.ids = append(m.ids, binary.BigEndian.Uint32(a.data))
				}
			}
		})
		if err != nil || len(m.ids) == 0 {
			return err
		}
	}
	attrs := []*node{text(attrTable, "ct-id")}
	for range 1 + m.IntN(4) {
		attrs = append(attrs, nest(attrRow, u32(rowKey, pick(m.Rand, m.ids...)), nest(rowCell, text(cellName, "int"), u32(2, m.Uint32()))))
	}
	return m.command(uint8(pick(m.Rand, cmdRowPut, cmdRowAdd, cmdRowDel, cmdRowRenew)), 0, attrs, nil)
}

// changeTables makes and deletes tables beside those of the rules.
func (m *member) changeTables() error {
	for _, attrs := range ruleTables(true) {
		switch m.IntN(3) {
		case 0:
			attrs[0] = text(attrTable, fmt.Sprintf("spare%d", m.IntN(3)))
			_ = m.command(cmdTableNew, 0, attrs, nil)
		case 1:
			attrs[0] = text(attrTable, fmt.Sprintf("spare%d", m.IntN(3)))
			_ = m.command(cmdTableDel, 0, attrs[:1], nil)
		case 2:
			_ = m.command(cmdTableNew, 0, attrs, nil) // is there, unless somebody has taken it
		}
	}
	return m.command(cmdTableGet, 0, []*node{text(attrTable, "int")}, nil)
}

func (m *member) writeText() error {
	name := pick(m.Rand, "write", "write", "write", "delete")
	f, err := os.OpenFile(dictDir+name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	for range 5 {
		if _, err = f.Write(lines(m.Rand, name)); err != nil && !errors.Is(err, unix.EINVAL) {
			return err
		}
	}
	return nil
}

// readText reads files to some point, and keeps them open for a while.
func (m *member) readText() error {
	if len(m.files) > 20 {
		m.shut()
	}
	f, err := os.Open(dictDir + "all")
	if err != nil {
		return err
	}
	m.files = append(m.files, f)
	_, err = io.CopyN(io.Discard, pick(m.Rand, m.files...), int64(m.IntN(20000)))
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func (m *member) shut() {
	for _, f := range m.files {
		f.Close()
	}
	m.files = nil
}

// dumpRows dumps a table, now and then without reading all of it.
func (m *member) dumpRows() error {
	name := text(attrTable, pick(m.Rand, tableNames...))
	if !chance(m.Rand, 10) {
		return m.command(cmdRowGet, unix.NLM_F_DUMP, []*node{name}, nil)
	}
	body := encode([]byte{cmdRowGet, familyVersion, 0, 0}, []*node{name})
	err := m.send(m.message(m.id, unix.NLM_F_REQUEST|unix.NLM_F_DUMP, body))
	if f, again := openFamily(); again == nil {
		m.family.close()
		m.family = f
	}
	return err
}

// hear joins the group of changes and listens, slower than they come.
func (m *member) hear() error {
	if err := m.listen(); err != nil {
		return err
	}
	time.Sleep(time.Duration(m.IntN(10)) * time.Millisecond)
	err := m.drain(nil)
	if errors.Is(err, unix.ENOBUFS) {
		err = nil
	}
	return err
}

// loadRules loads other rules in place of those that are there.
func (m *member) loadRules() error {
	if !m.rules.TryLock() { // somebody wants them as they are
		time.Sleep(time.Millisecond)
		return nil
	}
	defer m.rules.Unlock()
	b := newBatch(m.nft)
	w := newRuler(m.Rand, m.spec, m.constants)
	w.family = unix.NFPROTO_INET
	for hook, name := range []string{"prerouting", "input", "forward", "output", "postrouting"} {
		c := chain{family: unix.NFPROTO_INET, name: name, hook: uint32(hook)}
		b.addChain(c)
		b.delRules(c)
		for range 2 {
			b.addRule(c, w.rule()...)
		}
	}
	if chance(m.Rand, 20) {
		return m.flushRules()
	}
	if err := b.commit(); err != nil { // one of the rules was wrong: at least one that is not
		c := chain{family: unix.NFPROTO_INET, name: "output", hook: 3}
		b := newBatch(m.nft)
		b.addChain(c)
		b.addRule(c, w.rule()...)
		return b.commit()
	}
	return nil
}

// sendPackets sends through all hooks, to and fro among few ports.
func (m *member) sendPackets() error {
	to := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1 + byte(m.IntN(20))}, Port: 40000 + m.IntN(100)}
	return unix.Sendto(m.udp, make([]byte, m.IntN(100)), 0, to)
}

func (m *member) deleteEntries() error {
	time.Sleep(time.Duration(m.IntN(30)) * time.Millisecond)
	return m.flushEntries()
}
