// SPDX-License-Identifier: MIT

package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nftdict/dict"
	"nftdict/dictd/event"
	"nftdict/internal/need"
)

func TestNewRights(t *testing.T) {
	r, err := NewRights([]string{"user:1001", "group:4294967294", "group:root"}, []string{"user:root"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		peer         Peer
		read, change bool
	}{
		{Peer{UID: 1001, GID: 1001}, true, false},
		{Peer{UID: 1002, GID: 4294967294}, true, false},
		{Peer{UID: 1002, GID: 1002, Groups: []uint32{7, 0}}, true, false},
		{Peer{UID: 1002, GID: 1002, Groups: []uint32{7, 1001}}, false, false},
		{Peer{UID: 0, GID: 1002}, true, true},
	} {
		if read, change := r.May(&c.peer, false), r.May(&c.peer, true); read != c.read || change != c.change {
			t.Errorf("%+v: may read %v, change %v", c.peer, read, change)
		}
	}
	for text, want := range map[string]error{
		"bob": dict.ErrInvalid, "user:": dict.ErrInvalid, "group:-1": nil, "user:4294967295": dict.ErrInvalid, "user:1x": dict.ErrInvalid, "user:65534": dict.ErrInvalid,
		"group:65534": dict.ErrInvalid, "user:no-such-user-here": dict.ErrNotExist, "group:no-such-group-here": dict.ErrNotExist, "": dict.ErrInvalid, "User:root": dict.ErrInvalid,
	} {
		if _, err := NewRights(nil, []string{text}); err == nil || want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), "api.write "+dict.Quote(text)) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
	if (*Rights)(nil).mode() != 0o600 || (&Rights{}).mode() != 0o600 || r.mode() != 0o666 {
		t.Error("modes of the socket")
	}
}

// askAs is where TestMain finds what the process is to ask, as somebody else: a
// socket, a method and a path.
const askAs = "NFTDICT_API_TEST_ASK"

// TestMain asks in place of testing where it is told to.
func TestMain(m *testing.M) {
	if text := os.Getenv(askAs); text != "" {
		words := strings.Fields(text)
		if words[1] == "HOLD" {
			hold(words[0])
			return
		}
		fmt.Println(ask(words))
		return
	}
	os.Exit(m.Run())
}

// hold opens as many connections as it gets, says so, and holds them until its input
// ends.
func hold(path string) {
	var all []net.Conn
	for range maxConnections {
		conn, err := net.Dial("unix", path)
		if err != nil {
			break
		}
		all = append(all, conn)
	}
	fmt.Println("holding")
	_, _ = io.Copy(io.Discard, os.Stdin)
	runtime.KeepAlive(all)
}

// ask sends a request and returns what came: a status, or why there is none.
func ask(words []string) string {
	var body any
	if words[1] == "PUT" {
		body = UserGroups{[]string{}}
	}
	var refused *Error
	err := NewClient(words[0]).do(context.Background(), words[1], words[2], nil, body, decodeInto(new(any)))
	switch {
	case errors.As(err, &refused):
		return fmt.Sprintf("%d %s, %s", refused.Status, refused.Text, refused.Remedy)
	case errors.Is(err, os.ErrPermission):
		return "permission denied"
	case err != nil:
		return err.Error()
	}
	return "200"
}

// TestRightsOfProcesses asks as real users, who are told from each other by the
// kernel alone.
func TestRightsOfProcesses(t *testing.T) {
	need.Root(t)
	rights := func(read, write string) *Rights {
		r, err := NewRights(strings.Fields(read), strings.Fields(write))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	dir := openDir(t)
	path := dir + "/dictd.sock"
	srv := serveAt(t, path, newSource(t, 0), nil)
	self := copyOfSelf(t, dir)
	as := func(uid, gid uint32, groups []uint32, request string) string {
		cmd := exec.Command(self)
		cmd.Dir = "/"
		cmd.Env = []string{askAs + "=" + path + " " + request}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: gid, Groups: groups}}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("as %d: %v: %s", uid, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	const get, put = "GET /v1/status", "PUT /v1/users/bob"
	many := make([]uint32, 200) // more than are asked for at first
	for i := range many {
		many[i] = uint32(50000 + i)
	}
	for _, c := range []struct {
		read, write string
		uid, gid    uint32
		groups      []uint32
		request     string
		want        string
	}{
		{"", "", 0, 0, nil, put, "200"},
		{"", "", 41001, 41001, nil, get, "permission denied"},
		{"user:41001", "", 41001, 41001, nil, get, "200"},
		{"user:41001", "", 41001, 41001, nil, put, "403 PUT /v1/users/bob: user 41001 may not change anything, be root, or put user:NAME or group:NAME into api.write of dictd.toml and reload dictd"},
		{"user:41001", "", 41002, 41002, nil, get, "403 GET /v1/status: user 41002 may not ask, be root, or put user:NAME or group:NAME into api.read of dictd.toml and reload dictd"},
		{"user:41001", "", 41002, 41001, []uint32{41001}, get, "403 GET /v1/status: user 41002 may not ask, be root, or put user:NAME or group:NAME into api.read of dictd.toml and reload dictd"},
		{"", "user:41001", 41001, 41001, nil, put, "200"},
		{"", "group:41003", 41001, 41003, nil, put, "200"},
		{"", "group:41003", 41001, 41001, []uint32{1, 41003}, put, "200"},
		{"", "group:50199", 41001, 41001, many, get, "200"},
		{"", "group:50200", 41001, 41001, many, get, "403 GET /v1/status: user 41001 may not ask, be root, or put user:NAME or group:NAME into api.read of dictd.toml and reload dictd"},
	} {
		if err := srv.SetRights(rights(c.read, c.write)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, as(c.uid, c.gid, c.groups, c.request)); diff != "" {
			t.Errorf("read %q, write %q, %s as %d, %d (-want +got):\n%s", c.read, c.write, c.request, c.uid, c.gid, diff)
		}
	}
}

// openDir makes a directory to which others can come.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "dictd-api-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestStrangersTakeNoPlaces has many ids that have no right hold all connections that
// they get: who has one is answered all the same.
func TestStrangersTakeNoPlaces(t *testing.T) {
	need.Root(t)
	dir := openDir(t)
	path := dir + "/dictd.sock"
	rights, err := NewRights([]string{"user:41001"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	serveAt(t, path, newSource(t, 0), rights)
	self := copyOfSelf(t, dir)
	process := func(uid uint32, request string) *exec.Cmd {
		cmd := exec.Command(self)
		cmd.Dir, cmd.Env = "/", []string{askAs + "=" + path + " " + request}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		return cmd
	}
	for i := range uint32(maxConnections/maxOfUser + 1) {
		cmd := process(42001+i, "HOLD")
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = errors.Join(in.Close(), cmd.Wait()) })
		if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := process(41001, "GET /v1/status").CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "200" {
		t.Errorf("who may ask is told %q, %v", out, err)
	}
}

// copyOfSelf copies this program to where others may run it.
func copyOfSelf(t *testing.T, dir string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	path := dir + "/ask"
	if err := os.WriteFile(path, text, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestPeerIsAsItConnected has groups read of a socket pair, whose ends are this
// process.
func TestPeerIsAsItConnected(t *testing.T) {
	path := t.TempDir() + "/s"
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	conn, err := ln.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	groups, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	peer, err := peerOf(conn)
	if err != nil {
		t.Fatal(err)
	}
	if int(peer.UID) != os.Geteuid() || int(peer.GID) != os.Getegid() || int(peer.PID) != os.Getpid() || len(peer.Groups) != len(groups) {
		t.Errorf("peer %+v, groups %v", peer, groups)
	}
}

// TestStreamsEndWithTheirRight takes the right of somebody who follows.
func TestStreamsEndWithTheirRight(t *testing.T) {
	src := newSource(t, 0)
	s := newServer(src)
	s.rights.Store(&Rights{read: principals{users: map[uint32]struct{}{12345: {}}}})
	w := newStream()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.handler().ServeHTTP(w, w.request(t, "/v1/events", &Peer{UID: 12345}))
	}()
	<-w.wrote
	s.rights.Store(nil)
	src.log.Publish(event.Event{Kind: event.UserNew, Subject: "secret"})
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("the stream goes on")
	}
	if strings.Contains(w.text(), "secret") {
		t.Errorf("told without the right: %s", w.text())
	}
}

func TestPageRights(t *testing.T) {
	s := newServer(newSource(t, 1))
	for _, c := range []struct {
		change bool
		method string
		status int
	}{
		{false, "GET", 200}, {true, "GET", 200}, {false, "PUT", 403}, {true, "PUT", 200},
	} {
		path, body := "/v1/sessions", ""
		if c.method == "PUT" {
			path, body = "/v1/users/bob", `{"usergroups":[]}`
		}
		w := httptest.NewRecorder()
		r := httptest.NewRequest(c.method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		s.Page(c.change).ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%+v: %d %s", c, w.Code, w.Body)
		}
	}
}
