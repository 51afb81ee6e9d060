// SPDX-License-Identifier: MIT

package dictd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dictd/portal/policy"
	"nftdict/dictd/queue"
	"nftdict/dictd/quota/plan"
	quotapolicy "nftdict/dictd/quota/policy"
	"nftdict/dictd/rules"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
	"nftdict/internal/need"
)

const portalPage = "the portal"

// compiling runs a test on the backends that compile rules, with a guest. Where the
// module is, an emulated machine takes its time, and the other shows nothing new.
func compiling(t *testing.T, f func(*testing.T, *lab.Lab, *backend.Backend)) {
	for name, open := range map[string]func(testing.TB, *lab.Namespace) *backend.Backend{"ebpf": openEBPF, "kmod": openKmod} {
		if name == "ebpf" && need.Promised("kmod") && !need.Promised("long") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			l := labtest.New(t, lab.Config{Guest: true})
			f(t, l, open(t, l.Gateway))
		})
	}
}

// alike runs a test as compiling does, but that guests are spared: it tries nothing that
// depends on the kernel.
func alike(t *testing.T, f func(*testing.T, *lab.Lab, *backend.Backend)) {
	if !need.Promised("kmod") || need.Promised("long") {
		compiling(t, f)
	}
}

// portalRules are the rules of a portal on the lab's lan0, with a page, and those of a
// budget for all hosts, without a daemon.
func portalRules(t *testing.T, l *lab.Lab, on *backend.Backend) {
	t.Helper()
	if err := l.ServeHTTP(t.Context(), l.Gateway, ":8880", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, portalPage) })); err != nil {
		t.Fatal(err)
	}
	plans, err := plan.Parse([]plan.Spec{{Name: "all", For: []string{"hosts"}, Volume: "1GB", Period: "day"}}, plan.Defaults{Zone: time.UTC, Throttle: 0x71})
	if err != nil {
		t.Fatal(err)
	}
	table, err := rules.Open(rules.Options{Name: "dictd", NetNS: l.Gateway.FD(), Schema: on.Store, Compiler: on.Compiler})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { table.Close() })
	garden, _ := l.Site("www.youtube.com")
	err = table.Install(rules.Config{
		Table: "dictd", Priority: -145, Source: queue.ByMark, Queues: rules.Queues{First: 5300, Count: 1}, FinishBit: 1 << 30, FinishMark: finishMark,
		Policies: [...]*rules.Policy{
			quotapolicy.Build(plans, quotapolicy.Options{Priority: 250}),
			policy.Build(policy.Options{
				Interfaces: []string{"lan0", "lan9"}, Priority: -150, HTTP: 8880, HTTPS: 8443, Named: true,
				Garden: []netip.Prefix{prefix(garden.Addr4), prefix(garden.Addr6)}, DNS: []netip.Prefix{prefix(lab.DNS4), prefix(lab.DNS6)},
			}),
		},
	}, rules.Terms{})
	if err != nil {
		t.Fatal(err)
	}
}

func prefix(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// letIn writes of the client's device, and of its addresses, if these are known,
// whether it is let in.
func letIn(t *testing.T, on *backend.Backend, in, known bool) {
	t.Helper()
	mac, err := dict.ParseKey(dict.KeyEther, lab.ClientMAC)
	if err != nil {
		t.Fatal(err)
	}
	is := dict.Cell{Field: "captive_portal_authenticated", Value: dict.BoolValue(in)}
	err = on.Store.Put(dict.Devices, dict.Row{Key: mac, Cells: []dict.Cell{is}})
	for _, a := range []netip.Addr{lab.Client4, lab.Client6} {
		if known {
			ether, _ := net.ParseMAC(lab.ClientMAC)
			err = errors.Join(err, on.Store.Put(dict.Hosts, dict.Row{Key: dict.AddrKey(a), Cells: []dict.Cell{is, {Field: "mac_address", Value: dict.EtherValue([6]byte(ether))}}}))
		} else if e := on.Store.Delete(dict.Hosts, dict.AddrKey(a)); !errors.Is(e, dict.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// page is what the client gets for an address in a browser.
func page(t *testing.T, l *lab.Lab, family int, url string) string {
	t.Helper()
	b := l.Browser()
	b.Family, b.Timeout = family, patience
	body, err := b.Get(t.Context(), url)
	if err != nil {
		t.Fatalf("IPv%d %s: %v", family, url, err)
	}
	return strings.TrimSpace(body)
}

// dial connects from a namespace; a failure is returned, with what the kernel said.
func dial(t *testing.T, from *lab.Namespace, network string, addr netip.Addr, port uint16) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := from.Dial(ctx, network, netip.AddrPortFrom(addr, port).String())
	if err == nil {
		t.Cleanup(func() { c.Close() })
		err = c.SetDeadline(time.Now().Add(patience))
	}
	return c, err
}

// asked returns the error with which a datagram comes back, nil if it is answered.
func asked(t *testing.T, from *lab.Namespace, addr netip.Addr, port uint16) error {
	t.Helper()
	c, err := dial(t, from, "udp", addr, port)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = c.Write([]byte("hello")); err == nil {
		_, err = c.Read(make([]byte, 64))
	}
	return err
}

// addr is a site's address.
func addr(l *lab.Lab, name string, family int) netip.Addr {
	site, _ := l.Site(name)
	if family == 6 {
		return site.Addr6
	}
	return site.Addr4
}

// The rules alone, with no daemon: who is not let in reaches the portal and the walled
// garden, and what is let in goes on until it is not let in any more.
func TestPortalRules(t *testing.T) {
	compiling(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		portalRules(t, l, on)
		for _, family := range []int{4, 6} {
			t.Run(fmt.Sprintf("IPv%d", family), func(t *testing.T) {
				letIn(t, on, false, false)
				outside(t, l, family)
				letIn(t, on, false, true)
				outside(t, l, family)
				inside(t, l, on, family, true)
				inside(t, l, on, family, false)
			})
		}
		t.Run("address", func(t *testing.T) { stolenAddress(t, l, on) })
	})
}

// outside is how it stands with who is not let in.
func outside(t *testing.T, l *lab.Lab, family int) {
	t.Helper()
	if got := page(t, l, family, "http://example.org/"); got != portalPage {
		t.Errorf("IPv%d: port 80 answers %q", family, got)
	}
	if got := page(t, l, family, "http://www.youtube.com/"); got != "hello from www.youtube.com" {
		t.Errorf("IPv%d: the garden answers %q", family, got)
	}
	to := addr(l, "example.org", family)
	for _, port := range []uint16{443, 853, lab.EchoPort} {
		if _, err := dial(t, l.Client, "tcp", to, port); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("IPv%d: TCP to port %d: %v, want a reset", family, port, err)
		}
	}
	for _, port := range []uint16{443, 853} {
		// What the kernel makes of "administratively prohibited".
		if err := asked(t, l.Client, to, port); !errors.Is(err, syscall.EHOSTUNREACH) && !errors.Is(err, syscall.EACCES) {
			t.Errorf("IPv%d: UDP to port %d: %v, want it rejected", family, port, err)
		}
	}
	b := l.Browser()
	b.From, b.Family, b.Timeout = l.Guest, family, patience
	if body, err := b.Get(t.Context(), "http://example.org/"); err != nil || !strings.Contains(body, "hello from") {
		t.Errorf("IPv%d: where no portal is: %q, %v", family, body, err)
	}
	gateway := map[int]netip.Addr{4: lab.GatewayGuest4, 6: lab.GatewayGuest6}[family]
	if _, err := dial(t, l.Guest, "tcp", gateway, 8880); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("IPv%d: the portal, where no portal is: %v", family, err)
	}
}

// inside lets the client in, and takes that back while connections live.
func inside(t *testing.T, l *lab.Lab, on *backend.Backend, family int, known bool) {
	t.Helper()
	letIn(t, on, true, known)
	if got := page(t, l, family, "http://example.org/"); got != "hello from example.org" {
		t.Errorf("IPv%d: let in, port 80 answers %q", family, got)
	}
	c, err := dial(t, l.Client, "tcp", addr(l, "example.org", family), lab.EchoPort)
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	echo := func() error {
		if _, err := io.WriteString(c, "hello\n"); err != nil {
			return err
		}
		_, err := r.ReadString('\n')
		return err
	}
	if err := echo(); err != nil {
		t.Fatal(err)
	}
	// What the server sends by itself.
	ours, err := dial(t, l.Client, "udp", addr(l, lab.NTPSite, family), lab.EchoPort)
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan string, 8)
	go func() {
		for buf := make([]byte, 64); ; {
			n, err := ours.Read(buf)
			if err != nil {
				return
			}
			heard <- string(buf[:n])
		}
	}()
	// From the same address and port, beside the service.
	send := func(text string) {
		t.Helper()
		to := ours.LocalAddr().(*net.UDPAddr)
		if err := l.Internet.Do(func() error {
			return sendAs(netip.AddrPortFrom(addr(l, lab.NTPSite, family), lab.EchoPort), to.AddrPort(), text)
		}); err != nil {
			t.Fatal(err)
		}
	}
	listen := func(want string) {
		t.Helper()
		select {
		case got := <-heard:
			if got != want {
				t.Fatalf("IPv%d: heard %q, want %q", family, got, want)
			}
		case <-time.After(patience):
			t.Fatalf("IPv%d: did not hear %q", family, want)
		}
	}
	if _, err := ours.Write([]byte("first")); err != nil {
		t.Fatal(err)
	}
	listen("first")
	send("second")
	listen("second")

	letIn(t, on, false, true)
	send("not let in")
	if err := echo(); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("IPv%d: a live connection, not let in any more: %v, want a reset", family, err)
	}
	letIn(t, on, true, known)
	send("third")
	listen("third")
	letIn(t, on, false, known)
}

// sendAs sends a datagram from an address that a service listens on, too.
func sendAs(from, to netip.AddrPort, text string) error {
	domain := syscall.AF_INET
	if to.Addr().Is6() {
		domain = syscall.AF_INET6
	}
	fd, err := syscall.Socket(domain, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, syscall.IPPROTO_UDP)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	p := make([]byte, 8, 8+len(text)) // no checksum is no error over IPv4; the kernel makes IPv6's
	p[0], p[1], p[2], p[3] = byte(from.Port()>>8), byte(from.Port()), byte(to.Port()>>8), byte(to.Port())
	p = append(p, text...)
	p[4], p[5] = byte(len(p)>>8), byte(len(p))
	if domain == syscall.AF_INET {
		if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: from.Addr().As4()}); err != nil {
			return err
		}
		return syscall.Sendto(fd, p, 0, &syscall.SockaddrInet4{Addr: to.Addr().As4()})
	}
	const ipv6Checksum = 7
	if err := errors.Join(syscall.SetsockoptInt(fd, syscall.IPPROTO_IPV6, ipv6Checksum, 6), syscall.Bind(fd, &syscall.SockaddrInet6{Addr: from.Addr().As16()})); err != nil {
		return err
	}
	return syscall.Sendto(fd, p, 0, &syscall.SockaddrInet6{Addr: to.Addr().As16()})
}

// An address that is let in is of no use to a device that is not; one behind a router,
// of which no device is known, is let in by itself.
func stolenAddress(t *testing.T, l *lab.Lab, on *backend.Backend) {
	letIn(t, on, false, true)
	is := dict.Cell{Field: "captive_portal_authenticated", Value: dict.BoolValue(true)}
	for family, a := range map[int]netip.Addr{4: lab.Client4, 6: lab.Client6} {
		if err := on.Store.Put(dict.Hosts, dict.Row{Key: dict.AddrKey(a), Cells: []dict.Cell{is}}); err != nil {
			t.Fatal(err)
		}
		if got := page(t, l, family, "http://example.org/"); got != portalPage {
			t.Errorf("IPv%d: another's address gets %q", family, got)
		}
		if err := on.Store.Delete(dict.Hosts, dict.AddrKey(a), "mac_address"); err != nil {
			t.Fatal(err)
		}
		if got := page(t, l, family, "http://example.org/"); got != "hello from example.org" {
			t.Errorf("IPv%d: an address behind a router gets %q", family, got)
		}
	}
}
