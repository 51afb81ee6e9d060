// SPDX-License-Identifier: MIT

package e2e

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nftdict/internal/need"
)

// manager is a systemd that runs dictd's unit, in a guest: as the first process of a
// PID namespace, with no units but dictd's and the targets that this stands behind.
type manager struct {
	t    *testing.T
	pid  string // of systemd
	conf string // dictd.toml
}

// newManager starts systemd, and ends it with the test.
func newManager(t *testing.T, conf string) *manager {
	t.Helper()
	need.Root(t)
	need.Feature(t, "systemd", func() error {
		if os.Getenv("NFTDICT_MODULES") == "" {
			return errors.New("no guest: this machine's own services are not to be disturbed")
		}
		_, err := os.Stat("/lib/systemd/systemd")
		return errors.Join(err, os.MkdirAll("/etc/dictd", 0o755))
	})
	dir := t.TempDir()
	m, log := &manager{t: t, conf: "/etc/dictd/dictd.toml"}, filepath.Join(dir, "dictd.log")
	m.write(m.conf, conf)
	unit, err := os.ReadFile("../cmd/dictd/dictd.service")
	if err != nil {
		t.Fatal(err)
	}
	m.write(filepath.Join(dir, "dictd.service"), strings.ReplaceAll(string(unit), "@SBIN@", bin))
	m.write(filepath.Join(dir, "dictd.service.d/log.conf"), fmt.Sprintf("[Service]\nStandardOutput=append:%[1]s\nStandardError=append:%[1]s\n", log))
	for _, target := range []string{"sysinit", "basic", "shutdown", "multi-user"} {
		m.write(filepath.Join(dir, target+".target"), "[Unit]\nDefaultDependencies=no\n")
	}
	console := filepath.Join(dir, "console")
	m.write(console, "")
	systemd := exec.Command("unshare", "--pid", "--fork", "--kill-child=KILL", "--mount", "--mount-proc", "sh", "-c",
		`mount --bind "$1" /dev/console && exec /lib/systemd/systemd --system --unit=multi-user.target --log-target=console`, "sh", console)
	systemd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "container=test", "SYSTEMD_UNIT_PATH=" + dir}
	if err := systemd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = systemd.Process.Kill()
		_ = systemd.Wait()
		_ = os.Remove(m.conf)
		if t.Failed() {
			for _, path := range []string{log, console} {
				text, _ := os.ReadFile(path)
				t.Logf("%s:\n%s", path, text)
			}
		}
	})
	m.eventually("systemd is up", func() error {
		// It is unshare's child, and speaks to who is in its namespaces.
		children, err := os.ReadFile(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", systemd.Process.Pid))
		if m.pid = strings.TrimSpace(string(children)); err != nil || m.pid == "" {
			return errors.Join(errors.New("it has not begun"), err)
		}
		_, err = m.systemctl("show", "dictd", "-p", "ActiveState")
		return err
	})
	return m
}

func (m *manager) write(path, text string) {
	m.t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		m.t.Fatal(err)
	}
}

// run runs a program, and returns what it prints.
func (m *manager) run(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out)), err
}

// systemctl runs it beside systemd.
func (m *manager) systemctl(args ...string) (string, error) {
	return m.run("nsenter", append([]string{"--target", m.pid, "--pid", "--mount", "systemctl"}, args...)...)
}

// must is systemctl for what has to succeed.
func (m *manager) must(args ...string) string {
	m.t.Helper()
	out, err := m.systemctl(args...)
	if err != nil {
		m.t.Fatal(err)
	}
	return out
}

func (m *manager) eventually(what string, f func() error) {
	m.t.Helper()
	var err error
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if err = f(); err == nil {
			return
		}
	}
	m.t.Fatalf("%s: %v", what, err)
}

// property returns one of the unit's.
func (m *manager) property(name string) string {
	m.t.Helper()
	return m.must("show", "dictd", "--value", "-p", name)
}

// size returns the size of alice's budget, as the daemon says.
func (m *manager) size() (int64, error) {
	out, err := m.run(filepath.Join(bin, "dictctl"), "-j", "quota", "show", "user", "alice")
	if err != nil {
		return 0, err
	}
	var list struct {
		Quotas []struct{ Size int64 } `json:"quotas"`
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list.Quotas) != 1 {
		return 0, fmt.Errorf("%s: %w", out, err)
	}
	return list.Quotas[0].Size, nil
}

// sized waits until alice's budget has a size.
func (m *manager) sized(what string, want int64) {
	m.t.Helper()
	m.eventually(what, func() error {
		got, err := m.size()
		if err == nil && got != want {
			err = fmt.Errorf("the budget has %d bytes, want %d", got, want)
		}
		return err
	})
}

// portal shows that the portal's pages are there, by a process of their own.
func (m *manager) portal(what string) {
	m.t.Helper()
	c := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	m.eventually(what+": the portal", func() error {
		resp, err := c.Get("http://127.0.0.1:8880/terms") // leads to HTTPS
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK || resp.Request.URL.String() != "https://127.0.0.1:8443/" {
			return fmt.Errorf("%s at %s", resp.Status, resp.Request.URL)
		}
		return nil
	})
}

// The unit works as it is: dictd is ready when systemd says so, with the capabilities
// that it has there, keeps its state in the unit's directory, takes over a sound
// configuration and no other, comes back after a crash with what it knew, and stops.
func TestService(t *testing.T) {
	conf := func(volume string) string {
		return fmt.Sprintf("[rules]\nremove_on_stop = true\n\n[portal]\nenable = true\ninterfaces = [\"lo\"]\nself_signed = true\n\n[[plan]]\nname = \"daily\"\nfor = [\"user alice\"]\nvolume = %q\nperiod = \"month\"\n", volume)
	}
	m := newManager(t, conf("20MB"))
	m.must("start", "dictd")
	if _, err := m.run(filepath.Join(bin, "dictctl"), "status"); err != nil {
		t.Errorf("started, and not ready: %v", err)
	}
	m.sized("a budget", 20*mega)
	m.portal("started")
	if fi, err := os.Stat("/var/lib/dictd"); err != nil || fi.Mode().Perm() != 0o700 {
		t.Errorf("the state's directory: %v, %v", fi, err)
	}
	if _, err := m.run(filepath.Join(bin, "dictctl"), "quota", "top-up", "user", "alice", "1MB"); err != nil {
		t.Fatal(err)
	}
	m.write(m.conf, conf("30MB"))
	m.must("reload", "dictd")
	m.sized("after a reload", 31*mega)
	m.write(m.conf, conf("a lot"))
	if _, err := m.systemctl("reload", "dictd"); err == nil {
		t.Error("a broken configuration was taken over")
	}
	m.sized("after a reload that failed", 31*mega)
	m.write(m.conf, conf("30MB"))
	m.must("kill", "-s", "KILL", "--kill-who=main", "dictd")
	m.eventually("it comes back", func() error {
		if n := m.property("NRestarts"); n != "1" {
			return fmt.Errorf("%s restarts", n)
		}
		return nil
	})
	m.sized("after a crash", 31*mega)
	m.portal("after a crash")
	m.must("stop", "dictd")
	if state, result := m.property("ActiveState"), m.property("Result"); state != "inactive" || result != "success" {
		t.Errorf("after its stop it is %s, %s", state, result)
	}
	m.must("start", "dictd")
	m.sized("after a stop", 31*mega)
	m.must("stop", "dictd")
}
