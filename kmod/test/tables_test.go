// SPDX-License-Identifier: MIT

package test

import (
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// TestTablesBounded: a namespace has 1024 tables at most, whoever makes them,
// and another where one has gone.
func TestTablesBounded(t *testing.T) {
	newHost(t)
	f := newFamily(t)
	const most = 1024
	for i := range most {
		f.table(t, fmt.Sprintf("t%d", i), dict.KeyInt, 0)
	}
	_, err := f.do(cmdTableNew, text(attrTable, "more"), num(attrKeyType, uint32(dict.KeyInt)), num(attrLimit, 1))
	if !errors.Is(err, unix.EFBIG) {
		t.Errorf("one table more: %v, want %v", err, unix.EFBIG)
	}
	if err := write("write", "table=more,key_int=1,field=f,int=1"); !errors.Is(err, unix.EFBIG) {
		t.Errorf("one table more by a line of text: %v, want %v", err, unix.EFBIG)
	}
	f.must(t, cmdTableDel, text(attrTable, "t7"))
	if err := write("write", "table=more,key_int=1,field=f,int=1"); err != nil {
		t.Errorf("after one has gone: %v", err)
	}
	if n := len(f.tablesTold(t)); n != most {
		t.Errorf("%d tables, want %d", n, most)
	}
}
