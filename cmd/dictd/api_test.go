// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"golang.org/x/sys/unix"

	"nftdict/dictd/api"
	"nftdict/internal/lab"
	"nftdict/internal/need"
)

// TestAPI follows a running daemon, does what docs/api.md shows, and holds what the
// daemon answers against its own description.
func TestAPI(t *testing.T) {
	p := newPlace(t)
	p.configure()
	d := p.start()
	if err := p.fetch(patience); err != nil {
		t.Error(err)
	}
	c := api.NewClient(p.socket)
	p.eventually("the client is known", func() bool {
		devices, err := c.Devices(t.Context())
		return err == nil && len(devices) > 0
	}, d)
	p.manual()
	p.described()

	p.configure("[api]", `read = ["user:no-such-user"]`)
	if out, err := p.once("-check", "-config", p.conf); err == nil || !strings.Contains(out, `api.read "user:no-such-user"`) {
		t.Errorf("-check: %v: %s", err, out)
	}
	p.reload(d)
	p.eventually("it is refused", func() bool { return slices.Contains(p.kinds(), "config-refused") }, d)
	if fi, err := os.Stat(p.socket); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("socket %v, %v", fi.Mode(), err)
	}
	p.configure("[api]", `read = ["group:12345"]`)
	p.reload(d)
	p.eventually("it is taken", func() bool { return slices.Contains(p.kinds(), "config-reloaded") }, d)
	if fi, err := os.Stat(p.socket); err != nil || fi.Mode().Perm() != 0o666 {
		t.Errorf("socket %v, %v", fi.Mode(), err)
	}
	// Those of sessions are kept once there is a reader. The quotas are one of others, and
	// what takes connections back out of flowtables is.
	const own = 2
	p.eventually("readers from before are gone", func() bool { return p.status().Events.Readers == own }, d)
	told := make(chan []api.Event, 1)
	go func() { told <- p.events([]string{"session-*"}, "", 2) }()
	p.eventually("the reader is there", func() bool { return p.status().Events.Readers == own+1 }, d)
	if err := p.fetch(patience); err != nil {
		t.Error(err)
	}
	events := <-told
	if len(events) == 0 || !slices.ContainsFunc(events, func(e api.Event) bool { return e.Kind == "session-final" }) {
		t.Errorf("events of sessions: %+v", events)
	}

	before := p.events(nil, "0", 1)
	if len(before) != 1 || before[0].Kind != "daemon-start" && before[0].Kind != "host-new" {
		t.Fatalf("first: %+v", before)
	}
	if err := d.cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, d.log.String())
	}
	d = p.start()
	if again := p.events(nil, before[0].ID, 1); len(again) != 1 || again[0].Kind != "reset" {
		t.Errorf("an id of the daemon before: %+v", again)
	}
	if err := d.cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func (p *place) reload(d *daemon) {
	p.t.Helper()
	if err := d.cmd.Process.Signal(unix.SIGHUP); err != nil {
		p.t.Fatal(err)
	}
}

// events reads n events, or what comes within a time.
func (p *place) events(kinds []string, after string, n int) (events []api.Event) {
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	for e, err := range api.NewClient(p.socket).Events(ctx, api.EventFilter{Kinds: kinds, After: after}) {
		if err != nil {
			return events
		}
		if events = append(events, e); len(events) == n {
			return events
		}
	}
	return events
}

// kinds returns the kinds of all events that are kept.
func (p *place) kinds() (kinds []string) {
	for _, e := range p.events(nil, "0", p.status().Events.Kept) {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// manual runs the commands that docs/api.md shows.
func (p *place) manual() {
	p.t.Helper()
	need.Program(p.t, "curl")
	page, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		p.t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(page)) {
		command, ok := strings.CutPrefix(line, "    curl ")
		if !ok {
			continue
		}
		n++
		command = strings.NewReplacer("/run/dictd.sock", p.socket, "192.168.1.20", lab.Client4.String(), " -N ", " -N -m 1 ").Replace("curl -sS --fail-with-body " + command)
		out, err := p.Gateway.Command(p.t.Context(), "sh", "-c", command).CombinedOutput()
		stream := strings.Contains(command, "/v1/events") // which lasts until it is ended
		if err != nil && !stream || stream && !strings.HasPrefix(string(out), "id: ") {
			p.t.Errorf("%s: %v: %s", command, err, out)
		}
	}
	if n < 5 {
		p.t.Errorf("%d commands found", n)
	}
}

// described holds the answers of all GETs without a place in their path against the
// daemon's own document.
func (p *place) described() {
	p.t.Helper()
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", p.socket)
		},
	}}
	defer client.CloseIdleConnections()
	get := func(path string) (*http.Request, *http.Response, []byte) {
		req, err := http.NewRequest(http.MethodGet, "http://dictd"+path, nil)
		if err != nil {
			p.t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			p.t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			p.t.Fatal(err)
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
		return req, resp, body
	}
	_, _, text := get("/v1/openapi.json")
	doc, err := libopenapi.NewDocument(text)
	if err != nil {
		p.t.Fatal(err)
	}
	v, errs := validator.NewValidator(doc)
	if len(errs) > 0 {
		p.t.Fatal(errs)
	}
	var paths struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(text, &paths); err != nil {
		p.t.Fatal(err)
	}
	for path, methods := range paths.Paths {
		if methods["get"] == nil || strings.Contains(path, "{") || path == "/v1/events" {
			continue
		}
		req, resp, body := get(path)
		if resp.StatusCode != http.StatusOK {
			p.t.Errorf("%s: %s: %s", path, resp.Status, body)
			continue
		}
		if ok, errs := v.ValidateHttpResponse(req, resp); !ok {
			p.t.Errorf("%s: %s", path, errs[0].Reason)
			for _, why := range errs[0].SchemaValidationErrors {
				p.t.Errorf("  %s at %s", why.Reason, filepath.Base(why.Location))
			}
		}
	}
}
