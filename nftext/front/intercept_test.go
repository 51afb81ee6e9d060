// SPDX-License-Identifier: MIT

package front

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// smallCodec compiles each condition to one element that is much shorter than the
// placeholder.
type smallCodec struct{ fakeCodec }

func (smallCodec) Compile(Target, string) (*Code, error) {
	return &Code{Exprs: appendElement(nil, "notrack", nil)}, nil
}

func (smallCodec) Decompile(_ uint8, elems []Element) (Found, bool) {
	return Found{Text: "dict sessions ct id application 1", Elements: 1}, elems[0].Name == "notrack"
}

// A dump that grows beyond nft's buffer arrives in parts.
func TestRunGrowingDump(t *testing.T) {
	ns := newNetwork(t)
	var b strings.Builder
	b.WriteString("table ip t {\n\tchain c {\n")
	for range 60 {
		b.WriteString("\t\t" + strings.TrimSuffix(strings.Repeat("dict sessions ct id application 1 ", 100), " ") + "\n")
	}
	b.WriteString("\t}\n}\n")
	if s, err := ns.tryWith(t, smallCodec{}, b.String(), "-f", "-"); err != nil || s != (said{}) {
		t.Fatalf("%+v, %v", s, err)
	}
	s, err := ns.tryWith(t, smallCodec{}, "", "list", "ruleset")
	if err != nil || s != (said{Out: b.String()}) {
		t.Errorf("%v: %d of %d bytes, %s", err, len(s.Out), b.Len(), s.Err)
	}
}

func TestRunFamilies(t *testing.T) {
	ns := newNetwork(t)
	var targets []Target
	closed := 0
	codec := fakeCodec{closed: &closed, compiled: &targets}
	var want []Target
	for family, name := range map[uint8]string{
		unix.NFPROTO_IPV4: "ip", unix.NFPROTO_IPV6: "ip6", unix.NFPROTO_INET: "inet",
		unix.NFPROTO_ARP: "arp", unix.NFPROTO_BRIDGE: "bridge", unix.NFPROTO_NETDEV: "netdev",
	} {
		rule := "dict sessions ct id application 1 dict sessions ct id application set 2 counter packets 0 bytes 0 drop"
		s, err := ns.tryWith(t, codec, "", fmt.Sprintf("add table %s t; add chain %s t c; add rule %s t c %s", name, name, name, rule))
		if err != nil || s != (said{}) {
			t.Fatalf("%s: %+v, %v", name, s, err)
		}
		if s := ns.run(t, "", "list", "table", name, "t"); !strings.Contains(s.Out, "\t\t"+rule+"\n") {
			t.Errorf("%s: %+v", name, s)
		}
		want = append(want, Target{Family: family, Table: "t", Chain: "c"}, Target{Family: family, Table: "t", Chain: "c"})
	}
	if fmt.Sprint(targets) != fmt.Sprint(want) {
		t.Errorf("compiled for %v, want %v", targets, want)
	}
	if closed != len(targets) {
		t.Errorf("%d of %d codes were closed", closed, len(targets))
	}
}

// One transaction of many rules needs more room than nft made for it, and so does
// its echo.
func TestRunManyRules(t *testing.T) {
	ns := newNetwork(t)
	const rules = 8000
	var b strings.Builder
	b.WriteString("table ip t {\n\tchain c {\n")
	for i := range rules {
		fmt.Fprintf(&b, "\t\tdict sessions ct id application %d drop\n", i%5000)
	}
	b.WriteString("\t}\n}\n")
	if s := ns.run(t, b.String(), "-f", "-"); s != (said{}) {
		t.Fatalf("%+v", s)
	}
	if s := ns.run(t, "", "list", "ruleset"); s != (said{Out: b.String()}) {
		t.Errorf("listing differs: %d bytes for %d, %s", len(s.Out), b.Len(), s.Err)
	}
	s := ns.run(t, "flush ruleset\n"+b.String(), "-e", "-f", "-")
	if n := strings.Count(s.Out, "dict sessions"); n < rules || s.Exit != 0 || s.Err != "" {
		t.Errorf("echo of %d rules, %s", n, s.Err)
	}
}

// lockedBuffer is a strings.Builder for two goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestRunMonitor(t *testing.T) {
	ns := newNetwork(t)
	ns.must(t, "add table ip t; add chain ip t c")
	ctx, cancel := context.WithCancel(context.Background())
	var out lockedBuffer
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c := Command{Args: []string{"monitor", "rules"}, Codec: fakeCodec{}, Stdout: &out}
		ns.do(t, func() { _, _ = c.Run(ctx) })
	}()
	defer func() { cancel(); <-ended }()
	const rule = "add rule ip t c dict sessions ct id application 3 drop"
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(out.String(), rule); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("monitor shows %q", out.String())
		}
		ns.must(t, rule)
	}
}

// Stopping and continuing nft must not carry out a batch twice.
func TestRunStopped(t *testing.T) {
	ns := newNetwork(t)
	ns.must(t, "add table ip t; add chain ip t c")
	cmd, nft, proceed := ns.compiling(t, "add rule ip t c dict sessions ct id application 8888 drop")
	for range 10 {
		_ = unix.Kill(nft, unix.SIGSTOP)
		time.Sleep(time.Millisecond)
		_ = unix.Kill(nft, unix.SIGCONT)
	}
	if err := proceed.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(ns.run(t, "", "list", "ruleset").Out, "dict"); n != 1 {
		t.Errorf("%d rules, want 1", n)
	}
}

func TestInstallTwice(t *testing.T) {
	needListener(t)
	onOwnThread(func() {
		l, err := install(filter(false))
		if err != nil {
			t.Error(err)
			return
		}
		defer unix.Close(int(l))
		second, err := install(filter(false))
		if err == nil {
			unix.Close(int(second))
		}
		if !errors.Is(err, dict.ErrNotSupported) || !errors.Is(err, unix.EBUSY) {
			t.Errorf("second listener: %v", err)
		}
	})
}

// Each error of the kernel repeats the message it is about, which is longer than
// the one nft made room for.
func TestRunManyErrors(t *testing.T) {
	ns := newNetwork(t)
	const rules = 300
	text := func(term string) string {
		line := term + strings.Repeat(" ", len(dictTerm)-len(term)) + " counter name \"nosuch\" drop\n"
		return "table ip t {\n\tchain c {\n" + strings.Repeat(line, rules) + "\t}\n}\n"
	}
	want := ns.plain(t, text("meta mark 1"), "-f", "-")
	want.Err = unreplaceTerm(want.Err)
	if n := strings.Count(want.Err, "Error"); n != rules {
		t.Fatalf("nft itself says %d errors", n)
	}
	if got := ns.run(t, text(dictTerm), "-f", "-"); got != want {
		t.Errorf("%d errors, want %d: %.300s", strings.Count(got.Err, "Error"), rules, got.Err)
	}
}

// Runs at the same time do not disturb each other.
func TestRunConcurrently(t *testing.T) {
	var nets []network
	for range 6 {
		nets = append(nets, newNetwork(t))
	}
	var all sync.WaitGroup
	for i, ns := range nets {
		all.Go(func() {
			for j := range 10 {
				rule := fmt.Sprintf("dict sessions ct id application %d drop", 100*i+j)
				s, err := ns.try(t, "flush ruleset\ntable ip t {\n\tchain c {\n\t\t"+rule+"\n\t}\n}\n", "-f", "-")
				if err != nil || s != (said{}) {
					t.Errorf("%+v, %v", s, err)
				}
				if s, err := ns.try(t, "", "list", "ruleset"); err != nil || !strings.Contains(s.Out, rule) {
					t.Errorf("%+v, %v, want %s", s, err, rule)
				}
			}
		})
	}
	all.Wait()
}

func TestRunNestedChain(t *testing.T) {
	ns := newNetwork(t)
	const text = "table ip t {\n\tchain c {\n\t\ttcp dport 1 dict sessions ct id application 1 jump {\n\t\t\tdict sessions ct id application 2 accept\n\t\t\tdict sessions ct id application 3 drop\n\t\t}\n\t}\n}\n"
	if s := ns.run(t, text, "-f", "-"); s != (said{}) {
		t.Fatalf("%+v", s)
	}
	if s := ns.run(t, "", "list", "ruleset"); s != (said{Out: text}) {
		t.Errorf("%+v, want %s", s, text)
	}
}

// Runs leave no descriptor and no thread behind.
func TestRunLeavesNothing(t *testing.T) {
	ns := newNetwork(t)
	count := func() (files, threads int) {
		for dir, n := range map[string]*int{"/proc/self/fd": &files, "/proc/self/task": &threads} {
			list, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			*n = len(list)
		}
		return files, threads
	}
	ns.must(t, "add table ip t; add chain ip t c")
	files, threads := count()
	for range 30 {
		ns.must(t, "add rule ip t c "+matchTerm)
		ns.run(t, "", "list", "ruleset")
		ns.run(t, "", "add rule ip t c dict s ct id a 9999")
		_, _ = ns.try(t, "", "-j", "list", "ruleset")
	}
	if f, th := count(); f > files || th > threads+10 {
		t.Errorf("%d descriptors and %d threads became %d and %d", files, threads, f, th)
	}
}
