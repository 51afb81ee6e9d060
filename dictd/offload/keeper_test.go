// SPDX-License-Identifier: MIT

package offload

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/dict/dicttest"
	"nftdict/dictd/internal/testns"
	"nftdict/dictd/rules"
	"nftdict/nftext"
)

// fakeTable notes what a Keeper does with its table.
type fakeTable struct {
	did  []string
	fail map[string]error // by what is done: once
	made []string         // of these devices, the last time
}

func (f *fakeTable) do(what string) error {
	f.did = append(f.did, what)
	err := f.fail[what]
	delete(f.fail, what)
	return err
}

func (f *fakeTable) InstallFlowtable(t rules.Flowtable, _ *rules.Policy) error {
	f.made = t.Devices
	return f.do("install")
}

func (f *fakeTable) AddDevices(t rules.Flowtable) error {
	f.made = t.Devices
	return f.do("add")
}

func (f *fakeTable) Remove() error { return f.do("remove") }
func (f *fakeTable) Close() error  { return nil }

func (f *fakeTable) Watch(context.Context, func()) error { return nil }

func (f *fakeTable) WatchOthers(context.Context, []string, func([]string)) error { return nil }

// take returns what was done since.
func (f *fakeTable) take() string {
	did := strings.Join(f.did, " ")
	f.did = nil
	return did
}

// keeperOn returns a Keeper of a table that is fine, over the devices of a namespace.
func keeperOn(t *testing.T, netns int, c Config) (*Keeper, *fakeTable) {
	t.Helper()
	f := &fakeTable{fail: make(map[string]error)}
	k := newKeeper(Options{
		Table: "dictd", NetNS: netns, Schema: dicttest.NewStandard(t), Compiler: struct{ nftext.Compiler }{}, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}, f)
	c.Enable = true
	if err := k.Set(c); err != nil {
		t.Fatal(err)
	}
	if did := f.take(); did != "install" {
		t.Fatalf("at first: %s", did)
	}
	return k, f
}

// Where rules have changed, or somebody has altered the table, and the flowtable cannot be
// made anew, there is none until it can, and Status says why for as long.
func TestKeeperAsksAgain(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		lost bool // somebody has altered the table; else rules have changed
		fail []string
		says string
	}{
		"there is none":     {false, []string{"install"}, "failed"},
		"there is one left": {false, []string{"install", "remove"}, "software"},
		"it was altered":    {true, []string{"install"}, "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, f := keeperOn(t, 0, Config{Follow: true, Hardware: Off, Devices: []string{"lo"}})
				made := k.Status().Installed
				done := make(chan error, 1)
				ctx, cancel := context.WithCancel(t.Context())
				lost := make(chan struct{}, 1)
				go func() { done <- k.follow(ctx, nil, lost) }()
				for _, what := range c.fail {
					f.fail[what] = broken
				}
				if c.lost {
					lost <- struct{}{}
				} else {
					k.changed.tell([]string{rules.OfRules})
				}
				time.Sleep(retry / 2)
				if did := f.take(); did != "install remove" {
					t.Errorf("at first: %s", did)
				}
				if s := k.Status(); s.Renewed+s.Reinstalled != 1 || !strings.Contains(s.Error, "broken") || s.State != c.says || s.Installed != made {
					t.Errorf("%+v", s)
				}
				f.fail["install"] = broken
				time.Sleep(retry)
				f.take()
				if s := k.Status(); !strings.Contains(s.Error, "broken") || s.State != "failed" {
					t.Errorf("once more in vain: %+v", s)
				}
				time.Sleep(retry)
				if did := f.take(); did != "install" {
					t.Errorf("at last: %s", did)
				}
				if s := k.Status(); s.Error != "" || s.State != "software" || !s.Installed.After(made) {
					t.Errorf("at last: %+v", s)
				}
				time.Sleep(2 * retry)
				if did := f.take(); did != "" {
					t.Errorf("nothing has changed: %s", did)
				}
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// So it is with a configuration; what devices refuse for good is not there, either.
func TestKeeperSetsAgain(t *testing.T) {
	broken := errors.New("broken")
	k, f := keeperOn(t, 0, Config{Hardware: Off, Devices: []string{"lo"}})
	f.fail["install"] = broken
	if err := k.Set(k.c); !errors.Is(err, broken) || k.Status().Error == "" {
		t.Errorf("set: %v, %+v", err, k.Status())
	}
	if err := k.refresh(false); err != nil || f.take() != "install remove install" || k.Status().Error != "" {
		t.Errorf("tried again: %v, %+v", err, k.Status())
	}
	f.fail["install"] = unix.EOPNOTSUPP
	c := k.c
	c.Hardware = On
	for range 2 {
		if err := k.Set(c); !errors.Is(err, unix.EOPNOTSUPP) || k.Status().State != "failed" {
			t.Errorf("refused: %v, %+v", err, k.Status())
		}
		f.fail["install"] = unix.EOPNOTSUPP
	}
	if err := k.refresh(true); !errors.Is(err, unix.EOPNOTSUPP) {
		t.Errorf("refused: %v", err)
	}
	if did := f.take(); did != "install remove install" {
		t.Errorf("refused: %s", did)
	}
}

// Where a device cannot be added the flowtable is made anew, with those that it had.
func TestKeeperAddsDevice(t *testing.T) {
	ns := testns.New(t)
	ns.Run(t, "ip", "link", "add", "first", "type", "veth", "peer", "name", "second")
	k, f := keeperOn(t, ns.FD(), Config{Hardware: Off})
	if fmt.Sprint(f.made) != "[first second]" {
		t.Errorf("it has %q", f.made)
	}
	for err, want := range map[error]string{nil: "add [second]", errors.New("broken"): "add install [first second]"} {
		delete(k.links, "second") // as if it had come since
		f.fail["add"] = err
		if err := k.refresh(false); err != nil {
			t.Error(err)
		}
		if did := fmt.Sprint(f.take(), " ", f.made); did != want || k.Status().Error != "" {
			t.Errorf("where adding says %v: %s, %+v", err, did, k.Status())
		}
	}
}
