// SPDX-License-Identifier: MIT

package rules

import (
	"fmt"

	"github.com/google/nftables"

	"nftdict/nftext/rule"
)

// Flowtable is one of a Table of its own: what it carries passes no hook behind
// ingress. It counts, always.
type Flowtable struct {
	Name     string
	Priority int32    // at the hook ingress
	Devices  []string // whose packets it looks at; may be empty
	Hardware bool     // the devices take flows, too
}

// InstallFlowtable puts the table into the kernel with a flowtable and chains, in
// place of what was there, in one transaction: what an earlier flowtable of the
// table has carried goes the slow way again.
func (t *Table) InstallFlowtable(f Flowtable, p *Policy) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.install(&f, p.chains())
}

// AddDevices has the flowtable, which is installed, look at further devices. What
// it carries stays there. Devices that it has are none to it.
func (t *Table) AddDevices(f Flowtable) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	b, table := t.batch()
	b.Conn().AddFlowtable(f.object(table))
	if err := b.Commit(); err != nil {
		return fmt.Errorf("flowtable inet %s %s: %w", t.name, f.Name, ownedByOther(err))
	}
	return nil
}

// ProbeFlowtable returns nil if the kernel makes a flowtable and rules that fill it. It
// changes nothing.
func ProbeFlowtable(netns int) error {
	b := rule.NewBatch(rule.Options{NetNS: netns})
	defer b.Close()
	table := &nftables.Table{Name: "dictd_probe", Family: family}
	b.AddTable(table, 0)
	f := Flowtable{Name: "probe"}
	b.Conn().AddFlowtable(f.object(table))
	ch := b.Conn().AddChain(&nftables.Chain{
		Name: "probe", Table: table, Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter,
	})
	b.Add(ch, rule.New(rule.Offload(f.Name)))
	return b.Check()
}

// object returns the flowtable in the words of google/nftables.
func (f *Flowtable) object(table *nftables.Table) *nftables.Flowtable {
	flags := nftables.FlowtableFlagsCounter
	if f.Hardware {
		flags |= nftables.FlowtableFlagsHWOffload
	}
	return &nftables.Flowtable{
		Table: table, Name: f.Name, Priority: nftables.FlowtablePriorityRef(nftables.FlowtablePriority(f.Priority)), Devices: f.Devices, Flags: flags,
	}
}
