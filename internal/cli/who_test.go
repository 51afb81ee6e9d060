// SPDX-License-Identifier: MIT

package cli_test

import (
	"context"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"nftdict/dictd/api"
	"nftdict/dictd/identity"
	"nftdict/internal/cli"
)

func (d *fakeDaemon) Hosts(context.Context) ([]identity.Host, error) {
	return []identity.Host{{Address: netip.MustParseAddr("fe80::9"), MAC: "02:00:00:00:00:09", Interface: "lan0", Hostname: "laptop", Profile: "tv", Username: "bob", Vendor: "Nine", Seen: time.Now()}}, nil
}

func (d *fakeDaemon) HostWhy(ctx context.Context, addr netip.Addr) (*identity.Why, error) {
	all, err := d.Hosts(ctx)
	return &identity.Why{
		Host: all[0], Names: []identity.Name{{Name: "laptop", Source: "DHCP"}}, Bound: "al",
		Clues:  []identity.Clue{{From: "http_user_agent", Text: "SmartTV", Profile: "tv", Weight: 80}, {From: "hostname", Text: "laptop"}},
		Logins: []identity.Usage{{User: "bob", Groups: []string{"staff"}, By: "ap", Until: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}},
	}, err
}

func (d *fakeDaemon) Devices(context.Context) ([]identity.Device, error) {
	return []identity.Device{
		{MAC: "02:00:00:00:00:09", Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.9"), netip.MustParseAddr("fe80::9")}},
		{MAC: "02:00:00:00:00:0a", Username: "bob", Addresses: []netip.Addr{}},
	}, nil
}

func (d *fakeDaemon) Users(context.Context) ([]identity.User, error) {
	return []identity.User{{Name: "bob", Groups: []string{"sales", "staff"}, Devices: []string{"02:00:00:00:00:0a"}}}, nil
}

func (d *fakeDaemon) SetUser(_ context.Context, name string, groups []string) error {
	d.asked = append(d.asked, "set "+name+" "+strings.Join(groups, " "))
	return nil
}

func (d *fakeDaemon) DeleteUser(_ context.Context, name string) error {
	return &api.Error{Status: 404, Text: "user: does not exist", Remedy: "look him up"}
}

func (d *fakeDaemon) Bind(_ context.Context, device, name string) (api.Bound, error) {
	d.asked = append(d.asked, "bind "+device+" "+name)
	return api.Bound{MAC: "02:00:00:00:00:09"}, nil
}

func (d *fakeDaemon) Unbind(_ context.Context, device string) (api.Bound, error) {
	d.asked = append(d.asked, "unbind "+device)
	return api.Bound{MAC: "02:00:00:00:00:09"}, nil
}

func TestWho(t *testing.T) {
	for _, c := range []struct {
		line string
		want []string
	}{
		{"hosts", []string{"fe80::9  02:00:00:00:00:09  lan0  laptop  tv  bob  Nine  0s\n"}},
		{"devices", []string{"02:00:00:00:00:09  -  -  -  -    -  -  10.0.0.9 fe80::9\n", "02:00:00:00:00:0a  -  -  -  bob  -  -  -\n"}},
		{"hosts why fe80::9", []string{"name     laptop\n", " laptop  DHCP\n", "kind     tv\n", " tv 80  http_user_agent  SmartTV\n", " -      hostname         laptop\n", "user     bob\n", " bob  logged in by ap  until 2030-01-01T00:00:00Z  staff\n", " al   bound\n"}},
		{"-j hosts why fe80::9", []string{`"names":[{"name":"laptop","source":"DHCP"}]`, `"clues":[{"from":"http_user_agent","text":"SmartTV","profile":"tv","weight":80}`}},
		{"users", []string{"bob  sales,staff  02:00:00:00:00:0a\n"}},
		{"user list", []string{"bob  sales,staff"}},
		{"-j hosts", []string{`{"hosts":[{"address":"fe80::9","mac_address":"02:00:00:00:00:09"`}},
		{"-j devices", []string{`"addresses":["10.0.0.9","fe80::9"]`}},
		{"-j user list", []string{`{"users":[{"username":"bob","usergroups":["sales","staff"]`}},
		{"user bind bob 10.0.0.9", []string{"02:00:00:00:00:09 bob\n"}},
		{"-j user groups bob staff sales", []string{`{"usergroups":["staff","sales"],"username":"bob"}`}},
		{"user groups bob", []string{"bob -\n"}},
		{"-j user unbind 10.0.0.9", []string{`{"mac_address":"02:00:00:00:00:09"}`}},
	} {
		status, out, stderr := runWith(t, newFakeDaemon(), strings.Fields(c.line)...)
		if status != cli.ExitDone || stderr != "" {
			t.Errorf("%s: exit status %d, %s", c.line, status, stderr)
		}
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: want %q in\n%s", c.line, want, out)
			}
		}
		if strings.HasPrefix(c.line, "-j") && !json.Valid([]byte(out)) {
			t.Errorf("%s: %s", c.line, out)
		}
	}
	d := newFakeDaemon()
	for _, line := range []string{"user groups bob staff sales", "user groups bob", "user bind bob 10.0.0.9 fe80::9"} {
		if status, _, stderr := runWith(t, d, strings.Fields(line)...); status != cli.ExitDone {
			t.Errorf("%s: exit status %d, %s", line, status, stderr)
		}
	}
	if want := []string{"set bob staff sales", "set bob ", "bind 10.0.0.9 bob", "bind fe80::9 bob"}; !slices.Equal(d.asked, want) {
		t.Errorf("asked %q, want %q", d.asked, want)
	}
	for line, want := range map[string]string{"user": "list is missing", "user bnd": "want bind, unbind", "user bind bob": "DEVICE is missing", "hosts x": "one word too many", "hosts why": "ADDRESS is missing", "hosts why tv": `address "tv": invalid`} {
		if status, _, stderr := runWith(t, d, strings.Fields(line)...); status != cli.ExitUsage || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit status %d, %s", line, status, stderr)
		}
	}
	if status, _, stderr := runWith(t, d, "user", "delete", "al"); status != cli.ExitFailed || !strings.Contains(stderr, "look him up") {
		t.Errorf("exit status %d, %s", status, stderr)
	}
}
