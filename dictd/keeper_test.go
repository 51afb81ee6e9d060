// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"nftdict/dictd/internal/testns"
	"nftdict/dictd/queue"
	"nftdict/dictd/rules"
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
