// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"nftdict/internal/lab"
)

// The portal's pages come and go with the program, however it ends, and their process
// has none of its rights. A theme is read again at a reload, whether the
// configuration has changed or not; one that is broken changes nothing.
func TestPortalPages(t *testing.T) {
	p := newPlace(t)
	theme := t.TempDir()
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(theme, "terms.html"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put(`{{define "title"}}Rules{{end}}{{define "main"}}<p>No smoking.</p>{{end}}`)
	p.configure("[portal]", "enable = true", `interfaces = ["lan0"]`, fmt.Sprintf("theme = %q", theme))
	d := p.start()
	terms := func(want string) {
		t.Helper()
		p.eventually("a page with "+want, func() bool {
			for _, gateway := range []string{lab.GatewayLAN4.String(), "[" + lab.GatewayLAN6.String() + "]"} {
				page, err := p.Client.Command(t.Context(), "curl", "-sS", "--max-time", "20", "--noproxy", "*", "http://"+gateway+":8880/terms").Output()
				if err != nil || !strings.Contains(string(page), want) {
					return false
				}
			}
			return true
		}, d)
	}
	terms("No smoking.")
	for _, broken := range []string{"", "{{.Nothing"} {
		put(`{{define "title"}}Rules{{end}}{{define "main"}}<p>No dogs.</p>{{end}}` + broken)
		if err := d.cmd.Process.Signal(unix.SIGHUP); err != nil {
			t.Fatal(err)
		}
		if broken != "" {
			p.eventually("a complaint", func() bool { return strings.Contains(d.log.String(), "terms.html:1:") }, d)
		}
		terms("No dogs.")
	}
	pages := p.pagesOf(d)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pages))
	if err != nil || !strings.Contains(string(status), "CapEff:\t0000000000000000\n") || !strings.Contains(string(status), "Uid:\t65534\t65534\t65534\t65534\n") {
		t.Errorf("%v\n%s", err, status)
	}
	if err := d.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = d.cmd.Wait() // says that it was killed
	p.eventually("the end of the pages", func() bool { return unix.Kill(pages, 0) == unix.ESRCH }, d)
	put(`{{define "title"}}Rules{{end}}{{define "main"}}<p>No cats.</p>{{end}}`)
	d = p.start()
	terms("No cats.")
	pages = p.pagesOf(d)
	if err := d.cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, d.log.String())
	}
	if err := unix.Kill(pages, 0); err != unix.ESRCH {
		t.Errorf("the pages are there: %v", err)
	}
	if out, err := p.once("-config", p.conf, "-remove"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// pagesOf finds the process with the pages.
func (p *place) pagesOf(d *daemon) int {
	p.t.Helper()
	children, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		p.t.Fatal(err)
	}
	for _, name := range children {
		stat, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(fields) > 1 && fields[1] == strconv.Itoa(d.cmd.Process.Pid) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			if err != nil {
				p.t.Fatal(err)
			}
			return pid
		}
	}
	p.t.Fatalf("no process with pages\n%s", d.log.String())
	return 0
}
