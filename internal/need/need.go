// SPDX-License-Identifier: MIT

package need

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Env names the environment variable that lists the promised features.
const Env = "NFTDICT_REQUIRE"

// Feature skips tb when probe returns an error, and fails it when the run has
// promised the feature of that name.
func Feature(tb testing.TB, name string, probe func() error) {
	tb.Helper()
	err := probe()
	if err == nil {
		return
	}
	if Promised(name) {
		tb.Fatalf("need %s: promised by %s, but: %v", name, Env, err)
	}
	tb.Skipf("need %s: %v", name, err)
}

// Promised reports whether the run has promised the feature.
func Promised(name string) bool {
	for p := range strings.SplitSeq(os.Getenv(Env), ",") {
		if p = strings.TrimSpace(p); p == name || p == "all" {
			return true
		}
	}
	return false
}

// Root asks for effective user id 0 (feature "root").
func Root(tb testing.TB) {
	tb.Helper()
	Feature(tb, "root", func() error {
		if os.Geteuid() != 0 {
			return errors.New("not running as root")
		}
		return nil
	})
}

// Program asks for an installed program and returns its path (feature: the
// program's name).
func Program(tb testing.TB, name string) string {
	tb.Helper()
	var path string
	Feature(tb, name, func() (err error) {
		path, err = exec.LookPath(name)
		return err
	})
	return path
}

// Long skips tb in -short runs; a promised "long" fails it instead.
func Long(tb testing.TB) {
	tb.Helper()
	Feature(tb, "long", func() error {
		if testing.Short() {
			return errors.New("left out of -short runs")
		}
		return nil
	})
}
