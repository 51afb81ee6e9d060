// SPDX-License-Identifier: MIT

package genl_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"nftdict/dict"
	"nftdict/internal/need"
	"nftdict/nftext/codec"
	"nftdict/nftext/front"
	"nftdict/nftext/ruletest"
)

// nft runs nft, with our terms in its language, in the gateway. What it says on
// standard error fails the test.
func (r *ruleBench) nft(tb testing.TB, stdin string, args ...string) string {
	tb.Helper()
	need.Program(tb, "nft")
	var out, errs bytes.Buffer
	c := front.Command{Args: args, Codec: codec.New(r.store, r.compiler), Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errs}
	inside(tb, r.gateway, func() error {
		exit, err := c.Run(context.Background())
		if err == nil && (exit != 0 || errs.Len() > 0) {
			err = fmt.Errorf("nft %q: exit %d\n%s", args, exit, errs.String())
		}
		return err
	})
	return out.String()
}

// TestValueScenes loads rules that work with values through nft, and sends
// packets through them. What is listed loads as the same.
func TestValueScenes(t *testing.T) {
	t.Parallel()
	r := newRuleBench(t)
	for _, scene := range ruletest.ValueScenes() {
		t.Run(scene.Name, func(t *testing.T) {
			packet := r.fresh(t, scene.Flow)
			if err := ruletest.Put(r.store, packet, scene.Rows...); err != nil {
				t.Fatal(err)
			}
			text := "table inet t {" + scene.Objects + "chain c {\n"
			for _, rule := range scene.Rules {
				text += rule.Text + " counter\n"
			}
			r.nft(t, text+"}\n}\n", "-f", "-")
			listed := r.nft(t, "", "-s", "list", "chain", "inet", "t", "c")
			r.nft(t, "flush chain inet t c\n"+listed, "-f", "-")
			if again := r.nft(t, "", "-s", "list", "chain", "inet", "t", "c"); again != listed {
				t.Errorf("what was listed\n%s\nloads as\n%s", listed, again)
			}
			r.send(t, scene.Flow.IPv6, 1)
			// Rules write where the packet goes, so nobody says when it is through.
			within(t, "the packet meets the rules", func() (err error) {
				rules := r.list(t)
				if len(rules) != len(scene.Rules) {
					t.Fatalf("%d rules in the chain, want %d", len(rules), len(scene.Rules))
				}
				for i, rule := range scene.Rules {
					if got := rules[i].packets > 0; got != rule.Match {
						err = errors.Join(err, fmt.Errorf("%s: went on %v, want %v", rule.Text, got, rule.Match))
					}
				}
				return err
			})
			if t.Failed() {
				t.Log(r.nft(t, "", "list", "table", "inet", "t"))
			}
		})
	}
}

// TestValueNAT: where a new connection goes, address and port, a dictionary
// says.
func TestValueNAT(t *testing.T) {
	t.Parallel()
	r := newRuleBench(t)
	const port = 7999
	if err := r.store.Put("values", dict.Row{Key: dict.Mark(0), Cells: []dict.Cell{
		{Field: "a4", Value: dict.AddrValue(netip.MustParseAddr("10.78.0.1"))}, {Field: "i", Value: dict.IntValue(port)},
		{Field: "a6", Value: dict.AddrValue(netip.MustParseAddr("fd78::1"))}, {Field: "l", Value: dict.Int64Value(port)},
	}}); err != nil {
		t.Fatal(err)
	}
	r.nft(t, fmt.Sprintf(`table inet t { chain n { type nat hook prerouting priority dstnat;
		udp dport %d dnat ip to dict values mark a4 : dict values mark i
		udp dport %d dnat ip6 to dict values mark a6 : dict values mark l
	}
	}
`, serverPort, serverPort), "-f", "-")
	for _, v6 := range []bool{false, true} {
		r.send(t, v6, 1)
		if f := r.flows(t, v6)[0]; f.TupleReply.Proto.SourcePort != port {
			t.Errorf("IPv6 %v: the connection went to port %d, want %d", v6, f.TupleReply.Proto.SourcePort, port)
		}
	}
}
