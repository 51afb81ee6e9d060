// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// Exit codes.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// options are what the command line says.
type options struct {
	bin     string // directory of dictd and dictctl, absolute
	backend string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the demo at once.
	context.AfterFunc(ctx, stop)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the demo, apart from the process it runs in.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	opt, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitDone
	case err != nil:
		fmt.Fprintln(stderr, "demo:", err)
		return exitUsage
	}
	start := time.Now()
	show := newShow(ctx, stdout)
	err, left := perform(ctx, opt, show)
	switch {
	case left != nil:
		fmt.Fprintln(stderr, "demo: clean up:", left)
		return exitFailed
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "demo: interrupted; everything is cleaned up")
		return exitInterrupted
	case err != nil:
		fmt.Fprintln(stderr, "demo:", err)
		return exitFailed
	}
	show.end(time.Since(start))
	if show.failed > 0 {
		return exitFailed
	}
	return exitDone
}

func parse(args []string, stderr io.Writer) (options, error) {
	var opt options
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&opt.bin, "bin", "bin", "`directory` of dictd and dictctl")
	flags.StringVar(&opt.backend, "backend", "auto", "where the dictionaries live: auto, kmod or ebpf")
	if err := flags.Parse(args); err != nil {
		return opt, err
	}
	if flags.NArg() > 0 {
		return opt, fmt.Errorf("%q: no such argument", flags.Arg(0))
	}
	if !slices.Contains([]string{"auto", "kmod", "ebpf"}, opt.backend) {
		return opt, fmt.Errorf("--backend %q: want auto, kmod or ebpf", opt.backend)
	}
	dir, err := filepath.Abs(opt.bin)
	if err != nil {
		return opt, err
	}
	opt.bin = dir
	for _, name := range []string{"dictd", "dictctl"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return opt, fmt.Errorf("--bin %q: %w (make build makes it)", opt.bin, err)
		}
	}
	return opt, nil
}

// perform sets the stage, plays every scene, and clears the stage. It returns
// what ended the play early, and what went wrong in clearing up.
func perform(ctx context.Context, opt options, show *show) (ended, left error) {
	st, err := newStage(ctx, opt, show)
	if err != nil {
		return err, nil
	}
	defer func() { left = st.close() }()
	for _, scene := range []struct {
		title string
		play  func(*stage, context.Context) error
	}{
		{"A gateway, and dictd on it", (*stage).curtain},
		{"Sessions appear with their application", (*stage).sessions},
		{"A rule stops NETFLIX on its first words", (*stage).netflix},
		{"A user's quota cuts open connections off, and on again", (*stage).quota},
		{"A captive portal for hosts that have not logged in", (*stage).portal},
		{"What the kernel holds now", (*stage).listings},
		{"dictd dies; rules and dictionaries stay", (*stage).crash},
	} {
		show.title(scene.title)
		if err := scene.play(st, ctx); err != nil {
			return fmt.Errorf("%s: %w", scene.title, err), nil
		}
	}
	return nil, nil
}
