// SPDX-License-Identifier: MIT

package fakenic

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	got, err := parse(`accepted 2 refused 1 destroyed 3 asked 4
packets 5 bytes 600 left 7 untold 8
device lan0 rules 1
rule lan0 tcp 192.168.77.2 40000 192.0.2.2 443 out wan0 packets 3 bytes 400 told 300
device wan0 rules 1
rule wan0 udp 2001:db8::2 53 fd77::2 40001 out - packets 2 bytes 200 told 0
`)
	if err != nil {
		t.Fatal(err)
	}
	want := State{
		Accepted: 2, Refused: 1, Destroyed: 3, Asked: 4, Packets: 5, Bytes: 600, Left: 7, Untold: 8, Devices: []string{"lan0", "wan0"},
		Rules: []Rule{
			{"lan0", "wan0", "tcp", netip.MustParseAddrPort("192.168.77.2:40000"), netip.MustParseAddrPort("192.0.2.2:443"), 3, 400, 300},
			{"wan0", "-", "udp", netip.MustParseAddrPort("[2001:db8::2]:53"), netip.MustParseAddrPort("[fd77::2]:40001"), 2, 200, 0},
		},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, bad := range []string{"x\n", "accepted a refused 1 destroyed 3 asked 4\n", "\n"} {
		if _, err := parse(bad); err == nil {
			t.Errorf("%q is parsed", bad)
		}
	}
}
