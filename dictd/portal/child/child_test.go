// SPDX-License-Identifier: MIT

package child

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/dictd/portal"
	"nftdict/dictd/portal/web"
	"nftdict/internal/need"
)

// nobody is whose process it is in tests.
const nobody = 65534

func TestMain(m *testing.M) {
	switch {
	case Is():
		os.Exit(Main())
	case len(os.Args) > 1 && os.Args[1] == "probe":
		probe()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// fake is a desk where a password opens.
type fake struct {
	in    atomic.Bool
	asked atomic.Int64
}

func (f *fake) Visitor(context.Context, portal.From) (portal.Visitor, error) {
	f.asked.Add(1)
	return portal.Visitor{In: f.in.Load(), User: "anna", Way: portal.Account, Ways: []string{portal.Account}}, nil
}

func (f *fake) Enter(ctx context.Context, from portal.From, c portal.Credentials) (portal.Visitor, error) {
	if c.Secret != "right" {
		return portal.Visitor{}, portal.ErrWrong
	}
	f.in.Store(true)
	return f.Visitor(ctx, from)
}
func (f *fake) Leave(context.Context, portal.From) error { f.in.Store(false); return nil }
func (f *fake) Extend(ctx context.Context, from portal.From) (portal.Visitor, error) {
	return portal.Visitor{}, portal.ErrCannotExtend
}
func (f *fake) Begin(context.Context, portal.From, string) (string, error) {
	return "", portal.ErrNoWay
}
func (f *fake) Finish(context.Context, portal.From, string, string, string) (portal.Visitor, error) {
	return portal.Visitor{}, portal.ErrNoWay
}

// journal is a log that can be looked at.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// until waits for what is to be.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("in vain waited for: " + what)
		}
	}
}

// rig is a Supervisor that runs.
type rig struct {
	*Supervisor
	desk        *fake
	log         *journal
	plain       string
	secure      string
	certificate *pair
	set         Config
	stop        func()
}

func listen(t testing.TB) *net.TCPListener {
	t.Helper()
	ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

func port(t testing.TB, ln net.Listener) uint16 {
	t.Helper()
	return ln.Addr().(*net.TCPAddr).AddrPort().Port()
}

func write(t testing.TB, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(name+".new", text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}

func start(t testing.TB) *rig {
	need.Root(t)
	p, err := selfSigned([]string{"127.0.0.1"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	plain, secure := listen(t), listen(t)
	dir := t.TempDir()
	r := &rig{
		desk: new(fake), log: new(journal), certificate: p, plain: "http://" + plain.Addr().String(), secure: "https://" + secure.Addr().String(),
		set: Config{
			Web:         web.Settings{Name: "127.0.0.1", HTTP: port(t, plain), HTTPS: port(t, secure)},
			Certificate: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"),
		},
	}
	write(t, r.set.Certificate, p.Certificate)
	write(t, r.set.Key, p.Key)
	log := slog.New(slog.NewTextHandler(r.log, nil))
	r.Supervisor, err = New(Options{
		HTTP: []*net.TCPListener{plain}, HTTPS: []*net.TCPListener{secure}, UID: nobody, GID: nobody, Desk: r.desk, Log: log,
	}, r.set)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		r.stop()
		if t.Failed() {
			t.Log(r.log.String())
		}
	})
	return r
}

// client trusts what is trusted, and follows no redirection.
func client(t testing.TB, trusted ...*pair) *http.Client {
	t.Helper()
	pool := x509.NewCertPool()
	for _, p := range trusted {
		pool.AppendCertsFromPEM(p.Certificate)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Jar:           jar, Timeout: 30 * time.Second,
	}
}

func get(t testing.TB, c *http.Client, url string) (*http.Response, string) {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// alive waits for a process, which is not the one before.
func (r *rig) alive(t testing.TB, before int) (pid int) {
	t.Helper()
	until(t, "a process", func() bool {
		pid = r.PID()
		return pid != 0 && pid != before
	})
	return pid
}

// TestLife goes in through a process that is killed between two pages.
func TestLife(t *testing.T) {
	r := start(t)
	c := client(t, r.certificate)
	resp, _ := get(t, c, r.plain+"/hotspot-detect.html?http://evil.example/")
	if to := resp.Header.Get("Location"); resp.StatusCode != http.StatusFound || to != r.secure+"/" {
		t.Errorf("redirection: %s to %q", resp.Status, to)
	}
	resp, page := get(t, c, r.secure+"/")
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s:\n%s", resp.Status, page)
	}
	token := regexp.MustCompile(`name="token" value="([^"]+)"`).FindStringSubmatch(page)
	if token == nil {
		t.Fatalf("no token in\n%s", page)
	}
	pid := r.PID()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Uid:\t65534\t65534\t65534\t65534\n", "Gid:\t65534\t65534\t65534\t65534\n", "Groups:\t \n", "NoNewPrivs:\t1\n", "Seccomp:\t2\n",
		"CapInh:\t0000000000000000\n", "CapPrm:\t0000000000000000\n", "CapEff:\t0000000000000000\n", "CapAmb:\t0000000000000000\n",
	} {
		if !strings.Contains(string(status), want) {
			t.Errorf("no %q in\n%s", want, status)
		}
	}

	// Nothing of the daemon's but what it is given is open there.
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range open {
		to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, fd.Name()))
		if err == nil && strings.HasPrefix(to, "/") && to != "/dev/null" && !strings.HasPrefix(to, "/sys/fs/cgroup/") {
			t.Errorf("descriptor %s is %s", fd.Name(), to)
		}
	}

	// Signals to end are the daemon's.
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		if err := syscall.Kill(pid, sig); err != nil {
			t.Fatal(err)
		}
	}
	if get(t, c, r.secure+"/terms"); r.PID() != pid {
		t.Errorf("process %d has ended by a signal", pid)
	}

	// A stopped one does not answer; who comes waits, and finds its successor.
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	until(t, "it stands still", func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err == nil && bytes.Contains(stat, []byte(") T "))
	})
	answered := make(chan error, 1)
	go func() {
		resp, err := c.PostForm(r.secure+"/enter", url.Values{"token": {token[1]}, "way": {"account"}, "name": {"anna"}, "secret": {"right"}})
		if err == nil {
			resp.Body.Close()
			if to := resp.Header.Get("Location"); resp.StatusCode != http.StatusSeeOther || to != "/status" {
				err = fmt.Errorf("%s to %q", resp.Status, to)
			}
		}
		answered <- err
	}()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Errorf("a form of the process that was killed: %v", err)
	}
	r.alive(t, pid)
	if resp, page := get(t, c, r.secure+"/status"); resp.StatusCode != http.StatusOK || !strings.Contains(page, "anna") {
		t.Errorf("%s:\n%s", resp.Status, page)
	}
	pid = r.PID()
	r.stop()
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d has not ended with the daemon: %v", pid, err)
	}
	if text := r.log.String(); strings.Contains(text, "right") || strings.Contains(text, token[1]) {
		t.Errorf("a secret in the log:\n%s", text)
	}
}

// TestCertificate renews it, one file after the other, and the pages' settings.
func TestCertificate(t *testing.T) {
	r := start(t)
	get(t, client(t, r.certificate), r.secure+"/")
	renewed, err := selfSigned([]string{"127.0.0.1"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	pid := r.PID()
	write(t, r.set.Certificate, renewed.Certificate)
	r.look() // of no use without its key
	if !strings.Contains(r.log.String(), "cannot be used") {
		t.Errorf("half of a renewal is not told:\n%s", r.log)
	}
	get(t, client(t, r.certificate), r.secure+"/")
	write(t, r.set.Key, renewed.Key)
	c := client(t, renewed)
	until(t, "the new certificate", func() bool {
		resp, err := c.Get(r.secure + "/")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	})
	r.set.Web.VenueName = "Hotel Zur Post"
	if err := r.Set(r.set); err != nil {
		t.Fatal(err)
	}
	until(t, "other settings", func() bool {
		_, page := get(t, c, r.secure+"/terms")
		return strings.Contains(page, "Hotel Zur Post")
	})
	if now := r.PID(); now != pid {
		t.Errorf("process %d took the place of %d", now, pid)
	}
}

// TestName takes the portal's name from its certificate, where none is configured,
// and keeps a certificate that was made as long as its names stay.
func TestName(t *testing.T) {
	dir := t.TempDir()
	c := Config{Web: web.Settings{HTTP: 80, HTTPS: 443}, Certificate: filepath.Join(dir, "c"), Key: filepath.Join(dir, "k")}
	issue := func(names ...string) {
		t.Helper()
		p, err := selfSigned(names, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		write(t, c.Certificate, p.Certificate)
		write(t, c.Key, p.Key)
	}
	issue("wifi.example", "other.example")
	s, err := New(Options{Desk: new(fake), Log: slog.New(slog.DiscardHandler)}, c)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	want := func(name string, https uint16, known bool) {
		t.Helper()
		if got := s.current().Web; got.Name != name || got.HTTPS != https || got.Known != known {
			t.Errorf("%q %d %v, want %q %d %v", got.Name, got.HTTPS, got.Known, name, https, known)
		}
	}
	want("wifi.example", 443, true)
	issue("renamed.example.org") // another size
	s.look()
	want("renamed.example.org", 443, true)
	issue("*.example")
	s.look()
	want("", 443, true)
	set := func(change func(*Config)) *pair {
		t.Helper()
		change(&c)
		if err := s.Set(c); err != nil {
			t.Fatal(err)
		}
		return s.current().Pair
	}
	set(func(c *Config) { c.Web.Name = "own.example" })
	want("own.example", 443, true)
	made := set(func(c *Config) { c.Certificate, c.Key, c.SelfSigned, c.Web.Name = "", "", []string{"a.example"}, "" })
	want("", 443, false)
	if again := set(func(c *Config) { c.Web.VenueName = "x" }); again != made {
		t.Error("another certificate was made")
	}
	if other := set(func(c *Config) { c.SelfSigned = []string{"b.example"} }); other == made {
		t.Error("no other certificate was made")
	}
	set(func(c *Config) { c.SelfSigned = nil })
	want("", 0, false)
}

// TestRefused is about configurations.
func TestRefused(t *testing.T) {
	p, err := selfSigned([]string{"portal.example", "::1"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key, absent := filepath.Join(dir, "c"), filepath.Join(dir, "k"), filepath.Join(dir, "none")
	write(t, cert, p.Certificate)
	write(t, key, p.Key)
	for _, tt := range []struct {
		name string
		c    Config
		want string
	}{
		{"no key", Config{Certificate: cert}, "needs a key"},
		{"no file", Config{Certificate: absent, Key: key}, "no such file"},
		{"not a file", Config{Certificate: dir, Key: key}, "not a file"},
		{"mixed up", Config{Certificate: key, Key: cert}, "certificate"},
		{"a name", Config{Web: web.Settings{Name: "a b", HTTP: 1}}, "name"},
		{"a language", Config{Web: web.Settings{HTTP: 1, Languages: []string{"xx"}}}, "languages"},
	} {
		log := new(journal)
		s, err := New(Options{Desk: new(fake), Log: slog.New(slog.NewTextHandler(log, nil))}, tt.c)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if s != nil {
			s.Close()
		}
		if _, err := tt.c.Check(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	// A theme that is broken is done without, and without a language that it alone had.
	folder := filepath.Join(dir, "theme")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, "status.html"), []byte("{{define \"title\"}}{{end}}\n{{define \"main\"}}\n{{.Nothing}}{{end}}"))
	c := Config{Web: web.Settings{HTTP: 1, Languages: []string{"nl", "de"}}, Theme: folder, Certificate: cert, Key: key}
	log := new(journal)
	s, err := New(Options{Desk: new(fake), Log: slog.New(slog.NewTextHandler(log, nil))}, c)
	if err != nil || !strings.Contains(log.String(), folder+": status.html:3:") {
		t.Fatalf("%v\n%s", err, log)
	}
	defer s.Close()
	if set := s.current().Web; set.Theme != nil || set.Languages != nil {
		t.Errorf("%+v", set)
	}
	if complaint, err := c.Check(); err != nil || complaint == nil {
		t.Errorf("%v, %v", complaint, err)
	}
	// At a reload the one before stays.
	write(t, filepath.Join(folder, "status.html"), []byte("{{define \"title\"}}{{end}}{{define \"main\"}}{{end}}"))
	c.Web.Languages = nil
	for i, broken := range []bool{false, true} {
		if broken {
			write(t, filepath.Join(folder, "status.html"), []byte("{{"))
		}
		if err := s.Set(c); err != nil || len(s.current().Web.Theme) != 1 {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// probe tries, once it is confined, what it may not do.
func probe() {
	own, err := os.Open("/proc/self/status") // opened before: stays
	if err != nil {
		panic(err)
	}
	defer own.Close()
	port, err := net.Listen("tcp", "127.0.0.1:0") // as those it is given
	if err != nil {
		panic(err)
	}
	defer port.Close()
	tries := map[string]func() error{
		"send":    func() error { return sendOut(port.(*net.TCPListener), os.Args[2]) },
		"open":    func() error { _, err := os.Open("/etc/passwd"); return err },
		"create":  func() error { return os.WriteFile("/tmp/nftdict-portal-probe", nil, 0o600) },
		"list":    func() error { _, err := os.ReadDir("/"); return err },
		"connect": func() error { return dial("tcp", os.Args[2]) },
		"unix":    func() error { return dial("unix", os.Args[3]) },
		"listen":  func() error { ln, err := net.Listen("tcp", "127.0.0.1:0"); return closed(ln, err) },
		"exec":    func() error { return exec.Command("/proc/self/exe", "probe").Run() },
		"kill":    func() error { return syscall.Kill(os.Getppid(), 0) },
		"root":    func() error { return syscall.Setuid(0) },
		"userns":  func() error { return unix.Unshare(unix.CLONE_NEWUSER) },
	}
	said := make(map[string]map[string]string)
	tell := func(stage string) {
		said[stage] = make(map[string]string)
		for name, try := range tries {
			err := try()
			switch {
			case err == nil:
				said[stage][name] = "done"
			case errors.Is(err, fs.ErrPermission):
				said[stage][name] = "refused"
			default:
				said[stage][name] = err.Error()
			}
		}
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if os.Args[4] == "landlock" { // alone
		if err := shut(); err != nil {
			panic(err)
		}
	} else if err := confine(log); err != nil {
		panic(err)
	}
	tell("confined")
	if err := json.NewEncoder(os.Stdout).Encode(said["confined"]); err != nil {
		panic(err)
	}
}

// sendOut makes a connection of a listening socket, without connect(2).
func sendOut(ln *net.TCPListener, address string) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	raw, err := ln.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	err = raw.Control(func(fd uintptr) {
		if sent = unix.Shutdown(int(fd), unix.SHUT_RDWR); sent == nil {
			sent = unix.Sendto(int(fd), []byte("x"), unix.MSG_FASTOPEN, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()})
		}
		if errors.Is(sent, unix.EINPROGRESS) {
			sent = nil
		}
	})
	return errors.Join(err, sent)
}

func dial(network, address string) error {
	c, err := net.Dial(network, address)
	if err == nil {
		c.Close()
	}
	return err
}

func closed(ln net.Listener, err error) error {
	if err == nil {
		ln.Close()
	}
	return err
}

// TestConfined asks a process that is confined what it can do, and one that has
// landlock alone, and its rights.
func TestConfined(t *testing.T) {
	need.Root(t)
	tcp := listen(t)
	defer tcp.Close()
	dir, err := os.MkdirTemp("", "portal") // others may look into it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "socket")
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	run := func(how string, uid uint32) (said map[string]string) {
		t.Helper()
		cmd := exec.Command("/proc/self/exe", "probe", tcp.Addr().String(), path, how)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		out, err := cmd.Output()
		if err == nil {
			err = json.Unmarshal(out, &said)
		}
		if err != nil {
			t.Fatalf("%s: %v\n%s", how, err, out)
		}
		return said
	}
	for name, what := range run("all", nobody) {
		if what != "refused" {
			t.Errorf("%s: %s", name, what)
		}
	}
	need.Feature(t, "landlock", func() error {
		if v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION); errno != 0 || v < 1 {
			return fmt.Errorf("version %d: %v", v, errno)
		}
		return nil
	})
	said := run("landlock", 0) // root's rights do not help against it
	for _, name := range []string{"open", "create", "list"} {
		if said[name] != "refused" {
			t.Errorf("landlock: %s: %s", name, said[name])
		}
	}
}

// TestRoot refuses to be root.
func TestRoot(t *testing.T) {
	need.Root(t)
	if err := unprivileged(); err == nil {
		t.Error("root is welcome")
	}
}

// TestForward is about a process that says too much.
func TestForward(t *testing.T) {
	log := new(journal)
	lines := strings.Repeat("x", 100_000) + "\n" + strings.Repeat("{\"level\":\"ERROR\",\"msg\":\"a\\nb\",\"err\":\"c\"}\n", 1000)
	forward(strings.NewReader(lines), slog.New(slog.NewTextHandler(log, nil)))
	text := log.String()
	if n := strings.Count(text, "\n"); n < 10 || n > 60 {
		t.Errorf("%d lines", n)
	}
	if !strings.Contains(text, `said="a\nb" err=c`) || len(text) > 20_000 {
		t.Errorf("%.300s", text)
	}
}
