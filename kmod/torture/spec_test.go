// SPDX-License-Identifier: MIT

package torture

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"golang.org/x/sys/unix"
)

// spec is what ../nft_dict.yaml says of requests.
type spec struct {
	Definitions []struct {
		Name    string
		Type    string
		Entries []yaml.Node
	}
	Sets []struct {
		Name       string
		Attributes []attribute
	} `yaml:"attribute-sets"`
	Operations struct {
		List []operation
	}
}

type attribute struct {
	Name   string
	Type   string
	Enum   string
	Nested string `yaml:"nested-attributes"`
	Multi  bool   `yaml:"multi-attr"`
	number int
}

type operation struct {
	Name     string
	Value    uint8
	Do, Dump *struct {
		Request struct{ Attributes []string }
	}
}

// request is a command, as it is done or dumped.
type request struct {
	name  string
	cmd   uint8
	flags uint16
	attrs []string
}

func loadSpec(tb testing.TB) *spec {
	tb.Helper()
	text, err := os.ReadFile("../nft_dict.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	s := new(spec)
	if err := yaml.Unmarshal(text, s); err != nil {
		tb.Fatal(err)
	}
	return s
}

// requests returns everything that can be asked for.
func (s *spec) requests() (list []request) {
	for _, o := range s.Operations.List {
		if o.Do != nil {
			list = append(list, request{o.Name, o.Value, 0, o.Do.Request.Attributes})
		}
		if o.Dump != nil {
			list = append(list, request{o.Name + " dump", o.Value, unix.NLM_F_DUMP, o.Dump.Request.Attributes})
		}
	}
	return list
}

// attributes returns those of a set, with the numbers that they have.
func (s *spec) attributes(set string) []attribute {
	for _, a := range s.Sets {
		if a.Name != set {
			continue
		}
		for i := range a.Attributes {
			a.Attributes[i].number = i + 1
		}
		return a.Attributes
	}
	return nil
}

// count is how many entries an enum has.
func (s *spec) count(enum string) int {
	for _, d := range s.Definitions {
		if d.Name == enum {
			return len(d.Entries)
		}
	}
	return 0
}

// Tables and fields whose names tell what they are, so that messages fit them
// more often than not. The types of keys and values count from 1.
var (
	tableNames = []string{"ct-id", "ipv4", "ipv6", "address", "ether", "mark", "int", "string"}
	fieldNames = []string{"bool", "int", "int64", "ipv4", "ipv6", "address", "ether", "string"}
)

// writer makes messages that are right, mostly.
type writer struct {
	*rand.Rand
	*spec
	table int // index in tableNames
	name  string
}

// message makes the attributes of a request.
func (w *writer) message(q request) *node {
	w.table = w.IntN(len(tableNames))
	w.name = tableNames[w.table]
	switch w.IntN(16) {
	case 0, 1, 2, 3, 4:
		w.name += "_open"
	case 5:
		w.name += pick(w.Rand, "-2", "_2", ".")
	}
	root := &node{nest: true}
	for _, a := range w.attributes("dict") {
		if !slices.Contains(q.attrs, a.Name) || optional(a.Name) && w.IntN(3) != 0 || a.Name == "table-id" && w.IntN(4) != 0 {
			continue
		}
		n := 1
		if a.Multi {
			n = pick(w.Rand, 0, 1, 1, 2, 3, 10)
		}
		for range n {
			root.kids = append(root.kids, w.attribute(a, q.name))
		}
	}
	return root
}

func optional(name string) bool {
	return slices.Contains([]string{"table-id", "timeout", "flags", "ttl", "default", "alias"}, name)
}

// attribute makes one attribute.
func (w *writer) attribute(a attribute, request string) *node {
	switch a.Name {
	case "table":
		return text(a.number, w.name)
	case "table-id":
		return u32(a.number, uint32(w.IntN(60)))
	case "key-type":
		return u32(a.number, uint32(w.table+1))
	case "limit":
		return u32(a.number, uint32(pick(w.Rand, 1, 2, 10, 1000, 100000)))
	case "timeout", "ttl":
		return u32(a.number, uint32(pick(w.Rand, 0, 1, 2, 1000)))
	case "flags":
		return u32(a.number, uint32(w.flags()))
	case "key":
		return raw(a.number, w.key())
	}
	switch a.Type {
	case "nest":
		return w.nested(a, request)
	case "u32":
		return u32(a.number, uint32(1+w.IntN(max(1, w.count(a.Enum)))))
	case "string":
		return text(a.number, pick(w.Rand, fieldNames...)+strings.Repeat("x", w.IntN(3)))
	}
	return raw(a.number, noise(w.Rand, 4))
}

// flags gives bound tables to ct ids alone, and open ones to names that say so.
func (w *writer) flags() int {
	switch {
	case strings.HasSuffix(w.name, "open"):
		return 2
	case w.table == 0:
		return 1
	}
	return 0
}

// key makes a key of the table's type out of few, so that rows meet.
func (w *writer) key() []byte {
	n := byte(w.IntN(20))
	switch tableNames[w.table] {
	case "ipv6":
		return append(make([]byte, 15), n)
	case "address":
		return append(make([]byte, pick(w.Rand, 3, 15)), n)
	case "ether":
		return []byte{2, 0, 0, 0, 0, n}
	case "string":
		return []byte(strings.Repeat("k", 1+int(n)*6))
	}
	return []byte{n, 0, 0, 0}
}

func (w *writer) nested(a attribute, request string) *node {
	n := nest(a.number)
	switch a.Nested {
	case "cell":
		n.kids = w.cell(a.Name == "default", request)
		return n
	case "field":
		kind := w.IntN(len(fieldNames))
		open := strings.HasSuffix(w.name, "open")
		for _, a := range w.attributes("field") {
			switch a.Name {
			case "name":
				n.kids = append(n.kids, text(a.number, fieldNames[kind]+strings.Repeat("x", w.IntN(8))))
			case "type":
				if !open {
					n.kids = append(n.kids, u32(a.number, uint32(kind+1)))
				}
			case "alias":
				if chance(w.Rand, 4) {
					n.kids = append(n.kids, text(a.number, fmt.Sprint("also", w.IntN(1000))))
				}
			case "default":
				if !open && chance(w.Rand, 4) {
					n.kids = append(n.kids, nest(a.number, w.value(kind)))
				}
			}
		}
		return n
	}
	for _, a := range w.attributes(a.Nested) {
		if optional(a.Name) && w.IntN(3) != 0 || a.Name == "key" && strings.HasSuffix(request, "dump") {
			continue
		}
		if a.Name == "cell" && (request == "row-get" || request == "row-renew") && !chance(w.Rand, 8) {
			continue // a key is all they take
		}
		count := 1
		if a.Multi {
			count = pick(w.Rand, 0, 1, 1, 3, 8)
		}
		for range count {
			n.kids = append(n.kids, w.attribute(a, request))
		}
	}
	return n
}

// cell makes a field and its value, or one of both where that is right.
func (w *writer) cell(value bool, request string) []*node {
	kind := w.IntN(len(fieldNames))
	if value {
		return []*node{w.value(kind)}
	}
	if request == "row-add" && !chance(w.Rand, 8) {
		kind = 1 + w.IntN(2) // the numbers
	}
	var list []*node
	for _, a := range w.attributes("cell") {
		switch {
		case a.Name == "name" && len(list) == 0:
			list = append(list, text(a.number, fieldNames[kind]+strings.Repeat("x", w.IntN(3))))
		case a.Name == "field" && chance(w.Rand, 4):
			list = append(list, u32(a.number, uint32(w.IntN(8))))
		}
	}
	if request != "row-del" && (request == "row-put" || request == "row-add" || chance(w.Rand, 2)) {
		list = append(list, w.value(kind))
	}
	return list
}

// value makes a value of a type, counted from 0.
func (w *writer) value(kind int) *node {
	n := w.Uint32()
	switch fieldNames[kind] {
	case "bool":
		return raw(kind+1, []byte{byte(n & 1)})
	case "int64":
		return raw(kind+1, binary.NativeEndian.AppendUint64(nil, uint64(n)<<20))
	case "ipv6":
		return raw(kind+1, append(make([]byte, 15), byte(n)))
	case "address":
		return u32(kind-1, n) // an IPv4 address
	case "ether":
		return raw(kind+1, []byte{2, 0, 0, 0, 0, byte(n)})
	case "string":
		return raw(kind+1, []byte(strings.Repeat("v", int(n%129))))
	}
	return u32(kind+1, n)
}
