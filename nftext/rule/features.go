// SPDX-License-Identifier: MIT

package rule

import (
	"errors"
	"fmt"
	"os"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// Features is what kernels differ in and rules depend on.
type Features struct {
	Queue   bool // nf_tables' own queue
	XTQueue bool // the xt target NFQUEUE
	Owner   bool // tables with TableOwner and TablePersist
}

// Probe asks the kernel of a network namespace, 0 for the caller's, for its
// features. It changes nothing. It needs CAP_NET_ADMIN.
func Probe(netns int) (Features, error) {
	var f Features
	for _, p := range []struct {
		to    *bool
		with  Features
		flags TableFlags
		rule  Rule
	}{
		{&f.Queue, Features{Queue: true}, 0, New(Queue{Bypass: true, Last: 1, Fanout: true})},
		{&f.XTQueue, Features{XTQueue: true}, 0, New(Queue{Bypass: true, Last: 1, Fanout: true})},
		{&f.Owner, Features{}, TableOwner | TablePersist, New()},
	} {
		b := NewBatch(Options{NetNS: netns, Features: &p.with})
		t := b.AddTable(&nftables.Table{Name: fmt.Sprintf("probe_%d", os.Getpid()), Family: nftables.TableFamilyINet}, p.flags)
		b.Add(b.Conn().AddChain(&nftables.Chain{Name: "c", Table: t}), p.rule)
		err := errors.Join(b.Check(), b.Close())
		if err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EPROTONOSUPPORT) {
			return Features{}, fmt.Errorf("ask for nf_tables' features: %w", err)
		}
		*p.to = err == nil
	}
	return f, nil
}

// features returns what the kernel can do.
func (b *Batch) features() (Features, error) {
	if b.options.Features == nil {
		f, err := Probe(b.options.NetNS)
		if err != nil {
			return f, err
		}
		b.options.Features = &f
	}
	return *b.options.Features, nil
}
