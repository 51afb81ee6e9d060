// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/dictd/api"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// The program on the lab's gateway.

// What should pass gets patience; what should not is given up shortly.
const (
	patience = 20 * time.Second
	shortly  = time.Second
)

// place is where the program runs.
type place struct {
	*lab.Lab
	t      *testing.T
	path   string
	conf   string
	socket string
}

func newPlace(t *testing.T) *place {
	l := labtest.New(t, lab.Config{})
	dir := t.TempDir()
	path := filepath.Join(dir, "dictd")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	p := &place{Lab: l, t: t, path: path, conf: filepath.Join(dir, "dictd.toml"), socket: filepath.Join(dir, "dictd.sock")}
	t.Cleanup(func() {
		err := l.Gateway.Do(func() error {
			b, err := backend.Open(backend.EBPF, backend.Options{})
			if err != nil {
				return err
			}
			defer b.Store.Close()
			return b.Store.(interface{ Remove() error }).Remove()
		})
		if err != nil {
			t.Errorf("remove the dictionaries: %v", err)
		}
	})
	return p
}

// configure writes the configuration.
func (p *place) configure(lines ...string) {
	p.t.Helper()
	text := fmt.Sprintf("socket = %q\nstate = %q\n%s\n", p.socket, filepath.Dir(p.socket), strings.Join(lines, "\n"))
	if err := os.WriteFile(p.conf, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// daemon is a running program.
type daemon struct {
	cmd *lab.Cmd
	log lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (p *place) start() *daemon {
	p.t.Helper()
	d := &daemon{cmd: p.Gateway.Command(context.Background(), p.path, "-config", p.conf)}
	d.cmd.Stdout, d.cmd.Stderr = &d.log, &d.log
	if err := d.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.eventually("the daemon inspects", func() bool { return strings.Contains(d.log.String(), "inspecting") }, d)
	return d
}

// once runs the program to its end.
func (p *place) once(args ...string) (string, error) {
	out, err := p.Gateway.Command(context.Background(), p.path, args...).CombinedOutput()
	return string(out), err
}

func (p *place) eventually(what string, f func() bool, d *daemon) {
	p.t.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("in vain: %s\n%s", what, d.log.String())
		}
	}
}

func (p *place) status() *api.Status {
	p.t.Helper()
	s, err := api.NewClient(p.socket).Status(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

// fetch gets a page from the client.
func (p *place) fetch(timeout time.Duration) error {
	b := p.Browser()
	b.Timeout = timeout
	_, err := b.Get(p.t.Context(), "https://www.netflix.com/")
	return err
}

func TestSignals(t *testing.T) {
	p := newPlace(t)
	p.configure()
	d := p.start()
	if s := p.status(); s.Fail != "open" || s.Backend != backend.EBPF || !s.Rules.Flush {
		t.Errorf("status %+v", s)
	}
	p.configure(`fail = "closed"`, "[rules]", `tabel = "x"`)
	if err := d.cmd.Process.Signal(unix.SIGHUP); err != nil {
		t.Fatal(err)
	}
	p.eventually("a refusal that names the line", func() bool { return strings.Contains(d.log.String(), `:5:1: key \"rules.tabel\"`) }, d)
	if s := p.status(); s.Fail != "open" {
		t.Errorf("after a refused configuration fail is %s", s.Fail)
	}
	p.configure(`fail = "closed"`)
	if err := d.cmd.Process.Signal(unix.SIGHUP); err != nil {
		t.Fatal(err)
	}
	p.eventually("the new configuration", func() bool { return p.status().Fail == "closed" }, d)
	if err := p.fetch(patience); err != nil {
		t.Errorf("after a reload: %v", err)
	}
	if err := d.cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, d.log.String())
	}
	if _, err := os.Lstat(p.socket); err == nil {
		t.Error("the control socket stays")
	}
	if p.fetch(shortly) == nil {
		t.Error("fail = closed, and traffic passes without a daemon")
	}
}

func TestKillAndRemove(t *testing.T) {
	p := newPlace(t)
	p.configure()
	d := p.start()
	if out, err := p.once("-config", p.conf); err == nil || !strings.Contains(out, "another") {
		t.Errorf("a second daemon: %v\n%s", err, out)
	}
	if err := p.fetch(patience); err != nil {
		t.Error(err)
	}
	if err := d.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = d.cmd.Wait() // says that it was killed
	if err := p.fetch(patience); err != nil {
		t.Errorf("after kill -9: %v", err)
	}
	tables := func() string {
		out, err := p.Gateway.Command(t.Context(), "nft", "list", "tables").Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	if !strings.Contains(tables(), "inet dictd") {
		t.Error("the rules died with the daemon")
	}
	d = p.start()
	if !strings.Contains(d.log.String(), "picked up rows") {
		t.Errorf("rows of the killed daemon were not picked up:\n%s", d.log.String())
	}
	if err := d.cmd.Process.Signal(unix.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Wait(); err != nil {
		t.Error(err)
	}
	for range 2 {
		if out, err := p.once("-config", p.conf, "-remove"); err != nil {
			t.Errorf("remove: %v\n%s", err, out)
		}
	}
	if strings.Contains(tables(), "inet dictd") {
		t.Error("the table is still there")
	}
}

// Who a device is bound to outlives the program, however it ends.
func TestUsersSurviveKill(t *testing.T) {
	p := newPlace(t)
	p.configure()
	d := p.start()
	c := api.NewClient(p.socket)
	if err := p.fetch(patience); err != nil {
		t.Error(err)
	}
	p.eventually("the client is known", func() bool {
		_, err := c.Bind(t.Context(), lab.Client4.String(), "bob")
		return err == nil
	}, d)
	if err := c.SetUser(t.Context(), "bob", []string{"staff"}); err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = d.cmd.Wait() // says that it was killed
	d = p.start()
	users, err := c.Users(t.Context())
	if err != nil || len(users) != 1 || users[0].Name != "bob" || len(users[0].Groups) != 1 || len(users[0].Devices) != 1 || users[0].Devices[0] != lab.ClientMAC {
		t.Errorf("users %+v, %v", users, err)
	}
	hosts, err := c.Hosts(t.Context())
	if err != nil || len(hosts) == 0 || hosts[0].Address != lab.Client4 || hosts[0].Username != "bob" {
		t.Errorf("hosts %+v, %v", hosts, err)
	}
	if err := d.cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Wait(); err != nil {
		t.Error(err)
	}
}
