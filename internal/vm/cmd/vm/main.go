// SPDX-License-Identifier: MIT

// Vm runs programs in virtual machines with kernels of Debian's archive.
//
//	vm exec -kernel 6.12 [flags] PROGRAM ARG...   run one; made for `go test -exec`
//	vm fetch NAME...                              fill the cache of kernels
//	vm build -kernel NAME SOURCE DIR              build out-of-tree modules for a kernel
//	vm path NAME [image|headers|tree]             where the cache has it
//
// A NAME is a series of Debian's kernels (6.1, 6.12), or debug: a small 6.12
// full of detectors, which fetch builds from source.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"nftdict/internal/vm/guest"
)

// Exit codes of the runner's own, apart from those of what it runs.
const (
	exitFailed = 1
	exitUsage  = 2
)

// errUsage marks errors of the command line.
var errUsage = errors.New("usage")

// exitStatus is an error that only carries a status: everything has been said.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func main() {
	if guest.IsInit() {
		fmt.Fprintln(os.Stderr, guest.Main())
		return
	}
	// `go test` asks for a stack with SIGQUIT when a test takes too long.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT)
	defer stop()
	err := command(ctx, os.Args[1:])
	var status exitStatus
	switch {
	case err == nil:
	case errors.As(err, &status):
		os.Exit(int(status))
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, "vm:", err)
		os.Exit(exitUsage)
	default:
		fmt.Fprintln(os.Stderr, "vm:", err)
		os.Exit(exitFailed)
	}
}

func command(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("%w: vm exec|fetch|build|path", errUsage)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	switch args[0] {
	case "exec":
		return execute(ctx, args[1:])
	case "fetch":
		return fetchAll(ctx, log, args[1:])
	case "build":
		return build(ctx, args[1:])
	case "path":
		return path(args[1:])
	}
	return fmt.Errorf("%w: no command %q: exec, fetch, build or path", errUsage, args[0])
}
