// SPDX-License-Identifier: MIT

package lab

import (
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// How long a link may take to become operational.
const (
	settlePause = 5 * time.Millisecond
	settleTries = 1000
)

// end is one end of a veth link.
type end struct {
	ns    *Namespace
	name  string
	mac   net.HardwareAddr
	addrs []netip.Prefix
}

// connect makes a veth link between two namespaces, created where it belongs:
// the host's namespace never sees it. Both ends are up when it returns.
func connect(a, b end) error {
	ha, err := a.ns.Netlink()
	if err != nil {
		return fmt.Errorf("netlink in %s: %w", a.ns.name, err)
	}
	defer ha.Close()
	hb, err := b.ns.Netlink()
	if err != nil {
		return fmt.Errorf("netlink in %s: %w", b.ns.name, err)
	}
	defer hb.Close()

	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.HardwareAddr = a.name, a.mac
	veth := &netlink.Veth{
		LinkAttrs:        attrs,
		PeerName:         b.name,
		PeerHardwareAddr: b.mac,
		PeerNamespace:    netlink.NsFd(b.ns.FD()),
	}
	if err := ha.LinkAdd(veth); err != nil {
		return fmt.Errorf("link %s %s to %s %s: %w", a.ns.name, a.name, b.ns.name, b.name, err)
	}
	if err := a.configure(ha); err != nil {
		return err
	}
	return b.configure(hb)
}

func (e end) configure(h *netlink.Handle) error {
	link, err := h.LinkByName(e.name)
	if err != nil {
		return fmt.Errorf("link %s in %s: %w", e.name, e.ns.name, err)
	}
	// One segment per packet: what crosses the gateway is what a wire carries.
	if err := h.LinkSetGSOMaxSegs(link, 1); err != nil {
		return fmt.Errorf("segmentation of %s in %s: %w", e.name, e.ns.name, err)
	}
	if err := addAddrs(h, link, e.addrs...); err != nil {
		return fmt.Errorf("in %s: %w", e.ns.name, err)
	}
	if err := h.LinkSetUp(link); err != nil {
		return fmt.Errorf("link %s in %s up: %w", e.name, e.ns.name, err)
	}
	return nil
}

// settle waits until the kernel regards the link as operational; until then
// IPv6 hears no neighbour solicitation. The kernel may take a second to notice
// by itself; since 6.9 asking for the one link makes it look at once.
func (e end) settle() error {
	h, err := e.ns.Netlink()
	if err != nil {
		return fmt.Errorf("netlink in %s: %w", e.ns.name, err)
	}
	defer h.Close()
	for range settleTries {
		link, err := h.LinkByName(e.name)
		if err != nil {
			return fmt.Errorf("link %s in %s: %w", e.name, e.ns.name, err)
		}
		if link.Attrs().OperState == netlink.OperUp {
			return nil
		}
		time.Sleep(settlePause)
	}
	return fmt.Errorf("link %s in %s: not operational after %v", e.name, e.ns.name, settleTries*settlePause)
}

func addAddrs(h *netlink.Handle, link netlink.Link, addrs ...netip.Prefix) error {
	for _, p := range addrs {
		addr := &netlink.Addr{IPNet: ipNet(p)}
		if p.Addr().Is6() {
			addr.Flags = unix.IFA_F_NODAD
		}
		if err := h.AddrAdd(link, addr); err != nil {
			return fmt.Errorf("address %s on %s: %w", p, link.Attrs().Name, err)
		}
	}
	return nil
}

// route adds routes to dst through via. An invalid dst is the default route.
func route(n *Namespace, dst netip.Prefix, via netip.Addr) error {
	h, err := n.Netlink()
	if err != nil {
		return fmt.Errorf("netlink in %s: %w", n.name, err)
	}
	defer h.Close()
	r := &netlink.Route{Gw: via.AsSlice()}
	if dst.IsValid() {
		r.Dst = ipNet(dst)
	}
	if err := h.RouteAdd(r); err != nil {
		return fmt.Errorf("route %s via %s in %s: %w", dst, via, n.name, err)
	}
	return nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{
		IP:   p.Addr().AsSlice(),
		Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()),
	}
}
