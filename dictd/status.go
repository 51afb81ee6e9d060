// SPDX-License-Identifier: MIT

package dictd

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"time"

	"nftdict/dictd/api"
	"nftdict/dictd/config"
	"nftdict/dictd/identity"
	"nftdict/dictd/session"
)

var _ api.Source = (*Daemon)(nil)

// Sessions implements api.Source.
func (d *Daemon) Sessions() []*session.Session { return d.table.All() }

// Find implements api.Source.
func (d *Daemon) Find(id uint32) []*session.Session { return d.table.Find(id) }

// Tables implements api.Source.
func (d *Daemon) Tables() api.Tables { return d.o.Store }

// Directory implements api.Source.
func (d *Daemon) Directory() *identity.Directory { return d.who.Directory }

// Status implements api.Source.
func (d *Daemon) Status() *api.Status {
	c := d.config.Load()
	features := d.keeper.table.Features()
	events := d.events.Stats()
	s := &api.Status{
		Version: d.o.Version, PID: os.Getpid(), Started: d.started.UTC(), Uptime: time.Since(d.started).Seconds(),
		Backend: d.o.Backend, Fail: c.Fail,
		Kernel: api.Kernel{CtID: d.source.String(), Queue: features.Queue, Owner: features.Owner},
		Rules:  d.keeper.status(),
		Queues: []api.Queue{},
		Packets: api.Packets{
			Malformed: d.pipeline.malformed.Load(), Truncated: d.pipeline.truncated.Load(),
			Untracked: d.pipeline.untracked.Load(), Finished: d.pipeline.finished.Load(),
		},
		Sessions: d.table.Stats(),
		Conntrack: api.Conntrack{
			Events: events.Events, Overruns: events.Overruns, Malformed: events.Malformed, Reconciled: d.reconciled.Load(),
		},
		Writes:    d.record.status(),
		Tables:    map[string]api.Table{},
		Hints:     d.memories.hints.Len(),
		Identity:  d.who.status(),
		Ledger:    d.account.status(),
		Events:    d.happened.Stats(),
		Registers: d.pipeline.registers.Load().status(),
		Offload:   d.offload.Status(),
		Warnings:  append([]string{}, slices.Concat(d.warnings, d.offloadWarnings(), d.portalWarnings())...),
		Errors:    map[string]string{},
	}
	if f := d.account.flows; f != nil && f.Blind() > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%d flowtables do not count: what passes them is in no ledger and no quota; remedy: the word counter in the flowtable", f.Blind()))
	}
	if s.Identity.Refused > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%d addresses of neighbours found no place among the %d that are known; remedy: identity.hosts", s.Identity.Refused, s.Identity.Limit))
	}
	if text := d.quota.Failure(); text != "" {
		s.Warnings = append(s.Warnings, "quotas cannot be kept: "+text)
	}
	d.addQueues(s)
	d.addTables(s)
	return s
}

func (k *keeper) status() api.Rules {
	k.mu.Lock()
	defer k.mu.Unlock()
	return api.Rules{
		Table: "inet " + k.config.Table, FinishBit: k.config.FinishBit, Flush: k.flush,
		Installed: k.installed.UTC(), Reinstalled: k.again.Load(),
	}
}

func (r *recorder) status() api.Writes {
	w := api.Writes{
		Puts: r.puts.Load(), Cells: r.cells.Load(), Deletes: r.deletes.Load(), Renewed: r.renewed.Load(),
		Full: r.full.Load(), Failed: r.failed.Load(),
	}
	if text := r.lastError.Load(); text != nil {
		w.LastError = *text
	}
	return w
}

func (d *Daemon) addQueues(s *api.Status) {
	var inKernel map[uint16]kernelQueue
	if d.o.NetNS == 0 {
		var err error
		if inKernel, err = readKernelQueues("/proc/net/netfilter/nfnetlink_queue"); err != nil {
			s.Errors["queues"] = err.Error()
		}
	}
	for _, r := range d.running() {
		n, c := r.Counters(), inKernel[r.Num()]
		s.Queues = append(s.Queues, api.Queue{
			Num: r.Num(), First: r.First(), Packets: n.Packets,
			Waiting: c.waiting, KernelDropped: c.dropped, UserDropped: c.userDropped,
			Unreadable: n.Unreadable, Panics: n.Panics, VerdictErrors: n.VerdictErrors, Overruns: n.Overruns,
		})
		if text := fullQueue(r.Num(), c.waiting, d.config.Load()); text != "" {
			s.Warnings = append(s.Warnings, text)
		}
	}
}

// fullQueue returns a warning if packets pass a queue unseen at this moment.
// There is no figure of those that did: the kernel counts what it drops, and
// nothing of what it lets go on.
func fullQueue(num uint16, waiting uint64, c *config.Config) string {
	if c.Closed() || waiting < uint64(c.Queues.Length) {
		return ""
	}
	return fmt.Sprintf("queue %d is full: with fail = %q packets pass unseen now, and the kernel does not count them", num, c.Fail)
}

func (d *Daemon) addTables(s *api.Status) {
	tables, err := d.o.Store.Tables()
	if err != nil {
		s.Errors["tables"] = err.Error()
		return
	}
	for _, t := range tables {
		st, err := d.o.Store.Stats(t.Name)
		if err != nil {
			s.Errors["table "+t.Name] = err.Error()
			continue
		}
		s.Tables[t.Name] = api.Table{Rows: st.Rows, Limit: st.Limit, Refused: st.Refused}
		if st.Rows >= st.Limit {
			s.Warnings = append(s.Warnings, fmt.Sprintf("table %s is full: %d rows, %d refused", t.Name, st.Rows, st.Refused))
		}
	}
}

// kernelQueue is what the kernel counts of a queue.
type kernelQueue struct{ waiting, dropped, userDropped uint64 }

// readKernelQueues reads the kernel's list: number, reader, waiting, copy mode
// and range, packets dropped for want of room in the queue and in the socket.
func readKernelQueues(path string) (map[uint16]kernelQueue, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	queues := make(map[uint16]kernelQueue)
	for in := bufio.NewScanner(f); in.Scan(); {
		var num uint16
		var reader, mode, length uint64
		var q kernelQueue
		if _, err := fmt.Sscan(in.Text(), &num, &reader, &q.waiting, &mode, &length, &q.dropped, &q.userDropped); err != nil {
			return nil, fmt.Errorf("%s: line %q: %w", path, in.Text(), err)
		}
		queues[num] = q
	}
	return queues, nil
}
