// SPDX-License-Identifier: MIT

package child

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"nftdict/dictd/portal/desk"
	"nftdict/dictd/portal/web"
)

// maxMemory is what the process may have, in bytes.
const maxMemory = 256 << 20

// Is reports whether the program is to be the process with the pages: then Main is
// all that it does.
func Is() bool { return len(os.Args) == 4 && os.Args[1] == Word }

// Main is the process. It returns the exit status.
func Main() int {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	if err := run(log); err != nil {
		log.Error("cannot go on", "err", err.Error())
		return 1
	}
	return 0
}

func run(log *slog.Logger) error {
	// Who stops a service may tell all of its processes: this one ends with the daemon.
	signal.Ignore(unix.SIGTERM, unix.SIGINT, unix.SIGHUP)
	debug.SetMemoryLimit(maxMemory * 3 / 4)
	if err := confine(log); err != nil {
		return err
	}
	plain, secure, err := listeners(os.Args[2], os.Args[3])
	if err != nil {
		return err
	}
	conn, err := desk.FromFile(os.NewFile(fdDesk, "desk"))
	if err != nil {
		return err
	}
	ask := desk.NewClient(conn)
	from := json.NewDecoder(os.Stdin)
	first := new(orders)
	if err := from.Decode(first); err != nil {
		return fmt.Errorf("orders: %w", err)
	}
	pages, err := web.New(first.Web, ask, log)
	if err == nil {
		err = follow(pages, first)
	}
	if err != nil {
		return err
	}
	all, ctx := errgroup.WithContext(context.Background())
	all.Go(func() error { return finished(ask.Run(ctx)) })
	all.Go(func() error { return pages.Serve(ctx, plain, secure) })
	all.Go(func() error {
		for {
			o := new(orders)
			if err := from.Decode(o); err != nil {
				return err // the end is the order to end
			}
			if err := follow(pages, o); err != nil {
				log.Error("cannot do as the daemon says", "err", err.Error())
			}
		}
	})
	log.Info("pages are up", "pid", os.Getpid())
	if err := all.Wait(); !errors.Is(err, io.EOF) && !errors.Is(err, desk.ErrGone) {
		return err
	}
	return nil
}

// follow does as orders say.
func follow(pages *web.Server, o *orders) error {
	if o.Pair != nil {
		c, err := o.Pair.parse()
		if err != nil {
			return fmt.Errorf("certificate: %w", err)
		}
		pages.SetCertificate(c)
	}
	return pages.Set(o.Web)
}

// listeners takes the sockets over, numbers of them for HTTP and HTTPS.
func listeners(plain, secure string) (p, s []net.Listener, err error) {
	fd := fdListen
	for _, group := range []struct {
		count string
		to    *[]net.Listener
	}{{plain, &p}, {secure, &s}} {
		n, err := strconv.ParseUint(group.count, 10, 8)
		if err != nil {
			return nil, nil, fmt.Errorf("sockets: %w", err)
		}
		for range n {
			f := os.NewFile(uintptr(fd), "socket")
			ln, err := net.FileListener(f)
			f.Close()
			if err != nil {
				return nil, nil, fmt.Errorf("socket %d: %w", fd, err)
			}
			unix.CloseOnExec(fd)
			*group.to = append(*group.to, ln)
			fd++
		}
	}
	return p, s, nil
}
