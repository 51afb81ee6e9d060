// SPDX-License-Identifier: MIT

package session

import (
	"testing"

	"nftdict/dictd/conntrack"
)

// A dump that shows a connection may be older than the event of its end.
func TestEndsWhileTheKernelIsAsked(t *testing.T) {
	r := newRig(t, 10)
	r.kernel.confirm(flow(1, tuple(0)))
	r.kernel.lose()
	r.rows.rows[1] = 77 // of an earlier run
	err := r.Reconcile(r.now, map[uint32]struct{}{1: {}}, func(f *conntrack.Flow) (bool, Says) {
		r.kernel.destroy(*f)
		r.kernel.deliver(1)
		return true, Says{}
	})
	if err != nil {
		t.Fatal(err)
	}
	r.wantRow(1, 0)
	if r.Len() != 0 {
		t.Error("the connection is taken for a living one")
	}
	if r.rows.renewed[1] != 0 {
		t.Error("its row is renewed")
	}
}
