// SPDX-License-Identifier: MIT

package labtest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"

	"nftdict/internal/lab"
	"nftdict/internal/need"
)

// Wire counts what was forwarded between client and internet, by the counters of
// the devices that receive it: bytes of IP packets but those of neighbour discovery
// and multicast, and those to and from the gateway's own port. What the gateway has
// received and not let go on, a first packet that a queue had no room for, is on
// neither side.
type Wire struct {
	tb testing.TB
	l  *lab.Lab
}

// NewWire makes packets of the lab what they are on a wire, and counts from now on. The
// gateway itself connects to TCP port own, 0 for none.
func NewWire(tb testing.TB, l *lab.Lab, own uint16) *Wire {
	tb.Helper()
	w := &Wire{tb: tb, l: l}
	whole := func(ns *lab.Namespace, device string) {
		w.run(ns, need.Program(tb, "ethtool"), "-K", device, "gro", "off", "gso", "off", "tso", "off")
	}
	whole(l.Gateway, "lan0")
	whole(l.Gateway, "wan0")
	for ns, device := range map[*lab.Namespace]string{l.Internet: "eth0", l.Client: "eth0"} {
		whole(ns, device)
		rules := "add table netdev wire; add counter netdev wire noise; add chain netdev wire in { type filter hook ingress device " + device + " priority 0; };" +
			"add rule netdev wire in meta protocol arp counter name noise; add rule netdev wire in meta l4proto { icmp, icmpv6, igmp } counter name noise"
		if own != 0 {
			rules += fmt.Sprintf("; add rule netdev wire in tcp dport %d counter name noise", own)
		}
		w.run(ns, need.Program(tb, "nft"), rules)
	}
	return w
}

// Read returns the bytes from and to the client so far.
func (w *Wire) Read() (out, in uint64) {
	w.tb.Helper()
	return w.received(w.l.Internet, "eth0"), w.received(w.l.Client, "eth0")
}

// received returns what a device has received but the noise. Neighbours are asked for
// at times of their own: what came between the reading of one figure and of the other
// would be in one alone, for ever where it is what later figures are compared with.
func (w *Wire) received(ns *lab.Namespace, device string) uint64 {
	w.tb.Helper()
	const etherHeader = 14
	for rx, noise := w.device(ns, device), w.noise(ns); ; {
		again, same := w.device(ns, device), w.noise(ns)
		if again == rx && same == noise {
			return rx.RxBytes - etherHeader*rx.RxPackets - noise
		}
		rx, noise = again, same
	}
}

// device returns the counters of a device.
func (w *Wire) device(ns *lab.Namespace, name string) netlink.LinkStatistics {
	w.tb.Helper()
	h, err := ns.Netlink()
	if err != nil {
		w.tb.Fatal(err)
	}
	defer h.Close()
	link, err := h.LinkByName(name)
	if err != nil {
		w.tb.Fatal(err)
	}
	return *link.Attrs().Statistics
}

// noise returns the bytes of what is not forwarded.
func (w *Wire) noise(ns *lab.Namespace) (bytes uint64) {
	w.tb.Helper()
	words := strings.Fields(w.run(ns, "nft", "list counter netdev wire noise"))
	for i, word := range words {
		if word == "bytes" {
			var err error
			if bytes, err = strconv.ParseUint(words[i+1], 10, 64); err != nil {
				w.tb.Fatal(err)
			}
		}
	}
	return bytes
}

func (w *Wire) run(ns *lab.Namespace, program string, args ...string) string {
	w.tb.Helper()
	out, err := ns.Command(context.Background(), program, args...).CombinedOutput()
	if err != nil {
		w.tb.Fatalf("%s %q: %v\n%s", program, args, err, out)
	}
	return string(out)
}
