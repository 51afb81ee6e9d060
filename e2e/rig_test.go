// SPDX-License-Identifier: MIT

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"nftdict/dictd/api"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
	"nftdict/internal/need"
)

// bin holds the programs under test: a directory named by NFTDICT_BIN (a guest
// has no compiler worth waiting for), or built once by TestMain.
var bin string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if os.Getenv(crossEnd) != "" {
		return beClient(os.Stdin, os.Stdout)
	}
	if os.Geteuid() != 0 {
		return m.Run() // every test skips by itself
	}
	if bin = os.Getenv("NFTDICT_BIN"); bin != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "nftdict-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-o", dir+"/", "nftdict/cmd/dictd", "nftdict/cmd/dictctl")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the programs under test:", err)
		return 1
	}
	bin = dir
	return m.Run()
}

// rig is a lab with the programs under test on its gateway.
type rig struct {
	*lab.Lab
	t    testing.TB
	dir  string
	dead *daemon // the last daemon started
}

// newRig sets a lab up; no daemon runs yet.
func newRig(t testing.TB, conf lab.Config) *rig {
	t.Helper()
	need.Root(t)
	need.Program(t, "nft")
	r := &rig{Lab: labtest.New(t, conf), t: t, dir: t.TempDir()}
	// A /run and a bpffs of the gateway's own, which go with it.
	const pins = "/run/nftdict/bpf"
	if err := r.Gateway.Mount("tmpfs", "/run"); err != nil {
		t.Fatal(err)
	}
	r.must("mkdir", "-p", pins)
	if err := r.Gateway.Mount("bpf", pins); err != nil {
		t.Fatal(err)
	}
	return r
}

// daemon is a running dictd.
type daemon struct {
	cmd *lab.Cmd
	log journal
}

// journal is what a program says while it runs.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// socket is where the rig's dictd listens.
func (r *rig) socket() string { return filepath.Join(r.dir, "dictd.sock") }

// start runs dictd on the gateway and waits until it answers. Extra lines are
// appended to its configuration.
func (r *rig) start(extra ...string) *daemon {
	r.t.Helper()
	conf := filepath.Join(r.dir, "dictd.toml")
	text := strings.Join(append([]string{fmt.Sprintf("socket = %q\nstate = %q", r.socket(), filepath.Dir(r.socket()))}, extra...), "\n") + "\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	d := &daemon{cmd: r.Gateway.Command(context.Background(), filepath.Join(bin, "dictd"), "-config", conf)}
	d.cmd.Stdout, d.cmd.Stderr = &d.log, &d.log
	if err := d.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		d.stop()
		if r.t.Failed() {
			r.t.Logf("dictd said:\n%s", d.log.String())
		}
	})
	r.eventually("dictd inspects packets", func() error {
		// It answers before: what comes until its rules are there is not inspected.
		if !strings.Contains(d.log.String(), "msg=inspecting") {
			return errors.New("it has not said so")
		}
		_, err := r.try("dictctl", "-j", "status")
		return err
	})
	r.dead = d
	return d
}

func (d *daemon) signal(s syscall.Signal) { _ = d.cmd.Process.Signal(s) }

// stop ends dictd as an operator does.
func (d *daemon) stop() {
	d.signal(syscall.SIGTERM)
	_ = d.cmd.Wait()
}

// kill ends dictd as a crash would.
func (d *daemon) kill() {
	d.signal(syscall.SIGKILL)
	_ = d.cmd.Wait()
}

// try runs a program on the gateway; dictctl is the one under test.
func (r *rig) try(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if name == "dictctl" {
		name = filepath.Join(bin, "dictctl")
		args = append([]string{"--socket", r.socket()}, args...)
	}
	out, err := r.Gateway.Command(ctx, name, args...).CombinedOutput()
	return string(out), err
}

// must is try for what has to succeed.
func (r *rig) must(name string, args ...string) string {
	r.t.Helper()
	out, err := r.try(name, args...)
	if err != nil {
		r.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// status returns what the daemon says of itself.
func (r *rig) status() api.Status {
	r.t.Helper()
	var s struct {
		Daemon api.Status `json:"daemon"`
	}
	if err := json.Unmarshal([]byte(r.must("dictctl", "-j", "status")), &s); err != nil {
		r.t.Fatal(err)
	}
	return s.Daemon
}

// nft runs `dictctl nft` with the words of a command line.
func (r *rig) nft(line string) {
	r.t.Helper()
	r.must("dictctl", append([]string{"nft"}, strings.Fields(line)...)...)
}

// forward makes table and chain of the examples: ip filter forward.
func (r *rig) forward() {
	r.t.Helper()
	for _, family := range []string{"ip", "ip6"} {
		r.nft("add table " + family + " filter")
		r.nft("add chain " + family + " filter forward { type filter hook forward priority 0 ; }")
	}
}

// set runs `dictctl set`.
func (r *rig) set(words ...string) {
	r.t.Helper()
	r.must("dictctl", append([]string{"set"}, words...)...)
}

// field returns a field of a row as text, "" where there is none.
func (r *rig) field(table, key, field string) string {
	out, err := r.try("dictctl", "get", table, key, field)
	if err != nil {
		return ""
	}
	return strings.Trim(strings.TrimSpace(out), `"`)
}

// session is what `dictctl -j sessions` says of a connection.
type session struct {
	CtID        uint32 `json:"ct_id"`
	Application string `json:"application"`
	ServerPort  int    `json:"server_port"`
}

// sessions returns the daemon's sessions.
func (r *rig) sessions() []session {
	r.t.Helper()
	var all struct {
		Sessions []session `json:"sessions"`
	}
	if err := json.Unmarshal([]byte(r.must("dictctl", "-j", "sessions")), &all); err != nil {
		r.t.Fatal(err)
	}
	return all.Sessions
}

// eventually fails the test if f still fails after half a minute, as guests may be
// slow: for what happens soon, without saying when.
func (r *rig) eventually(what string, f func() error) {
	r.t.Helper()
	var err error
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err = f(); err == nil {
			return
		}
	}
	log := ""
	if r.dead != nil {
		log = r.dead.log.String()
	}
	r.t.Fatalf("%s: %v\n%s", what, err, log)
}

// portal serves one page on the gateway's loopback, port 80, until the lab
// closes.
func (r *rig) portal(page string) {
	r.t.Helper()
	err := r.ServeHTTP(context.Background(), r.Gateway, "127.0.0.1:80", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, page)
	}))
	if err != nil {
		r.t.Fatal(err)
	}
}

// reach fetches a page of the site from the client over TCP.
func (r *rig) reach(family int, url string) error {
	b := r.Browser()
	b.Family, b.Timeout = family, 3*time.Second
	_, err := b.Get(context.Background(), url)
	return err
}

// reaches and blocked say what has to become of a fetch.
func (r *rig) reaches(family int, url string) {
	r.t.Helper()
	if err := r.reach(family, url); err != nil {
		r.t.Errorf("IPv%d %s: %v, want it to pass", family, url, err)
	}
}

func (r *rig) blocked(family int, url string) {
	r.t.Helper()
	if err := r.reach(family, url); err == nil {
		r.t.Errorf("IPv%d %s passed, want it refused", family, url)
	}
}
