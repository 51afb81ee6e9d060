// SPDX-License-Identifier: MIT

package cli_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"nftdict/dictd/api"
	"nftdict/dictd/offload"
	"nftdict/internal/cli"
)

func (d *fakeDaemon) Flows(_ context.Context, f api.FlowFilter) ([]api.Flow, error) {
	d.asked = append(d.asked, fmt.Sprintf("flows %+v", f))
	return []api.Flow{{
		Connection:  connection5(),
		Application: "NETFLIX", Username: "bob", State: api.FlowHardware, In: api.Traffic{Bytes: 3e9}, Out: api.Traffic{Bytes: 999}, Age: 90.7,
	}}, nil
}

func (d *fakeDaemon) Recall(_ context.Context, w offload.Whom) (int, error) {
	d.asked = append(d.asked, "recall "+w.String())
	return 2, nil
}

func TestFlows(t *testing.T) {
	for _, c := range []struct {
		line, asked, out string
		status           int
	}{
		{"flows", "flows {Application: Category: User: Host: State: Sort:bytes Limit:0}", "5  TCP  10.0.0.2:4000  [2001:db8::1]:443  NETFLIX  bob  hardware  in 3.0 GB  out 999 B  1m30s\n", 0},
		{"-j flows --state offloaded --user bob --limit 3", "flows {Application: Category: User:bob Host: State:offloaded Sort:bytes Limit:3}", `"state":"hardware"`, 0},
		{"recall app NETFLIX", "recall application NETFLIX", "2 recalled\n", 0},
		{"recall ct 0x10", "recall ct 16", "2 recalled\n", 0},
		{"recall host ::ffff:10.0.0.2", "recall host 10.0.0.2", "2 recalled\n", 0},
		{"recall device 02:00:00:00:77:0A", "recall device 02:00:00:00:77:0a", "2 recalled\n", 0},
		{"-j recall all", "recall all", `{"recalled":2}`, 0},
		{"set sessions 77 application NETFLIX", "recall ct 77", "", 0},
		{"set hosts 10.0.0.2 hostname tv", "", "", 0},
		{"delete sessions 77", "", "does not exist", cli.ExitFailed},
		{"recall user", "", "user: invalid: say which one", cli.ExitUsage},
		{"recall bogus x", "", `"bogus": want one of ct, host, user, device, group, app, category, all`, cli.ExitUsage},
		{"recall ct five", "", "conntrack -L -o id", cli.ExitUsage},
		{"recall planet mars", "", "want one of", cli.ExitUsage},
	} {
		d := newFakeDaemon()
		status, out, stderr := runWith(t, d, strings.Fields(c.line)...)
		if status != c.status || !strings.Contains(out+stderr, c.out) || strings.Join(d.asked, ";") != c.asked {
			t.Errorf("%s: exit status %d, asked %q\n%s%s", c.line, status, d.asked, out, stderr)
		}
	}
}
