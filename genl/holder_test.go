// SPDX-License-Identifier: MIT

package genl

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"

	"nftdict/nftext"
	"nftdict/nftext/ruletest"
)

// TestHeldBy: a rule is found by each table that one of its terms names.
func TestHeldBy(t *testing.T) {
	c := newCompiling()
	rule := func(term string) []byte {
		parts, _, err := ruletest.Parts(term, c.schema)
		if err != nil {
			t.Fatal(err)
		}
		code, err := c.compiler.Compile(nftext.Target{Family: unix.NFPROTO_INET, Table: "filter", Chain: "forward"}, parts[0].Bound)
		if err != nil {
			t.Fatal(err)
		}
		b := newBuilder()
		b.text(unix.NFTA_RULE_TABLE, "filter")
		b.text(unix.NFTA_RULE_CHAIN, "forward")
		b.bytes(unix.NFTA_RULE_HANDLE, binary.BigEndian.AppendUint64(nil, 5))
		b.bytes(unix.NFTA_RULE_EXPRESSIONS|unix.NLA_F_NESTED, code.Exprs)
		return append([]byte{unix.NFPROTO_INET, 0, 0, 0}, b.buf...)
	}
	const place = "inet filter forward handle 5"
	for term, tables := range map[string]map[string]string{
		"dict values mark i 5": {"values": place, "names": "", "i": ""},
		"dict users dict hosts dict sessions ct id client_address username quota_exceeded true": {"users": place, "hosts": place, "sessions": place, "devices": ""},
		"dict values mark s set dict hosts ip saddr username":                                   {"values": place, "hosts": place, "users": ""},
		"dict sessions ct id flush": {"sessions": place, "values": ""},
	} {
		data := rule(term)
		for table, want := range tables {
			if have := heldBy(data, table); have != want {
				t.Errorf("%s: table %s: have %q, want %q", term, table, have, want)
			}
		}
		for n := range data {
			heldBy(data[:n], "values")
		}
	}
}
