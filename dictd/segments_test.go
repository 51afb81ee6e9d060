// SPDX-License-Identifier: MIT

package dictd

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"testing"

	"nftdict/classifier"
	"nftdict/dictd/queue"
	"nftdict/dictd/rules"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// segments are what came by the queues of TCP connections to one port.
type segments struct {
	mu      sync.Mutex
	port    uint16
	bare    int             // that carry nothing and do not belong to the handshake
	asked   int             // SYN of either side
	streams map[bool][]byte // what came, by whether the client sent it
	starts  map[bool]uint32 // sequence number of its first byte
}

func (s *segments) handle(q *queue.Packet) queue.Verdict {
	var p classifier.Packet
	if err := classifier.Decode(q.Payload, &p); err != nil || p.Proto != classifier.ProtoTCP {
		return queue.Accept
	}
	client := p.DstPort == s.port
	if !client && p.SrcPort != s.port {
		return queue.Accept
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case p.TCPFlags&classifier.FlagSYN != 0:
		s.asked++
		s.starts[client] = p.Seq + 1
	case len(p.Payload) == 0:
		s.bare++
	default: // perhaps sent again
		end := int(p.Seq-s.starts[client]) + len(p.Payload)
		if more := end - len(s.streams[client]); more > 0 && more <= len(p.Payload) {
			s.streams[client] = append(s.streams[client], p.Payload[len(p.Payload)-more:]...)
		}
	}
	return queue.Accept
}

// TestBareSegments has connections pass the rules, with both families, with
// timestamps and without: every byte comes by the queues, and what carries none does
// not.
func TestBareSegments(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	site, ok := l.Site("example.org")
	if !ok {
		t.Fatal("the lab has no site")
	}
	source, err := queue.Probe(5300, l.Gateway.FD())
	if err != nil {
		t.Fatal(err)
	}
	const port = 4711
	seen := &segments{port: port}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	for i := range uint16(2) {
		r, err := queue.Open(queue.Config{Num: 5300 + i, First: i == 1, NetNS: l.Gateway.FD(), Source: source, Handle: seen.handle})
		if err != nil {
			t.Fatal(err)
		}
		running.Go(func() {
			if err := r.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	table, err := rules.Open(rules.Options{Name: "dictd", NetNS: l.Gateway.FD()})
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	c := rules.Config{Table: "dictd", Priority: -145, Source: source, Queues: rules.Queues{First: 5300, Count: 1}}
	if err := table.Install(c, rules.Terms{}); err != nil {
		t.Fatal(err)
	}
	listener, err := l.Internet.Listen(t.Context(), "tcp", ":"+strconv.Itoa(port))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for _, stamps := range []string{"1", "0"} {
		if err := l.Client.Sysctl("net/ipv4/tcp_timestamps", stamps); err != nil {
			t.Fatal(err)
		}
		for _, addr := range []netip.Addr{site.Addr4, site.Addr6} {
			t.Run(addr.String()+" "+stamps, func(t *testing.T) {
				seen.mu.Lock()
				seen.bare, seen.asked, seen.streams, seen.starts = 0, 0, map[bool][]byte{}, map[bool]uint32{}
				seen.mu.Unlock()
				sent := converse(t, l, listener, netip.AddrPortFrom(addr, port))
				seen.mu.Lock()
				defer seen.mu.Unlock()
				if seen.asked < 2 || seen.bare > 0 {
					t.Errorf("%d packets that ask for a connection came by the queue, %d that carry nothing", seen.asked, seen.bare)
				}
				for client, want := range sent {
					if !bytes.Equal(seen.streams[client], want) {
						t.Errorf("from the client %v: %d bytes came by the queue, want %d", client, len(seen.streams[client]), len(want))
					}
				}
			})
		}
	}
}

// converse has both ends say pieces of all lengths, in turns, and returns what they
// said, by whether it was the client.
func converse(t *testing.T, l *lab.Lab, listener net.Listener, to netip.AddrPort) map[bool][]byte {
	t.Helper()
	sent := map[bool][]byte{}
	conn, err := l.Client.Dial(t.Context(), "tcp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	peer, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	for n := range 70 {
		for _, client := range []bool{true, false} {
			from, at := peer, conn
			if client {
				from, at = conn, peer
			}
			piece := bytes.Repeat([]byte{byte(n)}, n+1)
			if _, err := from.Write(piece); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(at, make([]byte, len(piece))); err != nil {
				t.Fatal(err)
			}
			sent[client] = append(sent[client], piece...)
		}
	}
	return sent
}
