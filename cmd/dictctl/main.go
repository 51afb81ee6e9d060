// SPDX-License-Identifier: MIT

// Dictctl reads and writes the dictionaries that nft rules look up. The
// commands are package internal/cli; this gives them the machine.
package main

import (
	"context"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"nftdict/internal/backend"
	"nftdict/internal/cli"
)

// version is set by the linker.
var version = "unknown"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends what does not heed the first
	status := app().Run(ctx, os.Args[1:])
	stop()
	os.Exit(status)
}

// app returns dictctl on this machine.
func app() *cli.App {
	return &cli.App{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Version:    version,
		Colour:     wantsColour(os.Stdout),
		Open:       open,
		EnterNetns: enterNetns,
	}
}

func open(kind string) (*cli.Backend, error) {
	b, err := backend.Open(kind, backend.Options{})
	if err != nil {
		return nil, err
	}
	return &cli.Backend{Kind: b.Kind, Store: b.Store, Compiler: b.Compiler}, nil
}

// wantsColour reports whether f is a terminal, and none that wants plain text.
func wantsColour(f *os.File) bool {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
