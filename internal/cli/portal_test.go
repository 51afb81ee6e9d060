// SPDX-License-Identifier: MIT

package cli_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nftdict/dictd/api"
	"nftdict/dictd/portal"
	"nftdict/internal/cli"
)

var portalSince = time.Date(2026, 5, 6, 12, 0, 0, 0, time.Local)

func (d *fakeDaemon) ask(format string, args ...any) error {
	d.asked = append(d.asked, fmt.Sprintf(format, args...))
	return nil
}

func (d *fakeDaemon) Portal(context.Context) (api.Portal, error) {
	return api.Portal{Enabled: true, Ways: []string{"click", "voucher"}, Warnings: []string{"half of it"}, Stats: portal.Stats{Sessions: 2, Limit: 9}}, nil
}

func (d *fakeDaemon) PortalSessions(context.Context) ([]api.PortalSession, error) {
	left := int64(5e6)
	until := portalSince.Add(time.Hour)
	return []api.PortalSession{
		{ID: "b2", Way: "voucher", User: "voucher-7", MAC: "02:00:00:00:00:0b", Address: "fd00::b", Since: portalSince.Add(time.Minute), Left: &left, Moved: portal.Figures{BytesIn: 1000, BytesOut: 15e6}},
		{ID: "a1", Way: "click", User: "guest-02000000000a", MAC: "02:00:00:00:00:0a", Address: "10.0.0.1", Since: portalSince, Until: &until},
	}, nil
}

func (d *fakeDaemon) KickPortal(_ context.Context, id string) error { return d.ask("kick %s", id) }

func (d *fakeDaemon) PortalAccounts(context.Context) ([]api.PortalAccount, error) {
	return []api.PortalAccount{{Name: "al", Groups: []string{"staff"}, Devices: -1, Session: 3600}}, nil
}

func (d *fakeDaemon) SetPortalAccount(_ context.Context, name string, a api.PortalAccountBody) error {
	return d.ask("set %s %s %v %d %d", name, a.Password, a.Groups, a.Devices, a.Session)
}

func (d *fakeDaemon) RemovePortalAccount(_ context.Context, name string) error {
	return d.ask("remove %s", name)
}

func (d *fakeDaemon) PortalBatches(context.Context) ([]api.PortalBatch, error) {
	n := int64(2e9)
	return []api.PortalBatch{{Name: "may", Count: 2, Time: 7 * 24 * 3600, Bytes: &n, Devices: 2}}, nil
}

func (d *fakeDaemon) MakePortalVouchers(_ context.Context, b api.PortalBatch) (api.PortalMade, error) {
	made := api.PortalMade{PortalBatch: b, Vouchers: []portal.Coded{{Number: 7, Code: "INN-2346-789A-BCDEF"}, {Number: 8, Code: "INN-2346-789A-BCDEG"}}}
	bytes := int64(0)
	if b.Bytes != nil {
		bytes = *b.Bytes
	}
	return made, d.ask("make %s %d %d %d %d %s %v %v", b.Name, b.Count, b.Time, bytes, b.Devices, b.Prefix, b.Groups, b.Valid != nil)
}

func (d *fakeDaemon) PortalVouchers(_ context.Context, batch string) ([]api.PortalVoucher, error) {
	return []api.PortalVoucher{{Number: 7, Batch: batch, State: "used", First: &portalSince, Devices: 1}}, nil
}

func (d *fakeDaemon) RevokePortalVoucher(_ context.Context, number uint64) error {
	return d.ask("revoke number %d", number)
}

func (d *fakeDaemon) RevokePortalBatch(_ context.Context, name string) error {
	return d.ask("revoke %s", name)
}

func (d *fakeDaemon) RemovePortalBatch(_ context.Context, name string) error {
	return d.ask("remove batch %s", name)
}

func TestPortal(t *testing.T) {
	at := portalSince.Format("2006-01-02 15:04:05")
	for _, c := range []struct {
		line  string
		want  []string // in what is printed
		asked []string
	}{
		{"portal status", []string{"ways      click voucher\n", "sessions  2 of at most 9\n", "warning   half of it\n"}, nil},
		{"-j portal status", []string{`"enabled":true`, `"ways":["click","voucher"]`, `"too_fast":0`}, nil},
		{"portal sessions", []string{"a1  click    guest-02000000000a  02:00:00:00:00:0a  10.0.0.1  " + at, "15 MB  5 MB left\n"}, nil},
		{"-j portal sessions", []string{`{"sessions":[{"id":"a1"`}, nil},
		{"portal kick 10.0.0.1 voucher-7 02:00:00:00:00:0B b2", []string{"a1 guest-02000000000a 02:00:00:00:00:0a\n"}, []string{"kick a1", "kick b2"}},
		{"portal account list", []string{"al  staff  unlimited  1h0m0s  -\n"}, nil},
		{"portal account add bo --group a,b --devices 2 --session 7d", []string{"bo\n"}, []string{"set bo sesame [a b] 2 604800"}},
		{"portal account password al", []string{"al\n"}, []string{"set al sesame [staff] -1 3600"}},
		{"portal account remove al bo", []string{"al\nbo\n"}, []string{"remove al", "remove bo"}},
		{"portal voucher create may --count 2 --time 24h --volume 20MB --devices 1 --prefix INN --group guests --valid-until 2099-12-31", []string{"7 INN-2346-789A-BCDEF\n8 INN-"}, []string{"make may 2 86400 20000000 1 INN [guests] true"}},
		{"portal voucher create may", []string{"7 INN"}, []string{"make may 1 0 0 0  [] false"}},
		{"-j portal voucher create may", []string{`"vouchers":[{"number":7,"code":"INN-2346-789A-BCDEF"}`}, []string{"make may 1 0 0 0  [] false"}},
		{"portal voucher list", []string{"may  2  7d  2 GB  2  -\n"}, nil},
		{"portal voucher list may", []string{"7  used  " + at + "  -  -  1\n"}, nil},
		{"portal voucher revoke 7 may", []string{"7\nmay\n"}, []string{"revoke number 7", "revoke may"}},
		{"portal voucher remove may", []string{"may\n"}, []string{"remove batch may"}},
	} {
		d := newFakeDaemon()
		status, out, stderr := runWithInput(t, d, "sesame\nand more\n", strings.Fields(c.line)...)
		if status != cli.ExitDone || stderr != "" || !slices.Equal(d.asked, c.asked) {
			t.Errorf("%s: exit status %d, asked %q, %s", c.line, status, d.asked, stderr)
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
	for line, want := range map[string]string{
		"portal": "status, sessions, kick, account or voucher is missing", "portal voucher x": `"x": want create, list`,
		"portal kick": "WHO is missing", "portal account add bo": "a password is missing",
		"portal voucher create may --time soon": "want one such as 30m", "portal voucher create may --volume 2h": "want one such as 20MB",
		"portal voucher create may --as pdf": "want text, csv or html", "portal voucher create may --valid-until never": "want one such as 2030-12-31",
	} {
		if status, _, stderr := runWithInput(t, newFakeDaemon(), "", strings.Fields(line)...); status != cli.ExitUsage || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit status %d, %s", line, status, stderr)
		}
	}
	if status, _, stderr := runWithInput(t, newFakeDaemon(), "", "portal", "kick", "nobody"); status != cli.ExitFailed || !strings.Contains(stderr, "does not exist") {
		t.Errorf("exit status %d, %s", status, stderr)
	}
}

// What was made is printed as a page and as a table, and nothing in it is more than text.
func TestVoucherPages(t *testing.T) {
	const batch = "=SUM(1)<script>"
	_, out, _ := runWithInput(t, newFakeDaemon(), "", "-j", "portal", "voucher", "create", batch, "--time", "7d")
	path := filepath.Join(t.TempDir(), "made.json")
	if err := os.WriteFile(path, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	status, page, stderr := runWithInput(t, newFakeDaemon(), "", "portal", "voucher", "print", path, "--title", "Inn & <b>Sons", "--thermal")
	if status != cli.ExitDone || strings.Contains(page, "<script>") || strings.Contains(page, "<b>") || !strings.Contains(page, "<code>INN-2346-789A-BCDEG</code>") || !strings.Contains(page, "80mm") || !strings.Contains(page, "7d from the first use") {
		t.Errorf("exit status %d, %s\n%s", status, stderr, page)
	}
	_, again, _ := runWithInput(t, newFakeDaemon(), out, "portal", "voucher", "print", "-")
	if !strings.Contains(again, "size: A4") || strings.Contains(again, "80mm") {
		t.Errorf("for A4:\n%s", again)
	}
	_, table, _ := runWithInput(t, newFakeDaemon(), out, "portal", "voucher", "csv", "-")
	rows, err := csv.NewReader(bytes.NewBufferString(table)).ReadAll()
	if err != nil || len(rows) != 3 || rows[1][1] != "INN-2346-789A-BCDEF" || rows[1][2] != "'"+batch || rows[1][3] != "604800" {
		t.Errorf("%v, %v", rows, err)
	}
	if status, _, stderr := runWithInput(t, newFakeDaemon(), "{}", "portal", "voucher", "csv", "-"); status != cli.ExitFailed || !strings.Contains(stderr, "create printed") {
		t.Errorf("exit status %d, %s", status, stderr)
	}
}
