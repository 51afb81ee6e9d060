// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/dictd"
	"nftdict/dictd/config"
	"nftdict/dictd/ledger"
	"nftdict/dictd/rules"
	"nftdict/internal/backend"
)

// serve runs the daemon until ctx ends. SIGHUP reads the configuration again; one
// that is refused leaves the daemon as it was.
func serve(ctx context.Context, path string, c config.Config, log *slog.Logger, level *slog.LevelVar) error {
	b, err := backend.Open(c.Backend, backend.Options{Sessions: c.Sessions.Limit})
	if err != nil {
		return err
	}
	defer b.Store.Close()
	for _, err := range backend.Differences(b.Store) {
		log.Error("a standard table is not this version's: rules on it may never match, and rows may be refused; "+
			"stop dictd, take out the rules that name it, delete it by \"dictctl table delete\", and start dictd again", "err", err)
	}
	d, err := dictd.New(dictd.Options{
		Config: c, Store: b.Store, Compiler: b.Compiler, Backend: b.Kind, Version: version, Log: log, Level: level,
		Ready: func() {
			if err := notify("READY=1"); err != nil {
				log.Warn("cannot tell the service manager", "err", err)
			}
		},
	})
	if err != nil {
		return explain(err)
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, unix.SIGHUP)
	defer signal.Stop(hup)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	room, look := newRoom(), time.NewTicker(roomEvery)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			room.adjust()
		case err := <-done:
			return explain(err)
		case <-hup:
			c, err := load(path)
			if err == nil {
				err = d.Reload(c)
			}
			if err != nil {
				log.Error("the configuration was refused, the old one stays", "err", err)
				d.ConfigRefused(err)
				continue
			}
			log.Info("the configuration was read again")
		}
	}
}

// explain says what is needed where permission is missing.
func explain(err error) error {
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, dict.ErrPermission) {
		return fmt.Errorf("%w (dictd needs root, or the capabilities CAP_NET_ADMIN and CAP_BPF)", err)
	}
	return err
}

// removeRules removes the tables that a stopped daemon left.
func removeRules(c *config.Config) error {
	t, err := rules.Open(rules.Options{Name: c.Rules.Table})
	if err != nil {
		return explain(err)
	}
	defer t.Close()
	flows, err := ledger.OpenFlows(ledger.FlowsConfig{Table: ledger.FlowsTable(c.Rules.Table)})
	if err != nil {
		return explain(err)
	}
	defer flows.Close()
	return errors.Join(t.Remove(), flows.Remove())
}

// notify tells the service manager, if there is one, how the daemon is.
func notify(state string) error {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write([]byte(state))
	return err
}
