// SPDX-License-Identifier: MIT

package cli_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"nftdict/dictd/api"
	"nftdict/dictd/quota"
	"nftdict/internal/cli"
)

// budget is one of the fake daemon's.
func budget() quota.Budget {
	start := time.Date(2026, 5, 5, 2, 0, 0, 0, time.UTC)
	end := start.AddDate(0, 0, 1)
	return quota.Budget{Kind: "user", Name: "al ice", Plan: "daily", Unit: "bytes", Size: 20e6, Remaining: 5e6, Used: 15e6, Start: start, End: &end, Then: "block"}
}

func (d *fakeDaemon) Quotas(context.Context) ([]quota.Budget, error) {
	over := budget()
	over.Kind, over.Name, over.Plan, over.Unit, over.End = "group", "kids", "tv", "seconds", nil
	over.Size, over.Remaining, over.Used, over.Exceeded = 7200, -1, 7201, &over.Start
	return []quota.Budget{budget(), over}, nil
}

func (d *fakeDaemon) QuotasOf(_ context.Context, s api.Subject) ([]quota.Budget, error) {
	if s.Name != "al ice" {
		return nil, &api.Error{Status: 404, Text: "quota of user eve: does not exist", Remedy: "look at the plans"}
	}
	return []quota.Budget{budget()}, nil
}

func (d *fakeDaemon) QuotaHistory(_ context.Context, s api.Subject, plan string) ([]quota.Past, error) {
	b := budget()
	return []quota.Past{{Plan: plan, Unit: "bytes", Start: b.Start, End: *b.End, Size: 100, Used: 101, Exceeded: &b.Start}}, nil
}

func (d *fakeDaemon) TopUpQuota(_ context.Context, s api.Subject, a api.QuotaAmount) (quota.Budget, error) {
	d.asked = append(d.asked, fmt.Sprint("top-up ", s, a))
	return budget(), nil
}

func (d *fakeDaemon) SetQuota(_ context.Context, s api.Subject, a api.QuotaAmount) (quota.Budget, error) {
	d.asked = append(d.asked, fmt.Sprint("set ", s, a))
	return budget(), nil
}

func (d *fakeDaemon) UnsetQuota(_ context.Context, s api.Subject, plan string) (quota.Budget, error) {
	d.asked = append(d.asked, fmt.Sprint("unset ", s, plan))
	return budget(), nil
}

func (d *fakeDaemon) ResetQuota(_ context.Context, s api.Subject, plan string) (quota.Budget, error) {
	d.asked = append(d.asked, fmt.Sprint("reset ", s, plan))
	return budget(), nil
}

func TestQuota(t *testing.T) {
	for line, wants := range map[string][]string{
		"quota list":                       {"user al ice  daily  [###############.....]  75%  15 MB of 20 MB  until ", "group kids   tv     [####################] 100%  2h0m1s of 2h    -", "block\n"},
		"-j quota list":                    {`{"quotas":[{"kind":"user","name":"al ice","plan":"daily","unit":"bytes","size":20000000`},
		"quota show user al_ice":           {"15 MB of 20 MB"},
		"quota history user al_ice":        {"] 100%  101 B of 100 B  nothing left from "},
		"-j quota history user al_ice":     {`{"periods":[{"plan":"","unit":"bytes"`},
		"quota top-up user al_ice 5MB":     {"15 MB of 20 MB"},
		"-j quota set user al_ice plan":    {`"remaining":5000000`},
		"quota tc lan0 1mbit --mark 0x10":  {"tc filter replace dev lan0 parent 1: protocol all prio 1 handle 0x10 fw classid 1:20\n"},
		"-j quota tc lan0 1.5mbit":         {`"tc class replace dev lan0 parent 1: classid 1:20 htb rate 1.5mbit"`},
		"quota reset user al_ice":          {"daily"},
		"quota set group kids 3h --plan x": {"daily"},
	} {
		status, out, stderr := runWith(t, newFakeDaemon(), quotaWords(line)...)
		if status != cli.ExitDone || stderr != "" {
			t.Errorf("%s: exit status %d, %s", line, status, stderr)
		}
		for _, want := range wants {
			if !strings.Contains(out, want) {
				t.Errorf("%s: want %q in\n%s", line, want, out)
			}
		}
	}
	d := newFakeDaemon()
	for _, line := range []string{"quota top-up user al_ice 5MB --plan daily", "quota set group kids 3h", "quota set user al_ice plan --plan p", "quota reset host 10.0.0.1"} {
		if status, _, stderr := runWith(t, d, quotaWords(line)...); status != cli.ExitDone {
			t.Errorf("%s: exit status %d, %s", line, status, stderr)
		}
	}
	want := []string{"top-up {user al ice} {daily 5000000 bytes}", "set {group kids} { 10800 seconds}", "unset {user al ice}p", "reset {host 10.0.0.1}"}
	if !slices.Equal(d.asked, want) {
		t.Errorf("asked %q, want %q", d.asked, want)
	}
	for line, want := range map[string]string{
		"quota": "list, show", "quota lst": "want list, show", "quota show user": "NAME is missing", "quota top-up user a 5XB": "want one such as",
		"quota tc lan0;reboot 1mbit": "want the name of an interface", "quota tc lan0 fast": "want a rate", "quota tc lan0 1mbit;x": "want a rate", "quota tc -x 1mbit": "",
	} {
		if status, _, stderr := runWith(t, d, quotaWords(line)...); status != cli.ExitUsage || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit status %d, %s", line, status, stderr)
		}
	}
	if status, _, stderr := runWith(t, d, "quota", "show", "user", "eve"); status != cli.ExitFailed || !strings.Contains(stderr, "look at the plans") {
		t.Errorf("exit status %d, %s", status, stderr)
	}
}

// quotaWords splits a command line; _ is a space within a word.
func quotaWords(line string) []string {
	words := strings.Fields(line)
	for i := range words {
		words[i] = strings.ReplaceAll(words[i], "_", " ")
	}
	return words
}
