// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"nftdict/internal/lab"
)

// Pauses of a session.
const (
	readyPause = 50 * time.Millisecond
	linger     = 300 * time.Millisecond // behind the client's end
)

// session is one run of a recipe.
type session struct {
	recipe *Recipe
	pair   *lab.Pair
	tree   *Tree
	out    *lockedBuffer // what the scripts printed
}

// run makes the recording and returns its packets. What the scripts printed
// goes to out.
func (r *Recipe) run(ctx context.Context, img *Image, out io.Writer) (_ []lab.Packet, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.Limit())
	defer cancel()
	dir, err := os.MkdirTemp("", "record-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	s := &session{recipe: r, out: &lockedBuffer{w: out}}
	if s.tree, err = img.Mount(dir); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.tree.Close()) }()
	if err := s.furnish(); err != nil {
		return nil, err
	}
	if s.pair, err = lab.NewPair(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.pair.Close()) }()
	return s.record(ctx)
}

func (s *session) record(ctx context.Context) ([]lab.Packet, error) {
	r := s.recipe
	if r.Prepare != "" {
		if err := s.script(ctx, s.pair.Server, "server", r.Prepare).Run(); err != nil {
			return nil, fmt.Errorf("prepare: %w", err)
		}
	}
	capture, err := s.pair.Server.Capture("eth0")
	if err != nil {
		return nil, err
	}
	defer capture.Close()
	if r.Server != "" {
		server := s.script(ctx, s.pair.Server, "server", r.Server+"\nexec sleep infinity")
		if err := server.Start(); err != nil {
			return nil, fmt.Errorf("server: %w", err)
		}
	}
	if err := s.await(ctx); err != nil {
		return nil, err
	}
	before := 0
	if r.Late {
		packets, err := capture.Packets()
		if err != nil {
			return nil, err
		}
		before = len(packets)
	}
	if err := s.script(ctx, s.pair.Client, "client", r.Client).Run(); err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	time.Sleep(linger)
	packets, err := capture.Packets()
	return packets[min(before, len(packets)):], err
}

// furnish writes what the hosts find: names and the recipe's files.
func (s *session) furnish() error {
	r := s.recipe
	hosts := "127.0.0.1 localhost\n::1 localhost\n"
	for _, h := range []struct {
		name   string
		v4, v6 fmt.Stringer
	}{{"client.test client", lab.PairClient4, lab.PairClient6}, {"server.test server " + strings.Join(r.Names, " "), lab.PairServer4, lab.PairServer6}} {
		hosts += fmt.Sprintf("%s %s\n%s %s\n", h.v4, h.name, h.v6, h.name)
	}
	files := map[string]string{"/etc/hosts": hosts, "/etc/resolv.conf": "nameserver 127.0.0.1\n", "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n"}
	for path, text := range r.Files {
		files[path] = text
	}
	for path, text := range files {
		if !filepath.IsAbs(path) {
			path = filepath.Join("/recording", path)
		}
		path = filepath.Join(s.tree.Root, path)
		if err := makeDirs(filepath.Dir(path)); err != nil {
			return err
		}
		if err := os.RemoveAll(path); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			return err
		}
	}
	return os.Chmod(filepath.Join(s.tree.Root, "recording"), 0o777)
}

// script prepares a script to run at a host: a process and mount namespace of
// its own, so that nothing it leaves behind outlives it, and its own /run and /tmp.
func (s *session) script(ctx context.Context, at *lab.Namespace, host, text string) *lab.Cmd {
	c := at.Command(ctx, "unshare", "--pid", "--fork", "--kill-child", "--uts", "--ipc", "--mount-proc",
		"--root", s.tree.Root, "--wd", "/recording",
		"/bin/bash", "-euc", "mount -t tmpfs -o mode=755 tmpfs /run; mount -t tmpfs tmpfs /tmp; mkdir -p /run/lock; hostname "+host+"\n"+text)
	c.Env = []string{
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8", "TERM=dumb", "USER=root", "LOGNAME=root",
		"CLIENT=" + lab.PairClient4.String(), "CLIENT6=" + lab.PairClient6.String(),
		"SERVER=" + lab.PairServer4.String(), "SERVER6=" + lab.PairServer6.String(),
	}
	c.Stdout, c.Stderr = s.out, s.out
	return c
}

// await returns once the server has opened the ports that the recipe names.
func (s *session) await(ctx context.Context) error {
	for _, text := range s.recipe.Ready {
		port, err := ParsePort(text)
		if err != nil {
			return err
		}
		for {
			open, err := listens(s.pair.Server, port)
			if err != nil {
				return err
			}
			if open {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("server: port %q did not open: %w", text, ctx.Err())
			case <-time.After(readyPause):
			}
		}
	}
	return nil
}

// listens reports whether a socket of the namespace is open on the port.
func listens(n *lab.Namespace, port Port) (open bool, err error) {
	kind, state := "udp", "07"
	if port.TCP {
		kind, state = "tcp", "0A"
	}
	suffix := fmt.Sprintf(":%04X", port.Number)
	err = n.Do(func() error {
		for _, family := range []string{"", "6"} {
			text, err := os.ReadFile("/proc/thread-self/net/" + kind + family)
			if err != nil {
				return err
			}
			for line := range strings.Lines(string(text)) {
				f := strings.Fields(line)
				if len(f) > 3 && strings.HasSuffix(f[1], suffix) && f[3] == state {
					open = true
				}
			}
		}
		return nil
	})
	return open, err
}

// lockedBuffer lets both hosts print to one place.
type lockedBuffer struct {
	mu sync.Mutex
	w  io.Writer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.w.Write(bytes.ToValidUTF8(p, []byte("?")))
}
