// SPDX-License-Identifier: MIT

package rule

import (
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"nftdict/internal/need"
)

// space is a network namespace of a test's own, which ends with the test.
type space struct {
	t    testing.TB
	file *os.File
}

func newSpace(t testing.TB) *space {
	t.Helper()
	need.Root(t)
	need.Program(t, "nft")
	s := &space{t: t}
	need.Feature(t, "netns", func() (err error) {
		apart(func() {
			if err = unix.Unshare(unix.CLONE_NEWNET); err == nil {
				s.file, err = os.Open("/proc/thread-self/ns/net")
			}
		})
		return err
	})
	t.Cleanup(func() { s.file.Close() })
	return s
}

// apart runs f on a thread that ends with it.
func apart(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked
		f()
	}()
	<-done
}

func (s *space) fd() int { return int(s.file.Fd()) }

// do runs f on a thread in the namespace.
func (s *space) do(f func()) {
	s.t.Helper()
	var err error
	apart(func() {
		if err = unix.Setns(s.fd(), unix.CLONE_NEWNET); err == nil {
			f()
		}
	})
	if err != nil {
		s.t.Fatalf("setns: %v", err)
	}
}

// try runs stock nft on a text.
func (s *space) try(text string) (out string, err error) {
	s.t.Helper()
	s.do(func() {
		c := exec.Command("nft", "-f", "-")
		c.Stdin = strings.NewReader(text)
		var b []byte
		b, err = c.CombinedOutput()
		out = string(b)
	})
	return out, err
}

// nft is try that must succeed.
func (s *space) nft(text string) string {
	s.t.Helper()
	out, err := s.try(text)
	if err != nil {
		s.t.Fatalf("nft: %v\n%s\n%s", err, text, out)
	}
	return out
}

// rules returns the rules of a chain as stock nft lists them.
func (s *space) rules(chain string) (out []string) {
	s.t.Helper()
	for line := range strings.Lines(s.nft("list chain " + chain)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "table ") || strings.HasPrefix(line, "chain ") || strings.HasPrefix(line, "type ") || line == "}" || line == "" {
			continue
		}
		out = append(out, line)
	}
	return out
}

// bytecode returns the expressions of a chain's rules, as stock nft shows them.
func (s *space) bytecode(chain string) (out []string) {
	s.t.Helper()
	var shown []byte
	var err error
	s.do(func() {
		shown, err = exec.Command("nft", append([]string{"--debug=netlink", "list", "chain"}, strings.Fields(chain)...)...).CombinedOutput()
	})
	if err != nil {
		s.t.Fatalf("nft: %v\n%s", err, shown)
	}
	number := regexp.MustCompile(`__(set|map)\d+`)
	rule := ""
	for line := range strings.Lines(string(shown)) {
		if strings.HasPrefix(line, "  [ ") {
			rule += number.ReplaceAllString(line, "__$1")
		} else if rule != "" {
			out = append(out, rule)
			rule = ""
		}
	}
	return append(out, rule)
}
