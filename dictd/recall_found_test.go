// SPDX-License-Identifier: MIT

package dictd

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dictd/config"
	"nftdict/dictd/conntrack"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
)

// datagrams are a connection of UDP to a server that answers each.
type datagrams struct {
	*testing.T
	d    *running
	conn net.Conn
}

// datagramsFrom opens one from an address of the client.
func datagramsFrom(t *testing.T, l *lab.Lab, d *running, from netip.Addr, to netip.AddrPort) *datagrams {
	t.Helper()
	u := &datagrams{T: t, d: d}
	if err := l.Client.Do(func() (err error) {
		u.conn, err = net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0)), net.UDPAddrFromAddrPort(to))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.conn.Close() })
	return u
}

// say sends a datagram, and reports whether it is answered.
func (u *datagrams) say() bool {
	u.Helper()
	_ = u.conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := u.conn.Write([]byte("hello")); err != nil {
		u.Fatal(err)
	}
	_, err := u.conn.Read(make([]byte, 100))
	return err == nil
}

// fast says something, and reports whether the connection is in the flowtable then.
func (u *datagrams) fast() bool {
	u.Helper()
	u.say()
	f, err := u.d.account.kernel.Lookup(conntrack.NewTuple(17, u.conn.LocalAddr().(*net.UDPAddr).AddrPort(), u.conn.RemoteAddr().(*net.UDPAddr).AddrPort()), 0)
	return err == nil && f.Offloaded()
}

// mustPut writes a row with one more cell.
func mustPut(t *testing.T, store dict.Store, table string, key dict.Key, field string, v dict.Value) {
	t.Helper()
	if err := store.Put(table, dict.Row{Key: key, Cells: []dict.Cell{{Field: field, Value: v}}}); err != nil {
		t.Fatal(err)
	}
}

// The first row of an address comes after its first connection, as where the kernel asks
// for who has it when an answer is on its way out: what rules find by that row holds for
// what is in the flowtable already. Here the test is who finds it.
func TestRecallFound(t *testing.T) {
	offloadedBy(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		d := startOn(t, l.Gateway, on, func(c *config.Config) { c.Offload.Enable, c.Identity.Hosts = true, 0 })
		site, _ := l.Site("example.org")
		newTalker(t, l, site, 7777)
		device := mustKey(t, dict.KeyEther, lab.ClientMAC)
		mustPut(t, on.Store, dict.Devices, device, "no_offload", dict.BoolValue(true))
		four := datagramsFrom(t, l, d, lab.Client4, netip.AddrPortFrom(site.Addr4, 7777))
		six := datagramsFrom(t, l, d, lab.Client6, netip.AddrPortFrom(site.Addr6, 7777))
		eventually(t, "both are in the flowtable, whoever's they are", func() bool { f, s := four.fast(), six.fast(); return f && s })
		time.Sleep(2 * rowsEvery) // what was written before has been seen
		if !four.fast() || !six.fast() {
			t.Error("they do not stay")
		}
		begin := time.Now()
		if err := on.Store.Put(dict.Hosts, dict.Row{Key: dict.AddrKey(lab.Client4), Cells: []dict.Cell{
			{Field: "mac_address", Value: dict.EtherValue(device.Ether())}, {Field: "interface", Value: dict.MustString("lan0")},
		}}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the found one's is not in the flowtable any more", func() bool { return !four.fast() })
		t.Logf("taken back %v after it was found", time.Since(begin))
		if four.fast() || !six.fast() {
			t.Error("the found one's is back there, or the other's is not")
		}
	})
}
