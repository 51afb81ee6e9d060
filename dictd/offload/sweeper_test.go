// SPDX-License-Identifier: MIT

package offload

import (
	"context"
	"log/slog"
	"testing"

	"nftdict/internal/need"
)

// Who asks a Sweeper is let go: before it runs, while it does, and when it has ended. No
// flowtable is here; that cards let go is to be seen in TestOffloadScene.
func TestSweeper(t *testing.T) {
	need.Root(t)
	s := NewSweeper(SweeperOptions{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	<-s.Asked()
	if err := s.Ready(); err != nil {
		t.Fatal(err)
	}
	if err := s.lo.flap(); err != nil {
		t.Error(err)
	}
	early := s.Ask()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	<-early
	for range 3 {
		asked := s.Ask()
		if asked != s.Asked() {
			t.Error("what was asked for last is something else")
		}
		<-asked
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	<-s.Ask()
	if err := s.Ready(); err == nil {
		t.Error("it is ready behind its end")
	}
}
