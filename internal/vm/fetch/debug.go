// SPDX-License-Identifier: MIT

package fetch

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"nftdict/internal/vm/kernel"
)

// DebugName is the name of the debug kernel in the cache, debugSeries what it
// is built from.
const (
	DebugName   = "debug"
	debugSeries = "6.12"
)

//go:embed debug.config
var debugConfig string

// Debug builds the debug kernel from Debian's source.
type Debug struct {
	Cache *kernel.Cache
	Log   *slog.Logger
	// Output receives what make prints.
	Output io.Writer
	// Update looks for newer sources although the cache holds a kernel of the
	// same configuration.
	Update bool
}

// ErrConfig is returned when the configuration asks for an option that the
// source does not give.
var ErrConfig = errors.New("the configuration was not taken as it is")

// Kernel returns the debug kernel, from the cache if its configuration is
// still the one asked for. Building takes a quarter of an hour on two cores.
func (d *Debug) Kernel(ctx context.Context) (*kernel.Kernel, error) {
	unlock, err := lock(ctx, d.Cache.Dir(), DebugName)
	if err != nil {
		return nil, fmt.Errorf("debug kernel: %w", err)
	}
	defer unlock()
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(debugConfig)))[:12]
	if k, err := d.Cache.Kernel(DebugName); err == nil && !d.Update && strings.HasSuffix(k.Dir, sum) {
		return k, nil
	}
	version, err := candidate(ctx, "linux-source-"+debugSeries)
	if err != nil {
		return nil, fmt.Errorf("debug kernel: %w", err)
	}
	if version == "" {
		return nil, fmt.Errorf("debug kernel: linux-source-%s: %w", debugSeries, ErrNoPackage)
	}
	dir, whole := d.Cache.Release(DebugName, version+"-"+sum)
	if !whole {
		if err := d.build(ctx, dir); err != nil {
			return nil, fmt.Errorf("debug kernel: %w", err)
		}
	}
	release, err := os.ReadFile(filepath.Join(dir, "include", "config", "kernel.release"))
	if err != nil {
		return nil, fmt.Errorf("debug kernel: %w", err)
	}
	err = d.Cache.Add(&kernel.Kernel{
		Name: DebugName, Release: strings.TrimSpace(string(release)), Dir: dir,
		Image: filepath.Join(dir, "arch", "x86", "boot", "bzImage"), Headers: dir,
	})
	if err != nil {
		return nil, err
	}
	return d.Cache.Kernel(DebugName)
}

// build fetches, configures and makes a kernel in dir. A build that was
// interrupted goes on where it was.
func (d *Debug) build(ctx context.Context, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "Makefile")); err != nil {
		if err := d.source(ctx, dir); err != nil {
			return err
		}
	}
	if err := d.configure(ctx, dir); err != nil {
		return err
	}
	jobs := "-j" + strconv.Itoa(runtime.NumCPU())
	d.Log.Info("building the debug kernel: a quarter of an hour on two cores", "in", dir)
	// modules makes Module.symvers, which out-of-tree modules need.
	return d.make(ctx, dir, jobs, "-s", "bzImage", "modules")
}

// source unpacks the kernel's source into dir.
func (d *Debug) source(ctx context.Context, dir string) error {
	d.Log.Info("fetching the source of a kernel", "series", debugSeries)
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := unpack(ctx, tmp, []string{"linux-source-" + debugSeries}); err != nil {
		return err
	}
	archive := filepath.Join(tmp, "usr", "src", "linux-source-"+debugSeries+".tar.xz")
	tree := filepath.Join(tmp, "tree")
	if err := os.Mkdir(tree, 0o755); err != nil {
		return err
	}
	if _, err := output(ctx, "", "tar", "-C", tree, "--strip-components=1", "-xJf", archive); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(dir), os.Rename(tree, dir))
}

// configure writes .config and sees that all was taken.
func (d *Debug) configure(ctx context.Context, dir string) error {
	fragment := filepath.Join(dir, ".config.nftdict")
	if err := os.WriteFile(fragment, []byte(debugConfig), 0o644); err != nil {
		return err
	}
	if err := d.make(ctx, dir, "-s", "tinyconfig"); err != nil {
		return err
	}
	if _, err := output(ctx, dir, "scripts/kconfig/merge_config.sh", "-m", ".config", fragment); err != nil {
		return err
	}
	if err := d.make(ctx, dir, "-s", "olddefconfig"); err != nil {
		return err
	}
	got, err := os.ReadFile(filepath.Join(dir, ".config"))
	if err != nil {
		return err
	}
	if missing := unmet(debugConfig, string(got)); len(missing) > 0 {
		return fmt.Errorf("%w: %s", ErrConfig, strings.Join(missing, ", "))
	}
	return nil
}

// unmet returns the lines of a configuration fragment that are not so in
// config. An option that must be off may be absent as well.
func unmet(fragment, config string) []string {
	have := map[string]bool{}
	for line := range strings.Lines(config) {
		have[strings.TrimSpace(line)] = true
	}
	var missing []string
	for line := range strings.Lines(fragment) {
		line = strings.TrimSpace(line)
		off, isOff := strings.CutSuffix(line, " is not set")
		switch {
		case isOff:
			if name := strings.TrimPrefix(off, "# "); have[name+"=y"] || have[name+"=m"] {
				missing = append(missing, line)
			}
		case line == "" || strings.HasPrefix(line, "#"):
		case !have[line]:
			missing = append(missing, line)
		}
	}
	return missing
}

// make runs make, politely.
func (d *Debug) make(ctx context.Context, dir string, args ...string) error {
	cmd := exec.CommandContext(ctx, "nice", append([]string{"-n", "19", "make", "-C", dir}, args...)...)
	cmd.Stdout, cmd.Stderr = d.Output, d.Output
	cmd.Env = append(os.Environ(), "LC_ALL=C", "MAKEFLAGS=", "MAKELEVEL=", "KBUILD_BUILD_TIMESTAMP=Thu Jan 1 00:00:00 UTC 1970",
		"KBUILD_BUILD_USER=nftdict", "KBUILD_BUILD_HOST=guest")
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("make %s: %w", strings.Join(args, " "), err)
	}
	return nil
}
