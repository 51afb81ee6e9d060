// SPDX-License-Identifier: MIT

package reverse

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// hostname keeps what has no space in it.
func hostname(name string) string {
	if strings.ContainsAny(name, " \\") {
		return ""
	}
	return strings.TrimSuffix(name, ".")
}

// serve is a name server on the loopback that answers by a function: with any
// number of datagrams.
func serve(t *testing.T, answer func(*dns.Msg) [][]byte) netip.AddrPort {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { c.Close(); <-done })
	go func() {
		defer close(done)
		buf := make([]byte, 4096)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			q := new(dns.Msg)
			if q.Unpack(buf[:n]) != nil {
				continue
			}
			for _, b := range answer(q) {
				_, _ = c.WriteTo(b, from)
			}
		}
	}()
	return netip.MustParseAddrPort(c.LocalAddr().String())
}

// serveTCP answers at an address by TCP, too.
func serveTCP(t *testing.T, at netip.AddrPort, answer func(*dns.Msg) []byte) {
	t.Helper()
	l, err := net.Listen("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conn := &dns.Conn{Conn: c}
			if q, err := conn.ReadMsg(); err == nil {
				_, _ = conn.Write(answer(q))
			}
			conn.Close()
		}
	}()
}

// reply builds an answer with records about the name that was asked for, which
// "@" stands for.
func reply(t *testing.T, q *dns.Msg, rcode int, records ...string) *dns.Msg {
	t.Helper()
	a := new(dns.Msg)
	a.SetRcode(q, rcode)
	for _, text := range records {
		rr, err := dns.NewRR(strings.ReplaceAll(text, "@", q.Question[0].Name))
		if err != nil {
			t.Error(err)
			continue
		}
		a.Answer = append(a.Answer, rr)
	}
	return a
}

func packed(t *testing.T, m *dns.Msg) []byte {
	b, err := m.Pack()
	if err != nil {
		t.Error(err)
	}
	return b
}

// rig is a Resolver that runs, with a clock moved by hand.
type rig struct {
	*Resolver
	mu  sync.Mutex
	now time.Time
}

func newRig(t *testing.T, rate int, servers ...netip.AddrPort) *rig {
	t.Helper()
	r := &rig{now: time.Unix(1_800_000_000, 0)}
	r.Resolver = New(Config{Servers: servers, Rate: rate, Hostname: hostname, Clock: func() time.Time {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.now
	}})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *rig) advance(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

// ask asks and waits.
func (r *rig) ask(t *testing.T, addr string) string {
	t.Helper()
	got := make(chan string, 1)
	if !r.Ask(netip.MustParseAddr(addr), func(name string) { got <- name }) {
		t.Fatalf("%s is not asked for", addr)
	}
	select {
	case name := <-got:
		return name
	case <-time.After(20 * time.Second):
		t.Fatalf("%s: nobody says", addr)
		return ""
	}
}

func TestAsk(t *testing.T) {
	server := serve(t, func(q *dns.Msg) [][]byte {
		name := q.Question[0].Name
		switch {
		case strings.HasPrefix(name, "1."):
			return [][]byte{packed(t, reply(t, q, 0, "@ 120 IN PTR laptop.lan."))}
		case strings.HasPrefix(name, "2."): // a network smaller than a zone
			return [][]byte{packed(t, reply(t, q, 0, "@ 120 IN CNAME 2.0-25.0.0.10.in-addr.arpa.", "2.0-25.0.0.10.in-addr.arpa. 120 IN PTR two.lan."))}
		case strings.HasPrefix(name, "3."):
			return [][]byte{packed(t, reply(t, q, dns.RcodeNameError))}
		case strings.HasPrefix(name, "4."): // forged ones come first
			other := q.Copy()
			other.Question[0].Name = "9.0.0.10.in-addr.arpa."
			forged := reply(t, q, 0, "@ 120 IN PTR forged.")
			forged.Id++
			return [][]byte{[]byte("rubbish"), packed(t, reply(t, other, 0, "@ 120 IN PTR forged.")), packed(t, forged), packed(t, reply(t, q, 0, "@ 120 IN PTR four.lan."))}
		case strings.HasPrefix(name, "5."): // another's record, what is no name, what is too long, and one that will do
			return [][]byte{packed(t, reply(t, q, 0, "9.0.0.10.in-addr.arpa. 120 IN PTR another.", `@ 120 IN PTR a\032b.`,
				"@ 120 IN PTR "+strings.Repeat("long.", 40), "@ 120 IN PTR five.lan."))}
		case strings.HasPrefix(name, "6."): // in circles
			return [][]byte{packed(t, reply(t, q, 0, "@ 120 IN CNAME x.", "x. 120 IN CNAME @"))}
		case strings.HasPrefix(name, "7."):
			return [][]byte{packed(t, reply(t, q, dns.RcodeServerFailure))}
		}
		return nil
	})
	second := serve(t, func(q *dns.Msg) [][]byte {
		return [][]byte{packed(t, reply(t, q, 0, "@ 0 IN PTR second."))}
	})
	r := newRig(t, 1000, server, second)
	for addr, want := range map[string]string{
		"10.0.0.1": "laptop.lan", "10.0.0.2": "two.lan", "10.0.0.3": "", "10.0.0.4": "four.lan", "10.0.0.5": "five.lan", "10.0.0.6": "", "10.0.0.7": "second", "fd00::1": "laptop.lan",
	} {
		if got := r.ask(t, addr); got != want {
			t.Errorf("%s: %q, want %q", addr, got, want)
		}
		if got, known := r.Name(netip.MustParseAddr(addr)); !known || got != want {
			t.Errorf("%s: remembered %q, %v", addr, got, known)
		}
	}
	// As long as it says, and no less than a minute.
	asked := r.Stats().Asked
	r.ask(t, "10.0.0.1")
	if r.Stats().Asked != asked {
		t.Error("asked for what is remembered")
	}
	r.advance(leastTTL)
	_, long := r.Name(netip.MustParseAddr("10.0.0.1"))
	_, short := r.Name(netip.MustParseAddr("10.0.0.7"))
	if !long || short {
		t.Errorf("remembered: %v, %v", long, short)
	}
	r.advance(time.Hour)
	if _, known := r.Name(netip.MustParseAddr("10.0.0.3")); known {
		t.Error("that there is none is remembered for ever")
	}
}

// What is too long for a datagram is asked for by TCP; a server that has none of that
// leaves it to the next, and nothing is remembered of half an answer.
func TestTruncated(t *testing.T) {
	cut := serve(t, func(q *dns.Msg) [][]byte {
		a := reply(t, q, 0)
		a.Truncated = true
		return [][]byte{packed(t, a)}
	})
	r := newRig(t, 1000, cut, cut)
	if got := r.ask(t, "10.0.0.1"); got != "" {
		t.Errorf("half an answer: %q", got)
	}
	if s := r.Stats(); s.Asked != 2 || s.Failed != 2 {
		t.Errorf("counted %+v", s)
	}
	r.advance(failedTTL)
	if _, known := r.Name(netip.MustParseAddr("10.0.0.1")); known {
		t.Error("half an answer is remembered for long")
	}
	serveTCP(t, cut, func(q *dns.Msg) []byte { return packed(t, reply(t, q, 0, "@ 120 IN PTR long.lan.")) })
	if got := r.ask(t, "10.0.0.1"); got != "long.lan" {
		t.Errorf("by TCP: %q", got)
	}
}

// Nobody answers: the next is asked, and who waits is told.
func TestSilence(t *testing.T) {
	silent := serve(t, func(*dns.Msg) [][]byte { return nil })
	r := newRig(t, 1000, silent, netip.MustParseAddrPort("127.0.0.1:1"))
	if got := r.ask(t, "10.0.0.1"); got != "" {
		t.Errorf("got %q", got)
	}
	if s := r.Stats(); s.Asked != 2 || s.Failed != 2 || s.Names != 1 {
		t.Errorf("counted %+v", s)
	}
}

// What waits is bounded, and so are questions a second.
func TestBounds(t *testing.T) {
	r := &rig{now: time.Unix(1_800_000_000, 0)}
	r.Resolver = New(Config{Servers: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1")}, Rate: 1, Hostname: hostname, Clock: func() time.Time { return r.now }})
	accepted := 0
	for i := range maxWaiting + 100 {
		for range maxForOne + 10 {
			if r.Ask(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), func(string) {}) {
				accepted++
			}
			if i > 2 {
				break
			}
		}
	}
	if accepted != 3*maxForOne+maxWaiting-3 || r.waiting != accepted || r.Stats().Missed == 0 {
		t.Errorf("%d are accepted, %d wait", accepted, r.waiting)
	}
	for i := range maxNames + 100 {
		r.cache.put(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), fmt.Sprint(i), time.Minute, r.now)
	}
	if n := r.Stats().Names; n > maxNames {
		t.Errorf("%d names", n)
	}
	paced := newRig(t, 20, serve(t, func(q *dns.Msg) [][]byte { return [][]byte{packed(t, reply(t, q, 0, "@ 60 IN PTR x."))} }))
	start := time.Now()
	for i := range 5 {
		paced.ask(t, fmt.Sprintf("10.0.0.%d", i))
	}
	if took := time.Since(start); took < 200*time.Millisecond {
		t.Errorf("5 questions in %v, want 20 a second", took)
	}
}

// Whatever answers, a name is one.
func FuzzAnswer(f *testing.F) {
	q := new(dns.Msg)
	q.SetQuestion("1.0.0.10.in-addr.arpa.", dns.TypePTR)
	q.Id = 1
	a := new(dns.Msg)
	a.SetReply(q)
	a.Answer = []dns.RR{&dns.PTR{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypePTR, Class: 1, Ttl: 60}, Ptr: "x."}}
	b, err := a.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		a := new(dns.Msg)
		if a.Unpack(b) != nil {
			return
		}
		name, ttl, err := readAnswer(q, a, hostname)
		if err == nil && (len(name) > 128 || hostname(name) != name || ttl < leastTTL || ttl > mostTTL) {
			t.Errorf("name %q for %v", name, ttl)
		}
	})
}
