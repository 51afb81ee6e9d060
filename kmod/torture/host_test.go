// SPDX-License-Identifier: MIT

package torture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"nftdict/internal/need"
)

// Numbers of the family, as ../nft_dict.yaml has them.
const (
	cmdTableNew = 1
	cmdTableDel = 2
	cmdTableGet = 3
	cmdFieldNew = 4
	cmdRowPut   = 5
	cmdRowGet   = 6
	cmdRowDel   = 7
	cmdRowRenew = 8
	cmdFlush    = 9
	cmdRowAdd   = 14
	cmdRecall   = 15

	attrTable   = 1
	attrKeyType = 3
	attrLimit   = 4
	attrTimeout = 5
	attrFlags   = 6
	attrField   = 7
	attrRow     = 8
	attrRows    = 9
	attrRefused = 10
	attrUsers   = 11
	attrBytes   = 14
	attrIDs     = 17

	rowKey    = 1
	rowTTL    = 2
	rowCell   = 3
	cellName  = 10
	fieldName = 1
	fieldType = 2
)

const dictDir = "/proc/thread-self/net/dict/"

// needModule asks for root and the module.
func needModule(tb testing.TB) {
	tb.Helper()
	need.Root(tb)
	need.Feature(tb, "kmod", func() error {
		f, err := openFamily()
		if err != nil {
			return err
		}
		return f.close()
	})
}

// enter puts the calling goroutine into a namespace of its own, with the
// loopback device up. It stays on its thread, which ends with it.
func enter() error {
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("new namespace: %w", err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

// host is a namespace of its own with sockets to the module and to nf_tables.
type host struct {
	*family
	nft *socket
}

func newHost(tb testing.TB) *host {
	tb.Helper()
	needModule(tb)
	if err := enter(); err != nil {
		tb.Fatal(err)
	}
	h, err := openHost()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { h.close() })
	return h
}

// openHost opens the sockets in the namespace of the calling thread.
func openHost() (*host, error) {
	f, err := openFamily()
	if err != nil {
		return nil, err
	}
	nft, err := dial(unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	return &host{f, nft}, nil
}

func (h *host) close() error { return errors.Join(h.family.close(), h.nft.close()) }

// tableInfo is what the module tells of a table.
type tableInfo struct {
	name           string
	rows, users    uint32
	bytes, refused uint64
	bound, open    bool
	fields         int
}

// tables lists all tables.
func (h *host) tables() (list []tableInfo, err error) {
	err = h.command(cmdTableGet, unix.NLM_F_DUMP, nil, func(attrs []*node) {
		var t tableInfo
		for _, a := range attrs {
			switch a.typ {
			case attrTable:
				t.name = strings.TrimRight(string(a.data), "\x00")
			case attrField:
				t.fields++
			case attrFlags:
				flags := binary.NativeEndian.Uint32(a.data)
				t.bound, t.open = flags&1 != 0, flags&2 != 0
			case attrRows:
				t.rows = binary.NativeEndian.Uint32(a.data)
			case attrUsers:
				t.users = binary.NativeEndian.Uint32(a.data)
			case attrBytes:
				t.bytes = binary.NativeEndian.Uint64(a.data)
			case attrRefused:
				t.refused = binary.NativeEndian.Uint64(a.data)
			}
		}
		list = append(list, t)
	})
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	return list, nil
}

// dump reads all rows of a table, and tells how many there were.
func (h *host) dump(table string) (rows int, err error) {
	err = h.command(cmdRowGet, unix.NLM_F_DUMP, []*node{text(attrTable, table)}, func(attrs []*node) {
		for _, a := range attrs {
			if a.typ == attrRow {
				rows++
			}
		}
	})
	return rows, err
}

// sweep deletes all rules and conntrack entries, and then everything that the
// module holds; it fails the test where something remains.
func (h *host) sweep(tb testing.TB) {
	tb.Helper()
	if err := h.flushRules(); err != nil {
		tb.Fatalf("delete all rules: %v", err)
	}
	if err := h.flushEntries(); err != nil {
		tb.Fatalf("delete all conntrack entries: %v", err)
	}
	tables, err := h.tables()
	if err != nil {
		tb.Fatal(err)
	}
	for _, t := range tables {
		if t.users != 0 {
			tb.Errorf("table %q has %d users without a rule", t.name, t.users)
		}
		if _, err := h.dump(t.name); err != nil {
			tb.Errorf("dump table %q: %v", t.name, err)
		}
		if err := h.command(cmdFlush, 0, []*node{text(attrTable, t.name)}, nil); err != nil {
			tb.Errorf("flush table %q: %v", t.name, err)
		}
		if !t.bound { // bindings may stay until it is clear that their entry was never confirmed
			h.empty(tb, t.name)
		}
		if err := h.command(cmdTableDel, 0, []*node{text(attrTable, t.name)}, nil); err != nil {
			tb.Errorf("delete table %q: %v", t.name, err)
		}
	}
	if tables, err = h.tables(); err != nil || len(tables) > 0 {
		tb.Errorf("then there are %v, %v", tables, err)
	}
	h.works(tb)
}

// empty asks whether a flushed table has neither rows nor memory.
func (h *host) empty(tb testing.TB, table string) {
	tb.Helper()
	tables, err := h.tables()
	if err != nil {
		tb.Fatal(err)
	}
	for _, t := range tables {
		if t.name == table && (t.rows != 0 || t.bytes != 0) {
			tb.Errorf("flushed table %q has %d rows of %d bytes", table, t.rows, t.bytes)
		}
	}
}

const maxBytes = "/sys/module/nft_dict/parameters/max_bytes"

// works puts a row into a new table, in a namespace without others, and asks
// whether the memory counted is that of the row and no more.
func (h *host) works(tb testing.TB) {
	tb.Helper()
	table := []*node{text(attrTable, "works"), u32(attrKeyType, 7), u32(attrLimit, 10),
		nest(attrField, text(fieldName, "f"), u32(fieldType, 2))}
	row := func(key uint32) []*node {
		return []*node{table[0], nest(attrRow, u32(rowKey, key), nest(rowCell, text(cellName, "f"), u32(2, 5)))}
	}
	step := func(what string, cmd uint8, attrs []*node) {
		if err := h.command(cmd, 0, attrs, nil); err != nil {
			tb.Fatalf("%s: %v", what, err)
		}
	}
	limit := func(n uint64) {
		if err := os.WriteFile(maxBytes, []byte(strconv.FormatUint(n, 10)), 0); err != nil {
			tb.Fatal(err)
		}
	}
	step("add a table", cmdTableNew, table)
	step("put a row", cmdRowPut, row(1))
	tables, err := h.tables()
	if err != nil || len(tables) != 1 || tables[0].rows != 1 {
		tb.Fatalf("with one row there are %v, %v", tables, err)
	}
	step("delete the row", cmdRowDel, []*node{table[0], nest(attrRow, u32(rowKey, 1))})
	defer limit(0)
	limit(tables[0].bytes)
	step("put a row", cmdRowPut, row(1))
	step("put another", cmdRowPut, row(2))
	if n, err := h.dump("works"); err != nil || n != 1 {
		tb.Errorf("where one row of %d bytes has a place there are %d, %v", tables[0].bytes, n, err)
	}
	step("delete the table", cmdTableDel, table[:1])
}
