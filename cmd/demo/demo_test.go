// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nftdict/internal/lab"
	"nftdict/internal/need"
)

// programs builds dictd and dictctl and returns where they are.
func programs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.Command("go", "build", "-o", dir+"/", "nftdict/cmd/dictd", "nftdict/cmd/dictctl").CombinedOutput()
	if err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return dir
}

func needDemo(t *testing.T) {
	t.Helper()
	need.Root(t)
	need.Feature(t, "netns", lab.Probe)
	for _, name := range []string{"nft", "conntrack", "curl", "openssl"} {
		need.Program(t, name)
	}
}

func TestDemo(t *testing.T) {
	needDemo(t)
	var out, errs bytes.Buffer
	start := time.Now()
	if code := run(t.Context(), []string{"--bin", programs(t)}, &out, &errs); code != exitDone {
		t.Errorf("exit %d\n%s\n%s", code, &errs, &out)
	}
	if took := time.Since(start); took > time.Minute {
		t.Errorf("took %v", took)
	}
	if errs.Len() > 0 {
		t.Errorf("error output:\n%s", &errs)
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("colour, and no terminal")
	}
	if !strings.Contains(out.String(), "claims hold") {
		t.Errorf("no result:\n%s", &out)
	}
	// Other tests mount meanwhile: what this process's lab made carries its name.
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	if own := fmt.Sprintf("dl-%d-", os.Getpid()); bytes.Contains(mounts, []byte(own)) {
		t.Errorf("mounts of the demo are left:\n%s", mounts)
	}
}

// A claim that does not hold fails the demo: here rows are never written.
func TestFalseClaim(t *testing.T) {
	needDemo(t)
	bin := programs(t)
	if err := os.Rename(filepath.Join(bin, "dictctl"), filepath.Join(bin, "real")); err != nil {
		t.Fatal(err)
	}
	forgetful := "#!/bin/sh\n[ \"$1\" = set ] || exec " + filepath.Join(bin, "real") + " \"$@\"\n"
	if err := os.WriteFile(filepath.Join(bin, "dictctl"), []byte(forgetful), 0o755); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"--bin", bin}, &out, &errs); code != exitFailed {
		t.Errorf("exit %d\n%s", code, &errs)
	}
	for _, want := range []string{
		"   FAIL alice got ",
		"   FAIL the client is let go",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output lacks %q:\n%s\n%s", want, &out, &errs)
		}
	}
}

// A demo that is interrupted in the middle cleans up and says so.
func TestInterrupted(t *testing.T) {
	needDemo(t)
	bin := programs(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var errs bytes.Buffer
	out := &trigger{on: "3. ", do: cancel}
	if code := run(ctx, []string{"--bin", bin}, out, &errs); code != exitInterrupted {
		t.Errorf("exit %d\n%s\n%s", code, &errs, &out.text)
	}
	if _, rest, _ := strings.Cut(out.text.String(), out.on); strings.Count(rest, "\n") > 1 {
		t.Errorf("it goes on after the interrupt:\n%s", rest)
	}
	if !strings.Contains(errs.String(), "cleaned up") {
		t.Errorf("error output: %s", &errs)
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "dl-"+strconv.Itoa(os.Getpid())+"-*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// trigger does something when a text is written.
type trigger struct {
	text bytes.Buffer
	on   string
	do   func()
}

func (w *trigger) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(w.on)) {
		w.do()
	}
	return w.text.Write(p)
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{
		{"--no-such-option"},
		{"word"},
		{"--backend", "paper"},
		{"--bin", "/nonexistent"},
	} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), args, &out, &errs); code != exitUsage || errs.Len() == 0 || out.Len() > 0 {
			t.Errorf("%v: exit %d, output %q, errors %q", args, code, &out, &errs)
		}
	}
}

func TestClaims(t *testing.T) {
	var out bytes.Buffer
	s := newShow(t.Context(), &out)
	s.claim(true, "one is %d", 1)
	s.claim(false, "one is %d", 2)
	s.output("a\nb\nc\n"+strings.Repeat("x", 2*maxLine), 2)
	s.end(1500 * time.Millisecond)
	want := `   ok   one is 1
   FAIL one is 2
     a
     b
     (2 more lines)

1 of 2 claims FAILED (1.5 s; the namespaces are gone)
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s.failed != 1 {
		t.Errorf("%d failed claims, want 1", s.failed)
	}
}

func TestWrap(t *testing.T) {
	word := strings.Repeat("x", maxLine)
	for _, c := range []struct {
		line string
		want []string
	}{
		{"", []string{""}},
		{word, []string{word}},
		{word + "yz", []string{word, "    yz"}},
		{word[:100] + " " + word[:50] + " b", []string{word[:100], "    " + word[:50] + " b"}},
	} {
		if diff := cmp.Diff(c.want, wrap(c.line)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.line, diff)
		}
	}
}

func FuzzWrap(f *testing.F) {
	f.Add(strings.Repeat(" ", 300))
	f.Fuzz(func(t *testing.T, line string) {
		for _, part := range wrap(line) {
			if n := len([]rune(part)); n > maxLine {
				t.Errorf("%q: a part of %d", line, n)
			}
		}
	})
}

func TestParseConnections(t *testing.T) {
	const text = `tcp      6 431999 ESTABLISHED src=192.168.77.2 dst=198.51.100.10 sport=40000 dport=443 src=198.51.100.10 dst=192.168.77.2 sport=443 dport=40000 [ASSURED] mark=0 use=1 id=4294967295
udp      17 29 src=fd77::2 dst=2001:db8::53 sport=5353 dport=53 [UNREPLIED] src=2001:db8::53 dst=fd77::2 sport=53 dport=5353 mark=0 use=1 id=7
icmp     1 29 src=192.168.77.2 dst=192.0.2.2 type=8 code=0 id=2 src=192.0.2.2 dst=192.168.77.2 type=0 code=0 id=2 use=1 id=9
conntrack v1.4.7 (conntrack-tools): 3 flow entries have been shown.
`
	want := []connection{
		{4294967295, "tcp", netip.MustParseAddrPort("192.168.77.2:40000"), netip.MustParseAddrPort("198.51.100.10:443"), "ESTABLISHED"},
		{7, "udp", netip.MustParseAddrPort("[fd77::2]:5353"), netip.MustParseAddrPort("[2001:db8::53]:53"), ""},
	}
	got := parseConnections(text)
	equal := cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(connection{}), equal); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzParseConnections(f *testing.F) {
	f.Add("tcp 6 1 NONE src=::1 dst=::1 sport=1 dport=2 src=::1 dst=::1 sport=2 dport=1 id=5")
	f.Fuzz(func(t *testing.T, text string) {
		for _, c := range parseConnections(text) {
			if !c.src.IsValid() || !c.dst.IsValid() || c.protocol == "" {
				t.Errorf("%q: %+v", text, c)
			}
		}
	})
}
