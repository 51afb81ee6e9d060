// SPDX-License-Identifier: MIT

package test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"github.com/ti-mo/conntrack"
	"golang.org/x/sys/unix"

	"nftdict/internal/lab"
	"nftdict/internal/lab/fakenic"
	"nftdict/internal/lab/labtest"
	"nftdict/internal/need"
)

// Connections that a flowtable carries through a gateway:
//
//	client eth0 ---- lan0 gateway wan0 ---- eth0 internet (echoes)

// Bits of an entry's status.
const (
	statusOffload  = 1 << 14
	statusHardware = 1 << 15
)

const echoPort = 7777

// path is a gateway with a flowtable, and an echo behind it.
type path struct {
	*lab.Lab
	*ruleset
	tb   testing.TB
	card *fakenic.Card // nil without hardware
	ct   *conntrack.Conn
}

// newPath returns a gateway whose table inet t has the flowtable f with flags,
// counters `early` (at the way in of lan0, before the flowtable's) and `slow` (in
// the chain c, at forward), and behind these the rules. With a card the devices are its own.
func newPath(tb testing.TB, hardware bool, flags, rules string) *path {
	tb.Helper()
	p := &path{Lab: labtest.New(tb, lab.Config{Guest: true}), tb: tb}
	if hardware {
		p.card = fakenic.New(tb, p.Gateway, "lan0", "lan1", "wan0")
	}
	need.Feature(tb, "flowtable", func() error {
		return errors.Join(
			// Figures are asked for below nine tenths of it.
			p.Gateway.Sysctl("net.netfilter.nf_flowtable_tcp_timeout", "10"),
			p.Gateway.Sysctl("net.netfilter.nf_flowtable_udp_timeout", "10"),
			p.nft(`table inet t {
	counter slow { }
	flowtable f {
		hook ingress priority 0
		devices = { lan0, lan1, wan0 }
		counter
		`+flags+`
	}
	chain c {
		type filter hook forward priority 0
		counter name slow
`+rules+`
	}
}
table netdev early {
	counter early { }
	chain in {
		type filter hook ingress device lan0 priority -500
		counter name early
	}
}
`))
	})
	var err error
	if p.ct, err = conntrack.Dial(&netlink.Config{NetNS: p.Gateway.FD()}); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { p.ct.Close() })
	if err := p.Gateway.Do(func() error {
		p.ruleset = newRuleset(tb, unix.NFPROTO_INET)
		return nil
	}); err != nil {
		tb.Fatal(err)
	}
	p.echo()
	return p
}

// nft loads a ruleset at the gateway.
func (p *path) nft(text string) error {
	c := p.Gateway.Command(context.Background(), "nft", "-f", "-")
	c.Stdin = strings.NewReader(text)
	out, err := c.CombinedOutput()
	if err != nil {
		return errors.Join(err, errors.New(string(out)))
	}
	return nil
}

// echo answers all bytes, by TCP and UDP, at every address of the internet.
func (p *path) echo() {
	var serving sync.WaitGroup
	ln, err := p.Internet.Listen(context.Background(), "tcp", "[::]:"+strconv.Itoa(echoPort))
	if err != nil {
		p.tb.Fatal(err)
	}
	pc, err := p.Internet.ListenPacket(context.Background(), "udp4", lab.Internet4.String()+":"+strconv.Itoa(echoPort))
	if err != nil {
		p.tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	serving.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			// Rules may keep the end of the client's from it.
			stop := context.AfterFunc(ctx, func() { c.Close() })
			serving.Go(func() {
				defer stop()
				defer c.Close()
				_, _ = io.Copy(c, c)
			})
		}
	})
	serving.Go(func() {
		buf := make([]byte, 1<<16)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = pc.WriteTo(buf[:n], from)
		}
	})
	p.tb.Cleanup(func() {
		cancel()
		ln.Close()
		pc.Close()
		serving.Wait()
	})
}

// dial connects the client to the echo; the connection ends with the test.
func (p *path) dial(from *lab.Namespace, to netip.Addr) net.Conn {
	p.tb.Helper()
	c, err := from.Dial(context.Background(), "tcp", netip.AddrPortFrom(to, echoPort).String())
	if err != nil {
		p.tb.Fatal(err)
	}
	p.tb.Cleanup(func() { c.Close() })
	return c
}

// exchange sends n bytes and waits for their echo.
func exchange(c net.Conn, n int) error {
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() {
		_, err := c.Write(make([]byte, n))
		sent <- err
	}()
	_, err := io.CopyN(io.Discard, c, int64(n))
	return errors.Join(err, <-sent)
}

func (p *path) talk(c net.Conn, n int) {
	p.tb.Helper()
	if err := exchange(c, n); err != nil {
		p.tb.Fatal(err)
	}
}

// entry returns conntrack's entry of a connection of a client.
func (p *path) entry(c net.Conn) conntrack.Flow {
	p.tb.Helper()
	local, remote := ap(c.LocalAddr()), ap(c.RemoteAddr())
	flows, err := p.ct.Dump(nil)
	if err != nil {
		p.tb.Fatal(err)
	}
	for _, f := range flows {
		o := f.TupleOrig
		if o.IP.SourceAddress == local.Addr() && o.Proto.SourcePort == local.Port() && o.IP.DestinationAddress == remote.Addr() && o.Proto.DestinationPort == remote.Port() {
			return f
		}
	}
	p.tb.Fatalf("conntrack has no entry of %v to %v", local, remote)
	return conntrack.Flow{}
}

func ap(a net.Addr) netip.AddrPort {
	p := netip.MustParseAddrPort(a.String())
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}

// is reports whether all bits of a connection's entry are set.
func (p *path) is(c net.Conn, bits uint32) bool { return uint32(p.entry(c).Status)&bits == bits }

// until waits for a condition.
func (p *path) until(what string, is func() bool) {
	p.tb.Helper()
	for begin := time.Now(); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			p.tb.Fatalf("not within a minute: %s", what)
		}
	}
}

// carried lets a connection talk until its entry has the bits.
func (p *path) carried(c net.Conn, bits uint32) {
	p.tb.Helper()
	p.until("the connection is offloaded", func() bool {
		p.talk(c, 2000)
		return p.is(c, bits)
	})
}

var packetsOf = regexp.MustCompile(`packets (\d+) bytes (\d+)`)

// counter returns the packets of a named counter, counted its bytes.
func (p *path) counter(table, name string) uint64 { p.tb.Helper(); return p.numbers(table, name)[0] }
func (p *path) counted(table, name string) uint64 { p.tb.Helper(); return p.numbers(table, name)[1] }

func (p *path) numbers(table, name string) (n [2]uint64) {
	p.tb.Helper()
	args := append([]string{"list", "counter"}, strings.Fields(table)...)
	out, err := p.Gateway.Command(context.Background(), "nft", append(args, name)...).Output()
	if err != nil {
		p.tb.Fatal(err)
	}
	m := packetsOf.FindSubmatch(out)
	if m == nil {
		p.tb.Fatalf("no counter in %q", out)
	}
	for i := range n {
		if n[i], err = strconv.ParseUint(string(m[i+1]), 10, 64); err != nil {
			p.tb.Fatal(err)
		}
	}
	return n
}
