// SPDX-License-Identifier: MIT

package genl

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"nftdict/dict"
	"nftdict/nftext"
)

// names are numbers by the names that the specification gives them.
type names map[string]int

// numbered returns names with numbers that count up from first.
func numbered(first int, list ...string) names {
	out := names{}
	for i, n := range list {
		if n != "" {
			out[n] = first + i
		}
	}
	return out
}

// Names of attributes by their numbers in this package.
var (
	messageAttrs = names{
		"table": attrTable, "table-id": attrTableID, "key-type": attrKeyType, "limit": attrLimit, "timeout": attrTimeout, "flags": attrFlags,
		"field": attrField, "row": attrRow, "rows": attrRows, "refused": attrRefused, "users": attrUsers, "count": attrCount,
		"refusal": attrRefusal, "bytes": attrBytes, "pad": attrPad, "version": attrVersion, "ids": attrIDs, "changes": attrChanges,
	}
	cellAttrs = names{
		"bool": int(dict.Bool), "int": int(dict.Int), "int64": int(dict.Int64), "ipv4": int(dict.IPv4), "ipv6": int(dict.IPv6),
		"address": int(dict.Address), "ether": int(dict.Ether), "string": int(dict.String),
		"field": cellField, "name": cellName, "pad": cellPad,
	}
	rowAttrs     = names{"key": rowKey, "ttl": rowTTL, "cell": rowCell}
	fieldAttrs   = names{"name": fieldName, "type": fieldType, "default": fieldDefault, "alias": fieldAlias, "index": fieldIndex}
	refusalAttrs = names{"index": refusalIndex, "error": refusalError, "message": refusalMessage, "offset": refusalOffset}
	commands     = names{
		"table-new": cmdTableNew, "table-del": cmdTableDel, "table-get": cmdTableGet, "field-new": cmdFieldNew,
		"row-put": cmdRowPut, "row-add": cmdRowAdd, "row-get": cmdRowGet, "row-del": cmdRowDel, "row-renew": cmdRowRenew, "flush": cmdFlush, "recall": cmdRecall,
		"table-ntf": cmdTableNtf, "table-del-ntf": cmdTableDelNtf, "row-ntf": cmdRowNtf, "row-del-ntf": cmdRowDelNtf,
	}
	constants = names{
		"max-name": dict.MaxName, "max-string": dict.MaxString, "max-fields": dict.MaxFields, "max-aliases": dict.MaxAliases,
		"max-row": maxRow, "max-rows": maxRows, "max-ids": maxIDs, "max-ttl": int(dict.MaxTTL.Seconds()),
	}
	keyTypes = names{
		"ct-id": int(dict.KeyCtID), "ipv4": int(dict.KeyIPv4), "ipv6": int(dict.KeyIPv6), "address": int(dict.KeyAddress),
		"ether": int(dict.KeyEther), "mark": int(dict.KeyMark), "int": int(dict.KeyInt), "string": int(dict.KeyString),
	}
	valueTypes = names{
		"bool": int(dict.Bool), "int": int(dict.Int), "int64": int(dict.Int64), "ipv4": int(dict.IPv4), "ipv6": int(dict.IPv6),
		"address": int(dict.Address), "ether": int(dict.Ether), "string": int(dict.String),
	}
)

// spec is what we read of the specification.
type spec struct {
	Name        string
	Version     int
	Definitions []struct {
		Name       string
		Type       string
		Value      int
		ValueStart int `yaml:"value-start"`
		Entries    []entry
	}
	AttributeSets []struct {
		Name       string
		Attributes []struct{ Name string }
	} `yaml:"attribute-sets"`
	Operations struct {
		List []struct {
			Name  string
			Value int
		}
	}
	McastGroups struct {
		List []struct{ Name string }
	} `yaml:"mcast-groups"`
}

// entry is one of an enumeration: its name, or a mapping that has one.
type entry string

func (e *entry) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return n.Decode((*string)(e))
	}
	var m struct{ Name string }
	err := n.Decode(&m)
	*e = entry(m.Name)
	return err
}

func TestSpecification(t *testing.T) {
	text, err := os.ReadFile("../kmod/nft_dict.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var s spec
	if err := yaml.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	check := func(what string, got, want any) {
		t.Helper()
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-specification +package):\n%s", what, d)
		}
	}
	check("family", []any{familyName, familyVersion}, []any{s.Name, s.Version})
	groups := []string{}
	for _, g := range s.McastGroups.List {
		groups = append(groups, g.Name)
	}
	check("groups", []string{groupChanges, groupWrites}, groups)

	consts := names{}
	enums := map[string]names{}
	for _, d := range s.Definitions {
		if d.Type == "const" {
			consts[d.Name] = d.Value
			continue
		}
		var list []string
		for _, e := range d.Entries {
			list = append(list, string(e))
		}
		if enums[d.Name] = numbered(d.ValueStart, list...); d.Type == "flags" {
			for name, bit := range enums[d.Name] {
				enums[d.Name][name] = 1 << bit
			}
		}
	}
	check("constants", constants, consts)
	check("enumerations", map[string]names{
		"key-type": keyTypes, "type": valueTypes, "table-flags": {"bound": tableBound, "open": tableOpen},
	}, enums)

	sets := map[string]names{}
	for _, set := range s.AttributeSets {
		var list []string
		for _, a := range set.Attributes {
			list = append(list, a.Name)
		}
		sets[set.Name] = numbered(1, list...)
	}
	check("attributes", map[string]names{
		"dict": messageAttrs, "cell": cellAttrs, "row": rowAttrs, "field": fieldAttrs, "refusal": refusalAttrs,
	}, sets)

	ops := names{}
	for _, op := range s.Operations.List {
		ops[op.Name] = op.Value
	}
	check("commands", commands, ops)
}

// header reads the enumerations and the constants of a C header. It knows what
// ours uses: names with no value, a number, another name, or a shift.
func header(text string) names {
	text = regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAllString(text, "")
	out := names{}
	for _, m := range regexp.MustCompile(`(?m)^#define\s+(\w+)\s+(\d+)\s*$`).FindAllStringSubmatch(text, -1) {
		out[m[1]], _ = strconv.Atoi(m[2])
	}
	for _, body := range regexp.MustCompile(`(?s)enum \w+ \{(.*?)\}`).FindAllStringSubmatch(text, -1) {
		next := 0
		for item := range strings.SplitSeq(body[1], ",") {
			name, value, given := strings.Cut(strings.TrimSpace(item), "=")
			if name = strings.TrimSpace(name); name == "" {
				continue
			}
			if value = strings.TrimSpace(value); given {
				if base, shift, ok := strings.Cut(value, "<<"); ok {
					b, _ := strconv.Atoi(strings.TrimSpace(base))
					s, _ := strconv.Atoi(strings.TrimSpace(shift))
					next = b << s
				} else if n, err := strconv.Atoi(value); err == nil {
					next = n
				} else {
					next = out[value]
				}
			}
			out[name] = next
			next++
		}
	}
	return out
}

func TestHeader(t *testing.T) {
	text, err := os.ReadFile("../kmod/nft_dict_uapi.h")
	if err != nil {
		t.Fatal(err)
	}
	have := header(string(text))
	want := names{
		"NFT_DICT_GENL_VERSION": familyVersion,
		"NFT_DICT_MAX_DEPTH":    nftext.MaxDepth, "NFT_DICT_MAX_ITEMS": nftext.MaxItems,
		"NFT_DICT_MAX_TOKENS": nftext.MaxTokens, "NFT_DICT_MAX_TEXT": nftext.MaxText, "NFT_DICT_MAX_EXPR": 16384,
		"NFT_DICT_TABLE_BOUND": tableBound, "NFT_DICT_TABLE_OPEN": tableOpen,
		"NFT_DICT_TOKEN_ANY": tokenAny, "NFT_DICT_TOKEN_STAR": tokenStar, "NFT_DICT_TOKEN_CLASS": tokenClass,
	}
	add := func(prefix string, from names) {
		for name, n := range from {
			want[prefix+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))] = n
		}
	}
	add("NFT_DICT_", constants)
	add("NFT_DICT_KEY_", keyTypes)
	add("NFT_DICT_TYPE_", valueTypes)
	add("NFT_DICT_CMD_", commands)
	add("NFT_DICT_A_", messageAttrs)
	add("NFT_DICT_CELL_", cellAttrs)
	delete(want, "NFT_DICT_CELL_ADDRESS") // no value is of that type
	add("NFT_DICT_ROW_", rowAttrs)
	add("NFT_DICT_FIELD_", fieldAttrs)
	add("NFT_DICT_REFUSAL_", refusalAttrs)
	add("NFT_DICT_", names{"load": opLoad, "match": opMatch, "set": opSet, "add": opAdd, "sub": opSub, "flush": opFlush, "attach": opAttach})
	add("NFT_DICT_", names{"packet-length": packetLength})
	add("NFT_DICT_", names{"eq": cmpEq, "ne": cmpNe, "lt": cmpLt, "le": cmpLe, "gt": cmpGt, "ge": cmpGe, "exists": cmpExists, "missing": cmpMissing})
	add("NFTA_DICT_", names{
		"unspec": 0, "op": exprOp, "lookup": exprLookup, "dreg": exprDReg, "cmp": exprCmp, "items": exprItems, "value": exprValue,
		"sreg": exprSReg, "source": exprSource, "len": exprLen, "text": exprText, "packet": exprPacket,
	})
	add("NFTA_DICT_LOOKUP_", names{
		"table": lookupTable, "field": lookupField, "type": lookupType, "sreg": lookupSReg, "ct": lookupCt, "nested": lookupNested, "len": lookupLen,
	})
	add("NFTA_DICT_ITEM_", names{"lo": itemLo, "hi": itemHi, "tokens": itemTokens, "classes": itemClasses})
	for name := range have {
		if strings.HasPrefix(name, "__") {
			delete(have, name)
		}
	}
	if d := cmp.Diff(have, want); d != "" {
		t.Errorf("(-header +package):\n%s", d)
	}
}
