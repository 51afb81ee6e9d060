// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"

	"nftdict/internal/vm/fetch"
	"nftdict/internal/vm/kernel"
)

// fetchAll is `vm fetch`.
func fetchAll(ctx context.Context, log *slog.Logger, args []string) error {
	fs := flag.NewFlagSet("vm fetch", flag.ContinueOnError)
	update := fs.Bool("update", false, "look for a newer point release although the cache holds one")
	if err := fs.Parse(args); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if fs.NArg() == 0 {
		return fmt.Errorf("%w: vm fetch [-update] NAME", errUsage)
	}
	cache, err := kernel.Open()
	if err != nil {
		return err
	}
	debian := fetch.Debian{Cache: cache, Log: log, Update: *update}
	debug := fetch.Debug{Cache: cache, Log: log, Update: *update, Output: os.Stderr}
	for _, name := range fs.Args() {
		var k *kernel.Kernel
		if name == fetch.DebugName {
			k, err = debug.Kernel(ctx)
		} else {
			k, err = debian.Kernel(ctx, name)
		}
		if err != nil {
			return err
		}
		fmt.Printf("%s\t%s\n", k.Name, k.Release)
	}
	return nil
}

// path is `vm path`.
func path(args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return fmt.Errorf("%w: vm path NAME [image|headers|tree]", errUsage)
	}
	cache, err := kernel.Open()
	if err != nil {
		return err
	}
	k, err := cache.Kernel(args[0])
	if err != nil {
		return err
	}
	what := "headers"
	if len(args) == 2 {
		what = args[1]
	}
	switch what {
	case "image":
		fmt.Println(k.Image)
	case "headers":
		fmt.Println(k.Headers)
	case "tree":
		fmt.Println(k.Tree)
	default:
		return fmt.Errorf("%w: no part %q of a kernel: image, headers or tree", errUsage, what)
	}
	return nil
}

// build is `vm build`: the modules land in DIR/NAME/*.ko.
func build(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("vm build", flag.ContinueOnError)
	name := fs.String("kernel", "6.12", "`name` of the kernel in the cache")
	if err := fs.Parse(args); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if fs.NArg() < 2 {
		return fmt.Errorf("%w: vm build -kernel NAME SOURCE DIR [MAKE-ARGUMENT...]", errUsage)
	}
	cache, err := kernel.Open()
	if err != nil {
		return err
	}
	k, err := cache.Kernel(*name)
	if err != nil {
		return err
	}
	files, err := fetch.Build(ctx, k, fs.Arg(0), fs.Arg(1), os.Stderr, fs.Args()[2:]...)
	if err != nil {
		return err
	}
	for _, f := range files {
		fmt.Println(f)
	}
	return nil
}
