// SPDX-License-Identifier: MIT

package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nftdict/classifier"
	"nftdict/dictd/api"
	"nftdict/internal/cli"
)

// fakeDaemon knows the sessions that it is given.
type fakeDaemon struct {
	sessions []api.Why
	filter   api.Filter
	asked    []string
}

func (d *fakeDaemon) Status(context.Context) (*api.Status, error) {
	return &api.Status{Version: "v1", PID: 7, Uptime: 90.4, Backend: "ebpf", Fail: "open", Warnings: []string{"events were lost\x1b"},
		Registers: []api.Register{
			{For: "countries", File: "/x/c.mmdb", Kind: "GeoLite2-Country", Date: time.Date(2026, 5, 6, 23, 0, 0, 0, time.UTC), Entries: 77},
			{For: "vendors", File: "/x/oui.csv", Date: time.Date(2025, 5, 6, 23, 0, 0, 0, time.UTC), Entries: 78},
		},
		Queues: []api.Queue{{Num: 3, Packets: 12, KernelDropped: 1, UserDropped: 2}}}, nil
}

func (d *fakeDaemon) Sessions(_ context.Context, f api.Filter) iter.Seq2[api.Session, error] {
	d.filter = f
	return func(yield func(api.Session, error) bool) {
		for _, s := range d.sessions {
			if !yield(s.Session, nil) {
				return
			}
		}
	}
}

func (d *fakeDaemon) Why(_ context.Context, id uint32) (*api.Why, error) {
	for _, s := range d.sessions {
		if s.CtID == id {
			return &s, nil
		}
	}
	return nil, &api.Error{Status: 404, Text: fmt.Sprintf("session %d: does not exist", id), Remedy: "look it up"}
}

// connection5 is the one with the id 5.
func connection5() api.Connection {
	return api.Connection{
		CtID: 5, IPProtocol: 6, Client: netip.MustParseAddr("10.0.0.2"), ClientPort: 4000, Server: netip.MustParseAddr("2001:db8::1"), ServerPort: 443,
	}
}

func newFakeDaemon() *fakeDaemon {
	return &fakeDaemon{sessions: []api.Why{
		{Session: api.Session{Connection: connection5(), Packets: 4, Finished: true,
			ClientCountry: "XL", ServerCountry: "NL",
			Application: "NETFLIX", Category: "streaming", Confidence: 90, Chain: "IP/TCP/TLS/NETFLIX", Detail: "www.netflix.com"},
			Evidence: []classifier.Evidence{
				{Rule: "dns/hint", Seen: "netflix.com", Confidence: 40},
				{Packet: 4, Rule: "tls/sni", Seen: "www.netflix.com", Confidence: 90},
			}},
		{Session: api.Session{Connection: api.Connection{CtID: 6, IPProtocol: 1, Client: netip.MustParseAddr("10.0.0.2"), Server: netip.MustParseAddr("10.0.0.3")}, Inferred: true, Application: "GOOGLE"}},
	}}
}

// runWith runs one command line against a daemon and a store in memory.
func runWith(t *testing.T, d cli.Daemon, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	return runWithInput(t, d, "", args...)
}

func runWithInput(t *testing.T, d cli.Daemon, input string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	m, err := newMem()
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	app := &cli.App{
		Stdin: strings.NewReader(input), Stdout: &out, Stderr: &errs,
		Open: func(string) (*cli.Backend, error) { return &cli.Backend{Kind: "mem", Store: kept{m}}, nil },
	}
	if d != nil {
		app.Daemon = func(string) cli.Daemon { return d }
	}
	status = app.Run(t.Context(), args)
	return status, out.String(), errs.String()
}

func TestStatus(t *testing.T) {
	status, out, stderr := runWith(t, newFakeDaemon(), "status")
	if status != cli.ExitDone || stderr != "" {
		t.Fatalf("exit status %d, %s", status, stderr)
	}
	for _, want := range []string{"v1, process 7, up 1m30s", "packets pass", "12 packets, 0 waiting, 3 dropped", "countries   /x/c.mmdb, GeoLite2-Country of 2026-05-06, 77 entries\n", "vendors     /x/oui.csv of 2025-05-06, 78 entries\n",
		"users     0     65536  0", "warning: events were lost\\u001b"} {
		if !strings.Contains(out, want) {
			t.Errorf("want %q in\n%s", want, out)
		}
	}
	if _, out, _ = runWith(t, newFakeDaemon(), "-j", "status"); !json.Valid([]byte(out)) || !strings.Contains(out, `"version":"v1"`) {
		t.Errorf("json: %s", out)
	}
}

func TestDaemonAbsent(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "none")
	for _, args := range [][]string{{"status"}, {"sessions"}, {"why", "5"}, {"-j", "status"}, {"-j", "sessions"}, {"-j", "why", "5"}} {
		args = append([]string{"--socket", socket}, args...)
		status, out, stderr := runWith(t, nil, args...)
		if status != cli.ExitFailed || !strings.Contains(stderr, "dictd is not running") || !strings.Contains(stderr, socket) || !strings.Contains(stderr, "start it") {
			t.Errorf("%v: exit status %d, %s", args, status, stderr)
		}
		if tells := strings.Contains(out, "sessions"); tells != (args[len(args)-1] == "status") {
			t.Errorf("%v: %s", args, out) // tables are told all the same, and nothing else is
		}
	}
}

func TestSessions(t *testing.T) {
	d := newFakeDaemon()
	status, out, stderr := runWith(t, d, "sessions", "--application", "NETFLIX", "--limit", "9")
	want := "5  TCP   10.0.0.2:4000  [2001:db8::1]:443  NETFLIX  streaming  90%  www.netflix.com\n" +
		"6  ICMP  10.0.0.2       10.0.0.3           GOOGLE?  -          -    -\n"
	if status != cli.ExitDone || out != want {
		t.Errorf("exit status %d, %s\n%s\nwant\n%s", status, stderr, out, want)
	}
	if d.filter != (api.Filter{Application: "NETFLIX", Limit: 9}) {
		t.Errorf("filter: %+v", d.filter)
	}
	var got struct{ Sessions []api.Session }
	if _, out, _ = runWith(t, d, "-j", "sessions"); json.Unmarshal([]byte(out), &got) != nil || len(got.Sessions) != 2 {
		t.Errorf("json: %s", out)
	}
	if _, out, _ = runWith(t, &fakeDaemon{}, "-j", "sessions"); !json.Valid([]byte(out)) {
		t.Errorf("json of none: %s", out)
	}
	if status, _, _ = runWith(t, d, "sessions", "--limit", "-1"); status != cli.ExitUsage {
		t.Errorf("limit -1: exit status %d", status)
	}
}

func TestWhy(t *testing.T) {
	status, out, stderr := runWith(t, newFakeDaemon(), "why", "5")
	want := "5  TCP  10.0.0.2:4000  [2001:db8::1]:443  NETFLIX  streaming  90%  www.netflix.com\n" +
		"  IP/TCP/TLS/NETFLIX, 4 packets seen, inspection finished\n" +
		"  from XL to NL\n" +
		"    before: dns/hint netflix.com (40%)\n" +
		"    packet 4: tls/sni www.netflix.com (90%)\n"
	if status != cli.ExitDone || out != want {
		t.Errorf("exit status %d, %s\n%s\nwant\n%s", status, stderr, out, want)
	}
	if status, _, stderr = runWith(t, newFakeDaemon(), "why", "7"); status != cli.ExitFailed || stderr != "dictctl: session 7: does not exist\nremedy: look it up\n" {
		t.Errorf("exit status %d, %s", status, stderr)
	}
	if status, _, stderr = runWith(t, newFakeDaemon(), "why", "x"); status != cli.ExitUsage {
		t.Errorf("exit status %d, %s", status, stderr)
	}
	if _, out, _ = runWith(t, newFakeDaemon(), "-j", "why", "0x5"); !json.Valid([]byte(out)) || !strings.Contains(out, `"rule":"tls/sni"`) {
		t.Errorf("json: %s", out)
	}
}
