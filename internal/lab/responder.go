// SPDX-License-Identifier: MIT

package lab

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// SSHBanner is what the SSH site says first, without the line's end.
const SSHBanner = "SSH-2.0-lab_1.0"

// Ports of the small services: echo and SSH over TCP at every site, NTP and
// UDP echo at the NTP site.
const (
	EchoPort = 7
	SSHPort  = 22
	NTPPort  = 123
)

// serveSmall starts the services that are a few lines each.
func (l *Lab) serveSmall(ctx context.Context) error {
	ntp, _ := l.Site(NTPSite)
	return errors.Join(
		l.serveTCP(ctx, SSHPort, banner),
		l.serveTCP(ctx, EchoPort, func(c net.Conn) { io.Copy(c, c) }),
		l.serveUDP(ctx, ntp.Addr4, NTPPort, ntpReply),
		l.serveUDP(ctx, ntp.Addr6, NTPPort, ntpReply),
		l.serveUDP(ctx, ntp.Addr4, EchoPort, echo),
		l.serveUDP(ctx, ntp.Addr6, EchoPort, echo),
	)
}

// banner says hello as SSH servers do, hears the client's, and hangs up.
func banner(c net.Conn) {
	c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(c, SSHBanner+"\r\n"); err != nil {
		return
	}
	bufio.NewReaderSize(c, 256).ReadSlice('\n') // whatever it is, the answer is the end
}

func echo(query []byte) []byte { return query }

// ntpEpoch is the start of NTP's time scale.
var ntpEpoch = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)

// ntpReply answers a client's request (mode 3) of version 3 or 4 as a stratum
// 2 server; anything else gets nothing.
func ntpReply(query []byte) []byte {
	if len(query) < 48 || query[0]&7 != 3 {
		return nil
	}
	now := ntpTime(time.Now())
	reply := make([]byte, 48)
	reply[0] = query[0]&0x38 | 4 // its version, mode 4
	reply[1] = 2                 // stratum
	reply[2] = query[2]          // poll
	reply[3] = 0xec              // precision, 2^-20 s
	copy(reply[12:16], "LAB\x00")
	binary.BigEndian.PutUint64(reply[16:], now)
	copy(reply[24:32], query[40:48])
	binary.BigEndian.PutUint64(reply[32:], now)
	binary.BigEndian.PutUint64(reply[40:], now)
	return reply
}

// ntpTime returns t in NTP's form: 32 bits of seconds, 32 bits of fraction.
func ntpTime(t time.Time) uint64 {
	d := t.Sub(ntpEpoch)
	return uint64(d/time.Second)<<32 | uint64(d%time.Second)<<32/uint64(time.Second)
}

// serveTCP runs handle for every connection to the port, at every site.
func (l *Lab) serveTCP(ctx context.Context, port uint16, handle func(net.Conn)) error {
	ln, err := l.Internet.Listen(ctx, "tcp", netip.AddrPortFrom(netip.IPv6Unspecified(), port).String())
	if err != nil {
		return err
	}
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		conns = map[net.Conn]struct{}{}
	)
	serve := func() error {
		defer wg.Wait()
		for {
			c, err := ln.Accept()
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				for c := range conns {
					c.Close()
				}
				return err
			}
			mu.Lock()
			conns[c] = struct{}{}
			mu.Unlock()
			wg.Go(func() {
				handle(c)
				c.Close()
				mu.Lock()
				defer mu.Unlock()
				delete(conns, c)
			})
		}
	}
	l.tasks.start("tcp", serve, ln.Close)
	return nil
}

// serveUDP answers every datagram to the address with reply, if that gives one.
func (l *Lab) serveUDP(ctx context.Context, addr netip.Addr, port uint16, reply func([]byte) []byte) error {
	pc, err := l.Internet.ListenPacket(ctx, "udp", netip.AddrPortFrom(addr, port).String())
	if err != nil {
		return err
	}
	serve := func() error {
		buf := make([]byte, 64<<10)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return err
			}
			if answer := reply(buf[:n]); answer != nil {
				if _, err := pc.WriteTo(answer, from); errors.Is(err, net.ErrClosed) {
					return err
				}
			}
		}
	}
	l.tasks.start("udp", serve, pc.Close)
	return nil
}
