// SPDX-License-Identifier: MIT

package torture

import (
	"io"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// commandSteps are the commands of the family. id is that of a live entry.
func commandSteps(id uint32) []step {
	do := func(cmd uint8, flags uint16, attrs ...*node) func(*host) error {
		return func(h *host) error { return h.command(cmd, flags, attrs, nil) }
	}
	table := func(name string) *node { return text(attrTable, name) }
	several := []*node{table("int")}
	for i := range 20 {
		several = append(several, putOf("int", u32(rowKey, uint32(i)), 0, 1, 2, 7)[1])
	}
	names := func(name string) *node { return nest(attrField, text(fieldName, name), u32(fieldType, 2)) }
	bound := append([]*node{table("new"), u32(attrKeyType, 1), u32(attrLimit, 10), u32(attrFlags, 1)}, ruleTables(false)[0][4:]...)
	fresh := putOf("open", u32(rowKey, 2), 3, 4)
	return []step{
		{name: "table-new", do: do(cmdTableNew, 0, bound...), answered: true},
		{name: "field-new", do: do(cmdFieldNew, 0, table("int"), names("more"), names("most")), answered: true},
		{name: "row-put, a new row", do: do(cmdRowPut, 0, putOf("int", u32(rowKey, 9), 0, 1, 2, 7)...), answered: true},
		{name: "row-put, an old row", do: do(cmdRowPut, 0, putOf("int", u32(rowKey, 1), 0, 1, 7)...), answered: true},
		{name: "row-add, a new row", do: do(cmdRowAdd, 0, putOf("int", u32(rowKey, 9), 1, 2)...), answered: true},
		{name: "row-add, an old row", do: do(cmdRowAdd, 0, putOf("int", u32(rowKey, 1), 1, 2)...), answered: true},
		{name: "recall", do: do(cmdRecall, 0, u32(attrIDs, id))},
		{name: "row-put, new fields", do: do(cmdRowPut, 0, fresh...), answered: true},
		{name: "row-put, a session", do: do(cmdRowPut, 0, putOf("ct-id", u32(rowKey, id), 0, 7)...), answered: true},
		{name: "row-get", do: do(cmdRowGet, 0, table("int"), nest(attrRow, u32(rowKey, 1)))},
		{name: "row-get dump", do: do(cmdRowGet, unix.NLM_F_DUMP, table("int"))},
		{name: "row-get dump, filtered", do: do(cmdRowGet, unix.NLM_F_DUMP, table("int"), nest(attrRow, nest(rowCell, text(cellName, "int"))))},
		{name: "table-get", do: do(cmdTableGet, 0, table("int"))},
		{name: "table-get dump", do: do(cmdTableGet, unix.NLM_F_DUMP)},
		{name: "row-renew", do: do(cmdRowRenew, 0, table("int"), nest(attrRow, u32(rowKey, 1))), answered: true},
		{name: "row-del, a cell", do: do(cmdRowDel, 0, table("int"), nest(attrRow, u32(rowKey, 1), nest(rowCell, text(cellName, "int")))), answered: true},
		{name: "row-del", do: do(cmdRowDel, 0, table("int"), nest(attrRow, u32(rowKey, 1))), answered: true},
		{name: "flush", do: do(cmdFlush, 0, table("int")), answered: true},
		{name: "table-del", do: do(cmdTableDel, 0, table("int")), answered: true},
		{name: "row-put, 20 rows", do: partly(do(cmdRowPut, 0, several...)), answered: true, anew: true},
	}
}

// partly says that rows may be refused one by one, so nothing can be said of
// the state that is left: the error is dropped.
func partly(do func(*host) error) func(*host) error {
	return func(h *host) error {
		if err := do(h); err != nil && err != unix.ENOMEM && err != unix.ENOBUFS && err != errSilent {
			return err
		}
		return nil
	}
}

// textSteps are the calls of the text interface, each with its open.
func textSteps() []step {
	file := func(name string, mode int, lines ...string) func(*host) error {
		return func(*host) error {
			fd, err := unix.Open(dictDir+name, mode|unix.O_CLOEXEC, 0)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			for _, line := range lines {
				if n, err := unix.Write(fd, []byte(line)); err != nil {
					return err
				} else if n != len(line) {
					return io.ErrShortWrite
				}
			}
			if mode == unix.O_WRONLY {
				return nil
			}
			for buf := make([]byte, 4096); ; {
				if n, err := unix.Read(fd, buf); err != nil || n == 0 {
					return err
				}
			}
		}
	}
	return []step{
		{name: "open and close", do: file("write", unix.O_WRONLY)},
		{name: "write to a new table", do: file("write", unix.O_WRONLY, "table=fresh,key_string=k,field=f,string=hello")},
		{name: "write a new row", do: file("write", unix.O_WRONLY, "table=int,key_int=8,field=string,string=hello")},
		{name: "write an old row", do: file("write", unix.O_WRONLY, "table=int,key_int=1,field=string,string=hello\n")},
		{name: "write a new field", do: file("write", unix.O_WRONLY, "table=open,key_int=1,field=f,ip=1.2.3.4")},
		{name: "delete a row", do: file("delete", unix.O_WRONLY, "table=int,key_int=1")},
		{name: "delete a field", do: file("delete", unix.O_WRONLY, "table=int,key_int=1,field=int")},
		{name: "delete a table", do: file("delete", unix.O_WRONLY, "table=int")},
		{name: "read a row", do: file("read", unix.O_RDWR, "table=int,key_int=1")},
		{name: "read a table", do: file("read", unix.O_RDWR, "table=string")},
		{name: "read all", do: file("all", unix.O_RDONLY)},
	}
}

// forms returns an expression of every form, of what ruler makes, with what
// stands before it.
func (w *ruler) forms() map[string][]*node {
	look := func(attr, table string, field int, key ...*node) *node {
		n := nest(w.c[attr], append([]*node{text(w.c["NFTA_DICT_LOOKUP_TABLE"], table)}, key...)...)
		if field >= 0 {
			n.kids = append(n.kids, text(w.c["NFTA_DICT_LOOKUP_FIELD"], fieldNames[field]), be32(w.c["NFTA_DICT_LOOKUP_TYPE"], uint32(field+1)))
		}
		return n
	}
	reg := []*node{be32(w.c["NFTA_DICT_LOOKUP_SREG"], 2), be32(w.c["NFTA_DICT_LOOKUP_LEN"], 4)}
	ct := raw(w.c["NFTA_DICT_LOOKUP_CT"], nil)
	op := func(name string) *node { return be32(w.c["NFTA_DICT_OP"], uint32(w.c["NFT_DICT_"+name])) }
	glob := nest(w.c["NFTA_DICT_ITEMS"], nest(unix.NFTA_LIST_ELEM, raw(w.c["NFTA_DICT_ITEM_TOKENS"], []byte{1, 1, 'a', 0, 2, 1}),
		raw(w.c["NFTA_DICT_ITEM_CLASSES"], make([]byte, 32))), nest(unix.NFTA_LIST_ELEM, nest(w.c["NFTA_DICT_ITEM_LO"], raw(8, []byte("x")))))
	eq := be32(w.c["NFTA_DICT_CMP"], uint32(w.c["NFT_DICT_EQ"]))
	deep := look("NFTA_DICT_LOOKUP_NESTED", "int", 7, look("NFTA_DICT_LOOKUP_NESTED", "ct-id", 1, ct))
	source := func(field int) *node { return look("NFTA_DICT_SOURCE", "string", field, deep) }
	one := nest(w.c["NFTA_DICT_VALUE"], u32(2, 1))
	list := map[string][]*node{
		"load":         {op("LOAD"), look("NFTA_DICT_LOOKUP", "int", 1, reg...), be32(w.c["NFTA_DICT_DREG"], 1), be32(w.c["NFTA_DICT_LEN"], 4)},
		"match glob":   {op("MATCH"), look("NFTA_DICT_LOOKUP", "int", 7, reg...), eq, glob},
		"match nested": {op("MATCH"), look("NFTA_DICT_LOOKUP", "string", 7, deep), eq, glob, text(w.c["NFTA_DICT_TEXT"], "text")},
		"set":          {op("SET"), look("NFTA_DICT_LOOKUP", "int", 1, reg...), one},
		"set open":     {op("SET"), look("NFTA_DICT_LOOKUP", "open", 1, reg...), one},
		"set nested":   {op("SET"), look("NFTA_DICT_LOOKUP", "string", 1, deep), source(1)},
		"add":          {op("ADD"), look("NFTA_DICT_LOOKUP", "int", 2, reg...), source(1)},
		"sub":          {op("SUB"), look("NFTA_DICT_LOOKUP", "ct-id", 1, ct), one},
		"flush":        {op("FLUSH"), look("NFTA_DICT_LOOKUP", "int", -1, reg...)},
		"attach":       {op("ATTACH"), look("NFTA_DICT_LOOKUP", "ct-id", -1, ct)},
	}
	for name, attrs := range list {
		list[name] = append(w.register(2, 4), expression("dict", attrs...))
	}
	return list
}

// ruleSteps load a rule of every form.
func ruleSteps(t *testing.T) (list []step) {
	b := &budget{tb: t}
	w := newRuler(b.random(0), loadSpec(t), loadConstants(t))
	load := func(rules ...[]*node) func(*host) error {
		return func(h *host) error {
			b := newBatch(h.nft)
			for _, exprs := range rules {
				b.addRule(faultChain(), exprs...)
			}
			return b.commit()
		}
	}
	var all [][]*node
	for name, exprs := range w.forms() {
		list = append(list, step{name: name, do: load(exprs)})
		all = append(all, exprs)
	}
	return append(list, step{name: "all", do: load(all...)})
}

// makingRows loads rules that make rows out of every packet, and delete them.
func (h *host) makingRows(t *testing.T) {
	t.Helper()
	w := newRuler((&budget{tb: t}).random(0), loadSpec(t), loadConstants(t))
	forms := w.forms()
	var err error
	for range 100 { // somebody may delete the tables meanwhile
		h.ruleTables(t)
		b := newBatch(h.nft)
		b.addChain(faultChain())
		b.delRules(faultChain())
		for _, name := range []string{"attach", "set", "add", "set nested", "sub", "flush"} {
			b.addRule(faultChain(), forms[name]...)
		}
		if err = b.commit(); err == nil {
			return
		}
	}
	t.Fatalf("rules that make rows: %v", err)
}

// ofPackets sends packets through rules that make rows, and asks whether some
// did not come to be.
func (h *host) ofPackets(t *testing.T) {
	t.Helper()
	refused := uint64(0)
	end := time.Now().Add(3 * lasting(t))
	for time.Now().Before(end) || refused == 0 && time.Now().Before(end.Add(patience)) {
		time.Sleep(100 * time.Millisecond)
		tables, err := h.tables()
		if err != nil {
			continue // this may want for memory, too
		}
		for _, t := range tables {
			refused = max(refused, t.refused)
		}
	}
	t.Logf("a table refused up to %d rows", refused)
	if refused == 0 {
		t.Error("no row was refused for want of memory")
	}
}
