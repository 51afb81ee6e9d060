// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// unpack writes the files of the body to a directory for each of the two, and
// returns the names of those at the top.
func (p *pair) unpack(t *testing.T) (names []string) {
	t.Helper()
	a, err := txtar.ParseFile(bodyPath + "files.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dirs := []string{t.TempDir(), t.TempDir()}
	p.nftDir, p.dictctlDir = dirs[0], dirs[1]
	for _, f := range a.Files {
		text := string(f.Data)
		switch f.Name {
		case "crlf.nft":
			text = strings.ReplaceAll(text, "\n", "\r\n")
		case "nonewline.nft":
			text = strings.TrimSuffix(text, "\n")
		}
		for i, dir := range dirs {
			if i == 0 {
				text = strings.ReplaceAll(text, condition, plainTyped)
			} else {
				text = strings.ReplaceAll(text, plainTyped, condition)
			}
			path := filepath.Join(dir, f.Name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if filepath.Ext(f.Name) == ".nft" && !strings.Contains(f.Name, "/") {
			names = append(names, f.Name)
		}
	}
	return names
}

// TestBodyFiles loads files that define, include, comment and go wrong.
func TestBodyFiles(t *testing.T) {
	p := newPair(t)
	names := p.unpack(t)
	for _, name := range thinned(names) {
		for _, args := range [][]string{{"-c", "-f", name}, {"-a", "-e", "-f", name}, {"-I", "parts", "-f", "./" + name}, {"-a", "list", "ruleset"}} {
			p.compare(t, "", args...)
		}
	}
	p.compare(t, "", "-D", "web=80", "-f", "undefined.nft")
	p.compare(t, "", "-D", "a=80", "-f", "undefined.nft")
	p.compare(t, "", "-j", "list", "ruleset")
	if len(names) < 20 {
		t.Errorf("only %d files", len(names))
	}
}

// TestBodyInteractive gives commands to nft -i, one a line.
func TestBodyInteractive(t *testing.T) {
	p := newPair(t)
	lines := bodyLines(t, "commands.txt")
	lines = slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, "-") })
	for i := range lines {
		if i%10 == 0 {
			lines[i] = "add rule ip t c " + condition + " counter"
		}
	}
	p.compare(t, strings.Join(thinned(lines), "\n")+"\nquit\nlist tables\n", "-i")
	p.compare(t, "", "-a", "list", "ruleset")
}

// watcher is a monitor that runs until it is told to end.
type watcher struct {
	mu  sync.Mutex
	out bytes.Buffer
	cmd *exec.Cmd
}

func (w *watcher) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(b)
}

func (w *watcher) said() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.String()
}

// watch starts a monitor in a namespace.
func watch(t *testing.T, netns, path string, args ...string) *watcher {
	t.Helper()
	w := &watcher{cmd: exec.Command(path, args...)}
	w.cmd.Env = append(os.Environ(), asProgram+"=1")
	w.cmd.Stdout, w.cmd.Stderr = w, w
	if err := within(netns, w.cmd.Start); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = w.cmd.Process.Kill()
		_ = w.cmd.Wait()
	})
	return w
}

// beside matches lines of a monitor that are not about the commands.
var beside = regexp.MustCompile(`(?m)^.*(new generation|begin|finish).*\n`)

// TestBodyMonitor shows to monitors what they show with nft alone.
func TestBodyMonitor(t *testing.T) {
	p := newPair(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	forms := [][]string{{"monitor"}, {"-a", "-j", "monitor"}, {"-a", "-n", "monitor"}}
	var theirs, ours []*watcher
	for _, args := range forms {
		theirs = append(theirs, watch(t, p.nft, "nft", args...))
		ours = append(ours, watch(t, p.dictctl, self, append([]string{"nft"}, args...)...))
	}
	p.settle(t, "begin", append(theirs, ours...)...)
	for _, line := range bodyLines(t, "monitor.txt") {
		p.compare(t, "", line)
	}
	p.settle(t, "finish", append(theirs, ours...)...)
	for i, args := range forms {
		want := strings.NewReplacer(plainListed, condition, plainJSON, dictJSON).Replace(theirs[i].said())
		got := ours[i].said()
		for _, s := range []*string{&want, &got} {
			*s = beside.ReplaceAllString(expiries.ReplaceAllString(*s, "$1"), "")
		}
		if strings.Count(got, condition)+strings.Count(got, dictJSON) < 5 || want != got {
			t.Errorf("nft %q shows %.2000s\n(-nft +dictctl nft):\n%s", args, got, cmp.Diff(want, got))
		}
	}
}

// settle makes and removes a table of that name in both namespaces until both
// monitors have shown it.
func (p *pair) settle(t *testing.T, name string, watchers ...*watcher) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for shown := false; !shown; {
		if time.Now().After(deadline) {
			t.Fatalf("a monitor does not show %s", name)
		}
		for _, command := range []string{"table ip " + name + " { chain c { counter; }; }", "delete table ip " + name} {
			p.alone(t, "", command)
			p.front(t, "", command)
		}
		time.Sleep(50 * time.Millisecond)
		shown = true
		for _, w := range watchers {
			if said := w.said(); strings.Contains(said, "fault") {
				t.Fatalf("a monitor ended: %.500s", said[max(0, len(said)-500):])
			}
			shown = shown && strings.Contains(w.said(), name)
		}
	}
}
