// SPDX-License-Identifier: MIT

// Dictd inspects the first packets of every connection and writes what it
// learns into the dictionaries that nft rules look up. The daemon is package
// dictd; this gives it the machine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"nftdict/dictd"
	"nftdict/dictd/api"
	"nftdict/dictd/config"
	"nftdict/dictd/portal/child"
)

// version is set by the linker.
var version = "unknown"

// Exit statuses.
const (
	exitDone = iota
	exitFailed
	exitUsage
)

func main() {
	if child.Is() { // the daemon has started itself once more
		os.Exit(child.Main())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

const usage = `Usage: dictd [-config FILE] [-check | -print-config | -remove | -version]

Inspects the first packets of every connection and writes what it learns into
the dictionaries that nft rules look up.

Options:
  -config FILE    configuration; without it ` + config.DefaultPath + `, if there
                  is one, else the defaults
  -check          read the configuration, say what is wrong with it, and stop
  -print-config   print the default configuration with comments, and stop
  -remove         remove the daemon's nft table, and stop; dictionaries stay
  -version        print the version, and stop

Signals: HUP reads the configuration again, TERM and INT stop.

Examples:
  dictd -print-config > /etc/dictd/dictd.toml
  dictd -check -config /etc/dictd/dictd.toml
  dictd -config /etc/dictd/dictd.toml
  dictctl status
  dictctl nft add rule inet filter forward dict sessions ct id application NETFLIX reject
`

// run is the program: it returns its exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("dictd", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	path := flags.String("config", "", "")
	check := flags.Bool("check", false, "")
	printConfig := flags.Bool("print-config", false, "")
	remove := flags.Bool("remove", false, "")
	printVersion := flags.Bool("version", false, "")
	err := flags.Parse(args)
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("unexpected word %q", flags.Arg(0))
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usage)
		return exitDone
	case err != nil:
		fmt.Fprintf(stderr, "dictd: %v\n%s", err, usage)
		return exitUsage
	case *printVersion:
		fmt.Fprintf(stdout, "dictd %s\n", version)
		return exitDone
	case *printConfig:
		fmt.Fprint(stdout, config.Example())
		return exitDone
	}
	c, err := load(*path)
	if err == nil {
		switch {
		case *check:
			err = checkMachine(&c, stderr)
		case *remove:
			err = removeRules(&c)
		default:
			level := new(slog.LevelVar)
			log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
			err = serve(ctx, *path, c, log, level)
		}
	}
	if err != nil {
		fmt.Fprintf(stderr, "dictd: %v\n", err)
		return exitFailed
	}
	return exitDone
}

// checkMachine says what of the configuration this machine does not have. What the
// daemon would do without is told, and no failure.
func checkMachine(c *config.Config, stderr io.Writer) error {
	_, rights := api.NewRights(c.API.Read, c.API.Write)
	complaint, pages := dictd.CheckPages(&c.Portal)
	if complaint != nil {
		fmt.Fprintf(stderr, "dictd: warning: %v; the built-in theme would be used\n", complaint)
	}
	return errors.Join(rights, pages)
}

// load reads the configuration; "" is config.DefaultPath, which may be missing.
func load(path string) (config.Config, error) {
	if path != "" {
		return config.Load(path)
	}
	c, err := config.Load(config.DefaultPath)
	if errors.Is(err, os.ErrNotExist) {
		return config.Default(), nil
	}
	return c, err
}
