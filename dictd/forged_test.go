// SPDX-License-Identifier: MIT

package dictd

import (
	"net"
	"net/netip"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
)

// frame sends a frame of a request for a page by a namespace's eth0, in the middle
// of a connection that never began.
func frame(t *testing.T, ns *lab.Namespace, mac, gateway net.HardwareAddr, from, to netip.Addr, port uint16, agent string) {
	t.Helper()
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: from.AsSlice(), DstIP: to.AsSlice()}
	tcp := &layers.TCP{SrcPort: layers.TCPPort(port), DstPort: 80, Seq: 1000, Ack: 1, ACK: true, PSH: true, Window: 1000}
	if err := tcp.SetNetworkLayerForChecksum(ip); err != nil {
		t.Fatal(err)
	}
	b := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
		&layers.Ethernet{SrcMAC: mac, DstMAC: gateway, EthernetType: layers.EthernetTypeIPv4}, ip, tcp,
		gopacket.Payload("GET / HTTP/1.1\r\nHost: example.org\r\nUser-Agent: "+agent+"\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	err = ns.Do(func() error {
		dev, err := net.InterfaceByName("eth0")
		if err != nil {
			return err
		}
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Sendto(fd, b.Bytes(), 0, &unix.SockaddrLinklayer{Ifindex: dev.Index, Halen: 6})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Who sends in another's name says nothing of him: what a packet tells of a device
// counts if the device has sent it.
func TestForgedEvidence(t *testing.T) {
	backends(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		startOn(t, l.Gateway, on, nil)
		nobody := netip.MustParseAddr("192.0.2.99") // answers with no reset
		victim, victimMAC := netip.MustParseAddr("192.168.77.50"), net.HardwareAddr{2, 0, 0, 0, 0x77, 0x50}
		run(t, l.Gateway, "ip", "neigh", "replace", victim.String(), "lladdr", victimMAC.String(), "dev", "lan0", "nud", "permanent")
		run(t, l.Client, "ping", "-c1", "-W5", lab.GatewayLAN4.String())
		attacker, err := net.ParseMAC(lab.ClientMAC)
		if err != nil {
			t.Fatal(err)
		}
		gateway, err := net.ParseMAC(lab.GatewayMAC)
		if err != nil {
			t.Fatal(err)
		}
		agent := func(a netip.Addr) string { return field(on.Store, dict.Hosts, dict.AddrKey(a), "http_user_agent") }
		eventually(t, "both are known", func() bool {
			return field(on.Store, dict.Hosts, dict.AddrKey(victim), "mac_address") != "" && field(on.Store, dict.Hosts, dict.AddrKey(lab.Client4), "mac_address") != ""
		})
		inspected := func(port string) {
			t.Helper()
			eventually(t, "the packet was looked at", func() bool {
				return len(rows(t, on.Store, map[string]string{"client_port": port, "http_user_agent": "agent " + port})) == 1
			})
		}
		frame(t, l.Client, attacker, gateway, victim, nobody, 2001, "agent 2001")
		inspected("2001")
		frame(t, l.Client, attacker, gateway, lab.Client4, nobody, 2002, "agent 2002")
		inspected("2002")
		eventually(t, "its own is believed", func() bool { return agent(lab.Client4) == "agent 2002" })
		if got := agent(victim); got != "" {
			t.Errorf("another says that the victim's is %q", got)
		}
		frame(t, l.Client, victimMAC, gateway, victim, nobody, 2003, "agent 2003")
		inspected("2003")
		eventually(t, "the victim's own is believed", func() bool { return agent(victim) == "agent 2003" })
		// By the same address of another device's name it is the same.
		announce(t, l.Client, lab.Client4, "attacker")
		eventually(t, "its own name is believed", func() bool { return field(on.Store, dict.Hosts, dict.AddrKey(lab.Client4), "hostname") == "attacker" })
		if got := field(on.Store, dict.Hosts, dict.AddrKey(victim), "hostname"); got != "" {
			t.Errorf("the victim is called %q", got)
		}
	})
}
