// SPDX-License-Identifier: MIT

package netns

import (
	"errors"
	"os"
	"testing"

	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

func TestDo(t *testing.T) {
	here := func() string {
		t.Helper()
		name, err := os.Readlink("/proc/thread-self/ns/net")
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	home := here()
	l := labtest.New(t, lab.Config{})
	there, failed := "", errors.New("failed")
	err := Do(l.Gateway.FD(), func() error {
		there, _ = os.Readlink("/proc/thread-self/ns/net")
		return failed
	})
	if !errors.Is(err, failed) || there == "" || there == home {
		t.Errorf("in %s, home %s: %v", there, home, err)
	}
	if now := here(); now != home {
		t.Errorf("came back to %s, not %s", now, home)
	}
	if err := Do(0, func() error { there = here(); return nil }); err != nil || there != home {
		t.Errorf("in %s: %v", there, err)
	}
	err = DoNew(func() error { there = here(); return failed })
	if !errors.Is(err, failed) || there == home || there == "" {
		t.Errorf("in %s, home %s: %v", there, home, err)
	}
	if now := here(); now != home {
		t.Errorf("came back to %s, not %s", now, home)
	}
	if err := Do(-5, func() error { return nil }); err == nil {
		t.Error("a namespace that is none")
	}
}
