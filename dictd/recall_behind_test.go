// SPDX-License-Identifier: MIT

package dictd

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/nftables"

	"nftdict/dict"
	"nftdict/dictd/config"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
	"nftdict/nftext/rule"
)

// A network behind a router that is known as a host, of whose addresses nothing is known:
//
//	10.9.0.5 ---- client (the router) ---- lan0 gateway (dictd, inet dictd_offload) wan0 ---- internet
//
// What rules find by the router's row, which the frame names, holds for that network, too.
func TestRecallBehindDevice(t *testing.T) {
	offloadedBy(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		const behind = "10.9.0.5"
		d := startOn(t, l.Gateway, on, func(c *config.Config) { c.Offload.Enable = true })
		site, _ := l.Site("example.org")
		newTalker(t, l, site, 7777)
		run(t, l.Client, "ip", "address", "add", behind+"/32", "dev", "lo")
		run(t, l.Gateway, "ip", "route", "add", behind+"/32", "via", lab.Client4.String())
		b := rule.NewBatch(rule.Options{NetNS: l.Gateway.FD(), Schema: on.Store, Compiler: on.Compiler})
		defer b.Close()
		table := b.Conn().AddTable(&nftables.Table{Name: "house", Family: nftables.TableFamilyINet})
		forward := b.Conn().AddChain(&nftables.Chain{Name: "forward", Table: table, Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter})
		b.Add(forward, rule.New(rule.Dict("dict devices ether saddr no_offload true"), rule.Drop()))
		if err := b.Commit(); err != nil {
			t.Fatal(err)
		}
		device := mustKey(t, dict.KeyEther, lab.ClientMAC)
		own := datagramsFrom(t, l, d, lab.Client4, netip.AddrPortFrom(site.Addr4, 7777))
		other := datagramsFrom(t, l, d, netip.MustParseAddr(behind), netip.AddrPortFrom(site.Addr4, 7777))
		since := time.Now()
		eventually(t, "both stay in the flowtable, when all is written of the router", func() bool {
			_, err := on.Store.Get(dict.Devices, device)
			if mine, others := own.fast(), other.fast(); err != nil || !mine || !others {
				since = time.Now()
			}
			return time.Since(since) > 2*rowsEvery
		})
		if _, _, known := d.who.Party(netip.MustParseAddr(behind)); known {
			t.Fatal("what is behind the router is known")
		}
		begin := time.Now()
		mustPut(t, on.Store, dict.Devices, device, "no_offload", dict.BoolValue(true))
		eventually(t, "what is behind the router is dropped", func() bool { return !other.say() && !other.fast() && !other.say() })
		t.Logf("dropped %v after the row of the router was written, with the pauses of three datagrams", time.Since(begin))
		if own.fast() || own.say() {
			t.Error("the router itself goes on")
		}
	})
}
