// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// inside marks the process that has a mount namespace of its own.
const inside = "NFTDICT_RECORD_INSIDE"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		if errors.Is(err, errUsage) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

var errUsage = errors.New("usage: record [flags] [NAME ...]")

// recorder is what the flags say.
type recorder struct {
	dir, cache string
	verbose    bool
	fetch      bool
}

func run(ctx context.Context, args []string) error {
	var r recorder
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	flags := flag.NewFlagSet("record", flag.ContinueOnError)
	flags.StringVar(&r.dir, "dir", "classifier/testdata/captures", "`directory` of recipes and captures")
	flags.StringVar(&r.cache, "cache", filepath.Join(cache, "nftdict", "record"), "`directory` for installed packages, outside of /usr, /etc and /var")
	flags.BoolVar(&r.verbose, "v", false, "show what the scripts print")
	flags.BoolVar(&r.fetch, "fetch", false, "install packages only")
	if err := flags.Parse(args); err != nil {
		return errUsage
	}
	names := flags.Args()
	if len(names) == 0 {
		if names, err = recipeNames(r.dir); err != nil {
			return err
		}
	}
	if os.Geteuid() != 0 {
		return errors.New("making namespaces needs root")
	}
	if os.Getenv(inside) == "" {
		return enter(args)
	}
	var errs []error
	for _, name := range names {
		if err := r.record(ctx, name); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// enter runs this program again in a mount namespace that nobody else sees.
func enter(args []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		return err
	}
	all := append([]string{"unshare", "--mount", "--propagation", "private", self}, args...)
	return os.NewSyscallError("exec", unix.Exec(unshare, all, append(os.Environ(), inside+"=1")))
}

// recipeNames returns the names of all recipes in dir.
func recipeNames(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.toml"))
	for i, p := range paths {
		paths[i] = strings.TrimSuffix(filepath.Base(p), ".toml")
	}
	return paths, err
}

// record makes one capture.
func (r *recorder) record(ctx context.Context, name string) error {
	recipe, err := ReadRecipe(r.dir, name)
	if err != nil {
		return err
	}
	var printed bytes.Buffer
	var out io.Writer = &printed
	if r.verbose {
		out = os.Stderr
	}
	img, err := OpenImage(ctx, r.cache, recipe.Packages, out)
	if err == nil && r.fetch {
		return nil
	}
	if err == nil {
		err = r.capture(ctx, recipe, img, out)
	}
	if err != nil && printed.Len() > 0 {
		return fmt.Errorf("%w\n%s", err, tail(printed.Bytes()))
	}
	return err
}

func (r *recorder) capture(ctx context.Context, recipe *Recipe, img *Image, out io.Writer) error {
	packets, err := recipe.run(ctx, img, out)
	if err != nil {
		return err
	}
	kept := recipe.cut(packets)
	if len(kept) == 0 {
		return fmt.Errorf("nothing to keep of %d packets", len(packets))
	}
	var file bytes.Buffer
	if err := write(&file, kept); err != nil {
		return err
	}
	path := filepath.Join(r.dir, recipe.Name+".pcap")
	fmt.Printf("%s: %d packets, %d kept, %d bytes\n", path, len(packets), len(kept), file.Len())
	return os.WriteFile(path, file.Bytes(), 0o644)
}

// tail returns the end of what was printed.
func tail(b []byte) []byte {
	const most = 4 << 10
	return b[max(0, len(b)-most):]
}
