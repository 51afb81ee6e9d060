// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// TestGuardRoundTrip: wherever the user data stands and whatever it holds, the
// guard is with every rule that has a term, and nft never sees it.
func TestGuardRoundTrip(t *testing.T) {
	table := newTerms()
	term := appendPlaceholder(nil, table.intern(Match, matchTerm))
	names := appendAttr(appendAttr(nil, unix.NFTA_RULE_TABLE, []byte("t\x00")), unix.NFTA_RULE_CHAIN, []byte("c\x00"))
	exprs := appendAttr(nil, unix.NFTA_RULE_EXPRESSIONS|unix.NLA_F_NESTED, term)
	last := appendAttr32(nil, unix.NFTA_RULE_ID, 1)
	user := appendAttr(nil, unix.NFTA_RULE_USERDATA, []byte("\x00\x03hi\x00"))
	for name, attrs := range map[string][]byte{
		"none":   bytes.Join([][]byte{names, exprs, last}, nil),
		"before": bytes.Join([][]byte{names, user, exprs, last}, nil),
		"behind": bytes.Join([][]byte{names, exprs, user, last}, nil),
	} {
		sent := append(make([]byte, ruleHeader), attrs...)
		binary.NativeEndian.PutUint16(sent[4:], msgNewRule)
		binary.NativeEndian.PutUint32(sent, uint32(len(sent)))
		out, moved, err := table.compileBatch(sent, fakeCompile(t))
		if err != nil || !bytes.Contains(out, guard()) {
			t.Errorf("%s: %v, %q", name, err, out)
			continue
		}
		back, _, err := table.decompileReply(out, fakeCodec{}, nil)
		if d := cmp.Diff(sent, back); err != nil || d != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, d)
		}
		// What the kernel says of the last attribute is of the last one still.
		if name != "none" {
			at := bytes.LastIndex(out, last)
			if got, want := moved.back(0, at), bytes.LastIndex(sent, last); got != want {
				t.Errorf("%s: offset %d is %d, want %d", name, at, got, want)
			}
		}
	}
	long := bytes.Repeat([]byte("x"), unix.NFT_USERDATA_MAXLEN-10)
	if got := guarded(long); !bytes.Equal(got, long) || !bytes.Equal(unguarded(long), long) {
		t.Errorf("data without room became %d bytes", len(got))
	}
}

// TestGuardFile: what nft alone saved of rules with terms loads nothing, and the
// user's own comments are what our listings show.
func TestGuardFile(t *testing.T) {
	ns := newNetwork(t)
	ns.must(t, "add table ip t; add chain ip t c; add rule ip t c "+matchTerm+" drop")
	ns.must(t, "add rule ip t c "+matchTerm+" accept comment \"mine\"")
	ns.must(t, "add rule ip t c "+statementTerm)
	listing := ns.run(t, "", "list", "ruleset").Out
	if strings.Contains(listing, "dictctl") || !strings.Contains(listing, matchTerm+" accept comment \"mine\"\n") {
		t.Errorf("listing\n%s", listing)
	}
	for _, rule := range strings.Split(strings.TrimSpace(ns.plain(t, "", "list", "chain", "ip", "t", "c").Out), "\n") {
		if rule = strings.TrimSpace(rule); !strings.Contains(rule, "comment") {
			continue
		}
		file := "add table ip t\nadd chain ip t c\nadd rule ip t c " + rule + "\n"
		if got := ns.plain(t, file, "-c", "-f", "-"); got.Exit == 0 || !strings.Contains(got.Err, "syntax error") {
			t.Errorf("%s loads again: %+v", rule, got)
		}
	}
	if n := strings.Count(ns.plain(t, "", "list", "ruleset").Out, guardText); n != 3 {
		t.Errorf("nft alone shows %d guards", n)
	}
}
