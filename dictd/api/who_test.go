// SPDX-License-Identifier: MIT

package api

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nftdict/dictd/identity"
)

func TestUsersAndDevices(t *testing.T) {
	c, ctx := NewClient(serve(t, 0)), t.Context()
	hosts, err := c.Hosts(ctx)
	if err != nil || len(hosts) != 1 || hosts[0].MAC != "02:00:00:00:00:09" || hosts[0].Interface != "lan0" {
		t.Errorf("hosts %+v, %v", hosts, err)
	}
	if err := c.SetUser(ctx, "al/o *", []string{"staff", "a b"}); err != nil {
		t.Error(err)
	}
	for _, device := range []string{"10.0.0.9", "02:00:00:00:00:09"} {
		if b, err := c.Bind(ctx, device, "al/o *"); err != nil || b.MAC != "02:00:00:00:00:09" {
			t.Errorf("bind %s: %+v, %v", device, b, err)
		}
	}
	users, err := c.Users(ctx)
	if diff := cmp.Diff([]identity.User{{Name: "al/o *", Groups: []string{"a b", "staff"}, Devices: []string{"02:00:00:00:00:09"}}}, users); diff != "" || err != nil {
		t.Errorf("users (-want +got): %v\n%s", err, diff)
	}
	devices, err := c.Devices(ctx)
	if err != nil || len(devices) != 1 || devices[0].Username != "al/o *" || len(devices[0].Addresses) != 1 {
		t.Errorf("devices %+v, %v", devices, err)
	}
	if _, err := c.Unbind(ctx, "10.0.0.9"); err != nil {
		t.Error(err)
	}
	if err := c.DeleteUser(ctx, "al/o *"); err != nil {
		t.Error(err)
	}
	for what, f := range map[string]func() error{
		"404 user \"al\": does not exist": func() error { return c.DeleteUser(ctx, "al") },
		"404 device at 10.0.0.8":          func() error { _, err := c.Bind(ctx, "10.0.0.8", "al"); return err },
		"404 user of device 02:00:00":     func() error { _, err := c.Unbind(ctx, "02:00:00:00:00:09"); return err },
		"400 device \"toaster\"":          func() error { _, err := c.Bind(ctx, "toaster", "al"); return err },
		"400 user \"\"":                   func() error { _, err := c.Bind(ctx, "10.0.0.9", ""); return err },
		"400 usergroups: missing": func() error {
			return c.do(ctx, "PUT", "/v1/users/al", nil, struct{}{}, decodeInto(&struct{}{}))
		},
		"400 user \" al\"":                  func() error { return c.SetUser(ctx, " al", nil) },
		"400 group":                         func() error { return c.SetUser(ctx, "al", []string{"a,b"}) },
		"413 body: longer than 65536 bytes": func() error { return c.SetUser(ctx, "al", []string{strings.Repeat("x", maxBody)}) },
	} {
		err := f()
		var refused *Error
		if !errors.As(err, &refused) || !strings.HasPrefix(fmt.Sprint(refused.Status, " ", refused.Text), what) {
			t.Errorf("got %v, want %s", err, what)
		}
	}
}
