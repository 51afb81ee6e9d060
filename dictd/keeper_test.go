// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/dictd/internal/testns"
	"nftdict/dictd/queue"
	"nftdict/dictd/rules"
	"nftdict/nftext"
)

// Where the kernel cannot lock the table, it is put back.
func TestKeeperPutsTheTableBack(t *testing.T) {
	ns := testns.New(t)
	table, err := rules.Open(rules.Options{Name: "dictd", NetNS: ns.FD(), NoOwner: true})
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	k := newKeeper(table, Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	c := rules.Config{Table: "dictd", Priority: -145, Source: queue.ByMark, Queues: rules.Queues{First: 5300, Count: 1}}
	if err := k.install(c); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- k.Run(ctx) }()
	for i, command := range []string{"flush ruleset", "delete table inet dictd"} {
		// Until the watch has begun, nothing is put back.
		eventually(t, "put back after "+command, func() bool {
			if k.again.Load() > uint64(i) {
				return true
			}
			if strings.Contains(ns.Run(t, "nft", "list tables"), "dictd") {
				ns.Run(t, "nft", command)
			}
			return false
		})
		eventually(t, "the table is there", func() bool {
			return strings.Contains(ns.Run(t, "nft", "list tables"), "inet dictd")
		})
	}
	if s := k.status(); s.Reinstalled < 2 {
		t.Errorf("status %+v", s)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// attaching is a compiler of a backend that must be told of connections.
type attaching struct{ released int }

func (a *attaching) code(text string) (*nftext.Code, error) {
	return &nftext.Code{Exprs: []byte(text), Release: func() error { a.released++; return nil }}, nil
}

func (a *attaching) Compile(_ nftext.Target, b nftext.Bound) (*nftext.Code, error) {
	return a.code(b.Term().String())
}

func (*attaching) Decompile(uint8, []nftext.Element) nftext.Found { return nftext.Found{} }

func (a *attaching) Attach(_ nftext.Target, t dict.Table) (*nftext.Code, error) {
	return a.code("attach " + t.Name)
}

// Where the backend must be told of connections, a rule does so.
func TestKeeperAttaches(t *testing.T) {
	compiler := &attaching{}
	for _, c := range []struct {
		compiler nftext.Compiler
		want     rules.Terms
	}{
		{compiler, rules.Terms{Flush: []byte(rules.FlushText), Bypassed: []byte(rules.BypassedText), Wanted: []byte(rules.WantedText), Attach: []byte("attach sessions")}},
		{struct{ nftext.Compiler }{compiler}, rules.Terms{Flush: []byte(rules.FlushText), Bypassed: []byte(rules.BypassedText), Wanted: []byte(rules.WantedText)}},
		{nil, rules.Terms{}},
	} {
		compiler.released = 0
		terms, release, err := newKeeper(nil, Options{Store: dicttest.NewStandard(t), Compiler: c.compiler}).compile("dictd")
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, terms); d != "" {
			t.Errorf("terms (-want +got):\n%s", d)
		}
		held := 0
		for _, term := range [][]byte{c.want.Flush, c.want.Bypassed, c.want.Wanted, c.want.Attach} {
			if term != nil {
				held++
			}
		}
		if err := release(); err != nil || compiler.released != held {
			t.Errorf("released %d of %d terms: %v", compiler.released, held, err)
		}
	}
}
