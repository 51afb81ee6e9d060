// SPDX-License-Identifier: MIT

package cli_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/internal/cli"
)

// watched is a store that tells when a watch has begun.
type watched struct {
	kept
	began chan struct{}
}

func (w watched) Watch(ctx context.Context, f func(dict.Change) error, tables ...string) error {
	close(w.began)
	return w.kept.Watch(ctx, f, tables...)
}

// lines is a writer that hands on whole writes.
type lines chan string

func (l lines) Write(b []byte) (int, error) { l <- string(b); return len(b), nil }

func TestMonitor(t *testing.T) {
	for _, json := range []bool{false, true} {
		m, err := newMem()
		if err != nil {
			t.Fatal(err)
		}
		began := make(chan struct{})
		app, _, stderr := newApp(watched{kept{m}, began})
		out := make(lines)
		app.Stdout = out
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		done := make(chan int)
		args := []string{"monitor", "users", "hosts"}
		if json {
			args = append([]string{"-j"}, args...)
		}
		go func() { done <- app.Run(ctx, args) }()
		<-began
		bob, err := dict.StringKey("bob")
		if err != nil {
			t.Fatal(err)
		}
		steps := []struct {
			do         func() error
			text, json string
		}{
			{func() error {
				return m.Put(dict.Users, dict.Row{Key: bob, Cells: []dict.Cell{{Field: "quota_size", Value: dict.Int64Value(5)}}})
			}, `set users "bob" quota_size 5`, `{"set":{"table":"users","key":"bob","cells":{"quota_size":5}}}`},
			{func() error { return m.Delete(dict.Users, bob, "quota_size") },
				`delete users "bob" quota_size`, `{"delete":{"table":"users","key":"bob","cells":{}},"fields":["quota_size"]}`},
			{func() error { return m.Delete(dict.Users, bob) },
				`delete users "bob"`, `{"delete":{"table":"users","key":"bob","cells":{}}}`},
		}
		time.Sleep(20 * time.Millisecond) // Watch has taken its first look
		for _, s := range steps {
			if err := s.do(); err != nil {
				t.Fatal(err)
			}
			want := s.text
			if json {
				want = s.json
			}
			select {
			case got := <-out:
				if got != want+"\n" {
					t.Errorf("got %swant %s", got, want)
				}
			case <-ctx.Done():
				t.Fatalf("no line for %s", want)
			}
		}
		cancel()
		if status := <-done; status != cli.ExitDone {
			t.Errorf("exit status %d, %s", status, stderr)
		}
	}
}

// TestMonitorTableGone: one table's end is not the end of looking at all.
func TestMonitorTableGone(t *testing.T) {
	m, err := newMem()
	if err != nil {
		t.Fatal(err)
	}
	one := []dict.Row{{Key: dict.IntKey(1)}}
	if err := errors.Join(m.AddTable(dict.Table{Name: "guests", Key: dict.KeyInt, Limit: 10}), m.Put("guests", one...)); err != nil {
		t.Fatal(err)
	}
	began := make(chan struct{})
	app, _, stderr := newApp(watched{kept{m}, began})
	out := make(lines)
	app.Stdout = out
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	done := make(chan int)
	go func() { done <- app.Run(ctx, []string{"monitor"}) }()
	<-began
	time.Sleep(20 * time.Millisecond) // Watch has taken its first look
	if err := m.DeleteTable("guests"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"delete guests 1\n", "set users \"bob\"\n"} {
		select {
		case got := <-out:
			if got != want {
				t.Errorf("got %swant %s", got, want)
			}
		case status := <-done:
			t.Fatalf("ended with %d before %s%s", status, want, stderr)
		case <-ctx.Done():
			t.Fatalf("no line for %s", want)
		}
		bob, err := dict.StringKey("bob")
		if err = errors.Join(err, m.Put(dict.Users, dict.Row{Key: bob})); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if status := <-done; status != cli.ExitDone {
		t.Errorf("exit status %d, %s", status, stderr)
	}
}

func TestMonitorRefuses(t *testing.T) {
	m, err := newMem()
	if err != nil {
		t.Fatal(err)
	}
	app, _, stderr := newApp(struct{ dict.Store }{m}) // no Watcher
	if status := app.Run(t.Context(), []string{"monitor"}); status != cli.ExitFailed || !strings.Contains(stderr.String(), "not supported: backend mem") {
		t.Errorf("exit status %d, %s", status, stderr)
	}
	app, _, stderr = newApp(kept{m})
	if status := app.Run(t.Context(), []string{"monitor", "nobody"}); status != cli.ExitFailed || !strings.Contains(stderr.String(), `table "nobody"`) {
		t.Errorf("exit status %d, %s", status, stderr)
	}
}
