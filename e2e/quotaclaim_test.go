// SPDX-License-Identifier: MIT

package e2e

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"nftdict/internal/lab"
)

// Whose budget pays for an address that somebody else claims.
//
//	client (claims) -- lan0 -+
//	victim's neighbour  ~~~~ | gateway: budgets of both devices
//	guest  (claims) -- lan1 -+
func TestQuotaClaimed(t *testing.T) {
	r := newQuotaRig(t, lab.Config{Guest: true})
	const victimMAC = "02:00:00:00:77:50"
	victim := netip.MustParseAddr("192.168.77.50")
	r.start(inside, fmt.Sprintf("[[plan]]\nname = \"gear\"\nfor = [\"device %s\", \"device %s\"]\nvolume = \"1MB\"\nperiod = \"none\"\n", victimMAC, lab.ClientMAC))
	neighbour := func(state string) {
		t.Helper()
		r.must("ip", "neigh", "replace", victim.String(), "lladdr", victimMAC, "dev", "lan0", "nud", state)
	}
	owner := func(mac string) {
		t.Helper()
		r.eventually("who has the victim's address", func() error {
			if got := r.field("hosts", victim.String(), "mac_address"); got != mac {
				return fmt.Errorf("it is %q, want %q", got, mac)
			}
			return nil
		})
	}
	run := func(ns *lab.Namespace, command string) error {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		out, err := ns.Command(ctx, "sh", "-c", command).CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%s: %w: %s", command, err, out)
		}
		return err
	}
	// pays returns how much of what is sent in the victim's name is forwarded, and what
	// that costs both.
	pays := func(ns *lab.Namespace) (sent, of, own int64) {
		t.Helper()
		of, own, sent = r.left("devices", victimMAC, "quota_remaining"), r.left("devices", lab.ClientMAC, "quota_remaining"), r.passed()
		if err := run(ns, "ping -n -q -w 1 -i 0.1 -s 972 -I 192.168.77.50 192.0.2.99 || true"); err != nil {
			t.Fatal(err)
		}
		return r.passed() - sent, of - r.left("devices", victimMAC, "quota_remaining"), own - r.left("devices", lab.ClientMAC, "quota_remaining")
	}
	neighbour("permanent")
	owner(victimMAC)
	r.known(lab.Client4, "mac_address", lab.ClientMAC)
	for _, ns := range []*lab.Namespace{r.Client, r.Guest} {
		if err := run(ns, "ip addr add 192.168.77.50/32 dev lo"); err != nil {
			t.Fatal(err)
		}
	}
	// From another link the kernel's check of the way back prevents it, where it is on.
	if sent, of, _ := pays(r.Guest); sent == 0 || of != sent {
		t.Errorf("another link, no check: the victim paid %d of %d: what is documented as possible is not", of, sent)
	}
	r.must("sysctl", "-qw", "net.ipv4.conf.lan1.rp_filter=1")
	if sent, of, _ := pays(r.Guest); sent != 0 || of != 0 {
		t.Errorf("another link, checked: %d bytes passed, the victim paid %d", sent, of)
	}
	// On its own link who forges a source spends the victim's budget.
	if sent, of, own := pays(r.Client); sent == 0 || of != sent || own != 0 {
		t.Errorf("the same link: the victim paid %d of %d, the other %d: what is documented as possible is not", of, sent, own)
	}
	// But gets no answers where the neighbour is permanent.
	if err := run(r.Client, "ping -n -q -c 1 -W 1 -I 192.168.77.50 192.0.2.2"); err == nil {
		t.Error("the same link: an answer came back")
	}
	owner(victimMAC)
	// Who takes the address over, answers and all, pays himself.
	r.must("ip", "neigh", "del", victim.String(), "dev", "lan0")
	r.known(victim, "mac_address", lab.ClientMAC)
	if sent, of, own := pays(r.Client); sent == 0 || of != 0 || own != sent {
		t.Errorf("taken over: the victim paid %d and the other %d, of %d", of, own, sent)
	}
}
