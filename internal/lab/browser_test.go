// SPDX-License-Identifier: MIT

package lab_test

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// wire is what link MTU leaves for a frame.
const wire = 1514

// client eth0 ---- lan0 gateway wan0 ---- eth0 internet (capture)
func TestClientHelloSegments(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	const host = "www.netflix.com"
	for _, c := range []struct {
		name   string
		curves []tls.CurveID
		family int
		cut    lab.Cut
		// segments that carry the ClientHello, and which one of them (from 0)
		// holds the whole name; -1 for none.
		segments, whole int
	}{
		{"classical", lab.Classical(), 4, nil, 1, 0},
		{"post-quantum", nil, 4, nil, 2, 0},
		{"post-quantum v6", nil, 6, nil, 2, 0},
		{"cut inside the name", lab.Classical(), 4, lab.CutInside(host), 2, -1},
		{"cut after the name", lab.Classical(), 6, lab.CutAfter(host), 2, 0},
		{"cut at fixed places", lab.Classical(), 4, lab.CutAt(1, 5), 3, 2},
		{"post-quantum in small pieces", nil, 4, lab.CutEvery(500), 4, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			capture := labtest.Capture(t, l.Internet, "eth0")
			b := l.Browser()
			b.Curves, b.Family, b.Cut, b.Gap = c.curves, c.family, c.cut, 2*time.Millisecond
			if _, err := b.Get(timeout(t), "https://"+host+"/"); err != nil {
				t.Fatal(err)
			}
			segments, err := capture.Segments(func(s lab.Segment) bool {
				return s.TCP && s.Dst.Port() == lab.HTTPSPort && len(s.Payload) > 0
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(segments) == 0 || segments[0].Payload[0] != 22 {
				t.Fatalf("no handshake record in %d segments", len(segments))
			}
			size, got, whole := helloSize(segments), 0, -1
			for got < len(segments) && size > 0 {
				if contains(segments[got], host) {
					whole = got
				}
				size -= len(segments[got].Payload)
				got++
			}
			if got != c.segments || whole != c.whole {
				t.Errorf("ClientHello in %d segments, the name whole in number %d; want %d and %d", got, whole, c.segments, c.whole)
			}
			received, err := capture.Received(host)
			if err != nil || received != (c.whole >= 0) {
				t.Errorf("Received(%q) = %v, %v; want %v", host, received, err, c.whole >= 0)
			}
			packets, _ := capture.Packets()
			for _, p := range packets {
				if len(p.Frame) > wire {
					t.Errorf("a frame of %d bytes: segmentation was offloaded", len(p.Frame))
				}
			}
		})
	}
}

// helloSize reads the record's length, which may be divided over segments.
func helloSize(segments []lab.Segment) int {
	var b []byte
	for _, s := range segments {
		b = append(b, s.Payload...)
	}
	if len(b) < 5 {
		return 0
	}
	return 5 + int(b[3])<<8 + int(b[4])
}

func contains(s lab.Segment, text string) bool {
	return bytes.Contains(s.Payload, []byte(text))
}

// client eth0 ---- lan0 gateway wan0 ---- eth0 internet (capture)
func TestQUICInitials(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	site, _ := l.Site("www.youtube.com")
	// A socket that never answers: what the client sends to it before the
	// first retransmission (200 ms) is the ClientHello.
	const silent = 4443
	for _, a := range []netip.Addr{site.Addr4, site.Addr6} {
		mute, err := l.Internet.ListenPacket(timeout(t), "udp", netip.AddrPortFrom(a, silent).String())
		if err != nil {
			t.Fatal(err)
		}
		defer mute.Close()
	}
	for _, c := range []struct {
		name      string
		curves    []tls.CurveID
		family    int
		versions  []quic.Version
		datagrams int
	}{
		{"post-quantum", nil, 4, nil, 2},
		{"post-quantum v6", nil, 6, nil, 2},
		{"classical", lab.Classical(), 4, nil, 1},
		{"version 2", lab.Classical(), 6, []quic.Version{quic.Version2}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			capture := labtest.Capture(t, l.Internet, "eth0")
			b := l.Browser()
			b.HTTP3, b.Curves, b.Family, b.QUIC = true, c.curves, c.family, c.versions
			body, err := b.Get(timeout(t), "https://www.youtube.com/")
			if err != nil || body != "hello from www.youtube.com\n" {
				t.Errorf("%q, %v", body, err)
			}
			b.Timeout = 100 * time.Millisecond
			if body, err = b.Get(timeout(t), fmt.Sprintf("https://www.youtube.com:%d/", silent)); err == nil {
				t.Errorf("a silent server said %q", body)
			}
			hello, err := capture.Segments(func(s lab.Segment) bool { return !s.TCP && s.Dst.Port() == silent })
			if err != nil {
				t.Fatal(err)
			}
			if len(hello) != c.datagrams {
				t.Errorf("ClientHello in %d datagrams, want %d", len(hello), c.datagrams)
			}
			version := uint32(quic.Version1)
			if c.versions != nil {
				version = uint32(c.versions[0])
			}
			for _, s := range hello {
				if got := binary.BigEndian.Uint32(s.Payload[1:]); s.Payload[0]&0xc0 != 0xc0 || got != version {
					t.Errorf("first byte %#x, version %#x; want a long header of version %#x", s.Payload[0], got, version)
				}
			}
		})
	}
}

func TestVisitKeepsItsConnection(t *testing.T) {
	l := labtest.New(t, lab.Config{Guest: true})
	for _, http3 := range []bool{false, true} {
		capture := labtest.Capture(t, l.Internet, "eth0")
		b := l.Browser()
		b.From, b.HTTP3 = l.Guest, http3
		v, err := b.Open("https://example.org/")
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if body, err := v.Get(timeout(t), "/"); err != nil || body != "hello from example.org\n" {
				t.Errorf("http3 %v: %q, %v", http3, body, err)
			}
		}
		if body, err := v.Get(timeout(t), "/bytes/100000"); err != nil || len(body) != 100000 {
			t.Errorf("http3 %v: %d bytes, %v", http3, len(body), err)
		}
		if err := v.Close(); err != nil {
			t.Errorf("http3 %v: close: %v", http3, err)
		}
		ports := map[uint16]bool{}
		// The last packets of the visit before may still come.
		segments, err := capture.Segments(func(s lab.Segment) bool {
			return s.TCP != http3 && s.Dst.Port() == lab.HTTPSPort
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range segments {
			ports[s.Src.Port()] = true
			if s.Src.Addr() != lab.Guest4 {
				t.Errorf("http3 %v: a segment from %v", http3, s.Src)
			}
		}
		if len(ports) != 1 {
			t.Errorf("http3 %v: %d connections, want 1", http3, len(ports))
		}
	}
	if got := l.Hits("example.org"); got != 8 {
		t.Errorf("hits: %d, want 8", got)
	}
}

func TestBrowserErrors(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	for _, url := range []string{"https://nobody.example/", "https://example.org:9/", "https://example.org/bytes/many", ":"} {
		if body, err := l.Browser().Get(timeout(t), url); err == nil {
			t.Errorf("get %q: %q", url, body)
		}
	}
}
