// SPDX-License-Identifier: MIT

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// The ledger has what the devices have that receive what was forwarded, after dictd
// was killed in the middle:
//
//	client eth0 ---- lan0 gateway (dictd, masquerades) wan0 ---- internet
func TestLedgerSurvivesKill(t *testing.T) {
	r := newRig(t, lab.Config{})
	r.must("nft", "add table inet nat; add chain inet nat post { type nat hook postrouting priority 100; }; add rule inet nat post oifname wan0 masquerade")
	wire := labtest.NewWire(t, r.Lab, 0)
	site, _ := r.Site("example.org")
	r.serveDouble(site, 7777)
	// The gateway itself sends nothing.
	conf := "[reverse]\nnames = \"off\"\n[ledger]\nperiod = 1.0"
	d := r.start(conf)
	out, in := wire.Read()
	to := []netip.Addr{site.Addr4, site.Addr6}
	var long []net.Conn
	open := func(n int) {
		for i := range n {
			network := []string{"tcp", "udp"}[i%2]
			conn, err := r.Client.Dial(context.Background(), network, netip.AddrPortFrom(to[i/2%2], 7777).String())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { conn.Close() })
			long = append(long, conn)
		}
	}
	talk := func(size int) {
		buf := make([]byte, 4096)
		for i, conn := range long {
			_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
			// No answer is in fragments: conntrack counts them as one packet, and devices
			// the header of each.
			n := 1 + (size+i)%600
			if _, err := conn.Write(buf[:n]); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(conn, buf[:2*n]); err != nil {
				t.Fatalf("connection %d: %v", i, err)
			}
		}
	}
	// All through it, a connection that never rests, beside a thousand.
	busy, err := r.Client.Dial(context.Background(), "tcp", netip.AddrPortFrom(site.Addr4, 7777).String())
	if err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		defer busy.Close()
		buf := make([]byte, 2000)
		for {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			if _, err := busy.Write(buf[:1000]); err != nil {
				stopped <- err
				return
			}
			if _, err := io.ReadFull(busy, buf); err != nil {
				stopped <- err
				return
			}
		}
	}()
	for i := range 5 {
		open(168)
		talk(100 * i)
	}
	time.Sleep(2500 * time.Millisecond) // connections end, and nothing is on its way to dictd
	talk(7)
	d.kill()
	open(160) // and end while nobody looks
	talk(300)
	for i, conn := range long {
		if i%3 == 0 {
			conn.Close()
		}
	}
	d = r.start(conf)
	var still []net.Conn
	for i, conn := range long {
		if i%3 != 0 {
			still = append(still, conn)
		}
	}
	long = still
	talk(500)
	close(stop)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	r.eventually("the ledger has what the devices have", func() error {
		// What moves meanwhile is in neither or in both, at the latest when all is quiet.
		wantOut, wantIn := wire.Read()
		wantOut, wantIn = wantOut-out, wantIn-in
		gotOut, gotIn, n := r.usage()
		if gotOut != wantOut || gotIn != wantIn || n != 1001 {
			return fmt.Errorf("%d bytes out, %d in, of %d connections; the devices have %d and %d", gotOut, gotIn, n, wantOut, wantIn)
		}
		t.Logf("%d bytes out, %d in, of %d connections", gotOut, gotIn, n)
		return nil
	})
	d.stop()
}

// usage returns what `dictctl usage` says of today.
func (r *rig) usage() (out, in uint64, connections int) {
	r.t.Helper()
	var all struct {
		Usage []struct {
			Total struct {
				In, Out     struct{ Bytes uint64 }
				Connections int
			}
		}
	}
	if err := json.Unmarshal([]byte(r.must("dictctl", "-j", "usage", "--since", "48h")), &all); err != nil {
		r.t.Fatal(err)
	}
	for _, day := range all.Usage {
		out, in, connections = out+day.Total.Out.Bytes, in+day.Total.In.Bytes, connections+day.Total.Connections
	}
	return out, in, connections
}

// serveDouble has a site answer on a port, for TCP and UDP, each piece twice.
func (r *rig) serveDouble(site lab.Site, port uint16) {
	r.t.Helper()
	for _, a := range []netip.Addr{site.Addr4, site.Addr6} {
		at := netip.AddrPortFrom(a, port).String()
		listener, err := r.Internet.Listen(context.Background(), "tcp", at)
		if err != nil {
			r.t.Fatal(err)
		}
		r.t.Cleanup(func() { listener.Close() })
		packets, err := r.Internet.ListenPacket(context.Background(), "udp", at)
		if err != nil {
			r.t.Fatal(err)
		}
		r.t.Cleanup(func() { packets.Close() })
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				go func() {
					defer conn.Close()
					buf := make([]byte, 4096)
					for {
						n, err := conn.Read(buf)
						if err != nil {
							return
						}
						if _, err := conn.Write(append(buf[:n:n], buf[:n]...)); err != nil {
							return
						}
					}
				}()
			}
		}()
		go func() {
			buf := make([]byte, 4096)
			for {
				n, from, err := packets.ReadFrom(buf)
				if err != nil {
					return
				}
				_, _ = packets.WriteTo(append(buf[:n:n], buf[:n]...), from)
			}
		}()
	}
}
