// SPDX-License-Identifier: MIT

package dictd

import (
	"testing"

	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/dictd/conntrack"
)

// A row of an earlier run belongs to the connection it tells of, and not to
// another that has the same id by now.
func TestRowIsClaimedByItsTuple(t *testing.T) {
	store := dicttest.NewStandard(t)
	w := newWorker(t, store, 10)
	open(w, 5)
	name, err := dict.StringValue("ann")
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Put(dict.Sessions, dict.Row{Key: dict.CtID(6), Cells: []dict.Cell{{Field: "username", Value: name}}}); err != nil {
		t.Fatal(err)
	}
	left, err := readRows(store)
	if err != nil {
		t.Fatal(err)
	}
	if len(left.ids) != 2 {
		t.Errorf("%d rows, want 2", len(left.ids))
	}
	own, other, bare := tcpFlow(5), tcpFlow(5), tcpFlow(6)
	other.Orig = conntrack.NewTuple(6, client, client)
	for what, c := range map[string]struct {
		flow *conntrack.Flow
		want bool
	}{"its own": {&own, true}, "another of the same id": {&other, false}, "one of a row that tells of none": {&bare, true}} {
		if got, _ := left.claim(c.flow); got != c.want {
			t.Errorf("%s: claimed %v, want %v", what, got, c.want)
		}
	}
}
