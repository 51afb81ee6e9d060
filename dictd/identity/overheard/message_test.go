// SPDX-License-Identifier: MIT

package overheard

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

var device = [6]byte{2, 0, 0, 0, 0x77, 2}

// udp builds a packet of one datagram.
func udp(src, dst string, data []byte) []byte {
	from, to := netip.MustParseAddrPort(src), netip.MustParseAddrPort(dst)
	u := binary.BigEndian.AppendUint16(nil, from.Port())
	u = binary.BigEndian.AppendUint16(u, to.Port())
	u = binary.BigEndian.AppendUint16(u, uint16(8+len(data)))
	u = append(append(u, 0, 0), data...)
	var h []byte
	if from.Addr().Is4() {
		h = append(make([]byte, 12), append(from.Addr().AsSlice(), to.Addr().AsSlice()...)...)
		h[0], h[9] = 0x45, protoUDP
		binary.BigEndian.PutUint16(h[2:], uint16(len(h)+len(u)))
	} else {
		h = append(make([]byte, 8), append(from.Addr().AsSlice(), to.Addr().AsSlice()...)...)
		h[0], h[6] = 0x60, protoUDP
		binary.BigEndian.PutUint16(h[4:], uint16(len(u)))
	}
	return append(h, u...)
}

// dhcpRequest builds a client's message.
func dhcpRequest(mac [6]byte, options ...string) []byte {
	b := make([]byte, dhcpOptions)
	b[0], b[1], b[2] = 1, 1, 6
	copy(b[dhcpClient:], mac[:])
	binary.BigEndian.PutUint32(b[dhcpMagic:], 0x63825363)
	b = append(b, 53, 1, 1)
	for _, o := range options {
		b = append(append(b, o[0], byte(len(o)-1)), o[1:]...)
	}
	return append(b, 255)
}

func pack(t testing.TB, m *dns.Msg, records ...string) []byte {
	t.Helper()
	for _, text := range records {
		rr, err := dns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func announcement(t testing.TB, records ...string) []byte {
	return pack(t, &dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Authoritative: true}}, records...)
}

// netbiosMessage builds a registration of a name.
func netbiosMessage(t testing.TB, name string, kind byte, flags string) []byte {
	t.Helper()
	padded := name + strings.Repeat(" ", 15-len(name)) + string(kind)
	coded := ""
	for i := range len(padded) {
		coded += string('A'+padded[i]>>4) + string('A'+padded[i]&15)
	}
	m := &dns.Msg{MsgHdr: dns.MsgHdr{Opcode: netbiosRegister}, Question: []dns.Question{{Name: coded + ".", Qtype: dns.TypeNIMLOC, Qclass: 1}}}
	m.Extra = []dns.RR{&dns.NIMLOC{Hdr: dns.RR_Header{Name: coded + ".", Rrtype: dns.TypeNIMLOC, Class: 1, Ttl: 300}, Locator: flags + hex.EncodeToString([]byte{10, 0, 0, 1})}}
	return pack(t, m)
}

func TestParse(t *testing.T) {
	addr := netip.MustParseAddr("10.0.0.1")
	query := &dns.Msg{Question: []dns.Question{{Name: "desktop-a1.", Qtype: dns.TypeANY, Qclass: 1}}}
	lookup := &dns.Msg{Question: []dns.Question{{Name: "printer.", Qtype: dns.TypeA, Qclass: 1}}}
	relayed := dhcpRequest(device, "\x0cpc")
	relayed[dhcpRelay+3] = 1
	v6 := "\x01abc\x00\x01\x00\x00" + "\x00\x27\x00\x06\x00\x04lap6" + "\x00\x10\x00\x0e\x00\x00\x01\x37\x00\x08MSFT 5.0"
	for name, c := range map[string]struct {
		packet []byte
		want   *Message
	}{
		"dhcp": {udp("0.0.0.0:68", "255.255.255.255:67", dhcpRequest(device, "\x0cAnna-PC", "\x3cMSFT 5.0", "\x37\x01\x03\x06")),
			&Message{Source: DHCP, Names: []Named{{Name: "Anna-PC"}}, Class: "MSFT 5.0", Options: "1,3,6"}},
		"dhcp full name":   {udp("0.0.0.0:68", "255.255.255.255:67", dhcpRequest(device, "\x51\x04\x00\x00\x02pc\x03lan\x00")), &Message{Source: DHCP, Names: []Named{{Name: "pc.lan"}}}},
		"dhcp of another":  {udp("0.0.0.0:68", "255.255.255.255:67", dhcpRequest([6]byte{2, 0, 0, 0, 0, 9}, "\x0cvictim")), nil},
		"dhcp relayed":     {udp("10.0.0.9:67", "10.0.0.1:67", relayed), nil},
		"dhcp controls":    {udp("0.0.0.0:68", "255.255.255.255:67", dhcpRequest(device, "\x0ca\x1bb", "\x3c\xff\xfe")), nil},
		"dhcp cut":         {udp("0.0.0.0:68", "255.255.255.255:67", append(dhcpRequest(device)[:dhcpOptions], 12, 200, 'a')), nil},
		"dhcpv6":           {udp("[fe80::1]:546", "[ff02::1:2]:547", []byte(v6)), &Message{Source: DHCP, From: netip.MustParseAddr("fe80::1"), Names: []Named{{Name: "lap6"}}, Class: "MSFT 5.0"}},
		"dhcpv6 relayed":   {udp("[fe80::1]:546", "[ff02::1:2]:547", []byte("\x0c"+v6[1:])), nil},
		"mdns question":    {udp("10.0.0.1:5353", "224.0.0.251:5353", pack(t, &dns.Msg{Question: lookup.Question})), nil},
		"mdns other port":  {udp("10.0.0.1:1234", "224.0.0.251:5353", announcement(t, "pc.local. 120 IN A 10.0.0.1")), nil},
		"mdns goodbye":     {udp("10.0.0.1:5353", "224.0.0.251:5353", announcement(t, "pc.local. 0 IN A 10.0.0.1")), nil},
		"mdns not local":   {udp("10.0.0.1:5353", "224.0.0.251:5353", announcement(t, "www.example.org. 120 IN A 10.0.0.1")), nil},
		"llmnr":            {udp("10.0.0.1:40000", "224.0.0.252:5355", pack(t, query)), &Message{Source: LLMNR, From: addr, Names: []Named{{Name: "desktop-a1"}}}},
		"llmnr of another": {udp("10.0.0.1:40000", "224.0.0.252:5355", pack(t, lookup)), nil},
		"netbios":          {udp("10.0.0.1:137", "10.0.0.255:137", netbiosMessage(t, "DESKTOP-A1", 0, "0000")), &Message{Source: NetBIOS, From: addr, Names: []Named{{"DESKTOP-A1", addr}}}},
		"netbios group":    {udp("10.0.0.1:137", "10.0.0.255:137", netbiosMessage(t, "WORKGROUP", 0, "8000")), nil},
		"netbios browser":  {udp("10.0.0.1:137", "10.0.0.255:137", netbiosMessage(t, "ANNA", 0x1d, "0000")), nil},
		"mdns": {udp("10.0.0.1:5353", "224.0.0.251:5353", announcement(t,
			"Office._ipp._tcp.local. 120 IN SRV 0 0 631 Laser.local.", "_ipp._tcp.local. 4500 IN PTR Office._ipp._tcp.local.", "laser.local. 120 IN A 10.0.0.1",
			"laser.local. 120 IN AAAA fd00::1", "Laser._device-info._tcp.local. 120 IN TXT \"model=MacBookPro18,3\"", "_services._dns-sd._udp.local. 9 IN PTR _http._tcp.local.",
		)), &Message{Source: MDNS, From: addr, Names: []Named{{"laser", addr}, {"laser", netip.MustParseAddr("fd00::1")}}, Services: []Service{
			{Type: "_ipp._tcp", Target: "laser"}, {Type: "_ipp._tcp"}, {Model: "MacBookPro18,3"}, {Type: "_http._tcp"},
		}}},
	} {
		got, ok := Parse(c.packet, device)
		if ok != (c.want != nil) {
			t.Errorf("%s: heard %+v, %v", name, got, ok)
		} else if ok {
			c.want.MAC = device
			if diff := cmp.Diff(*c.want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
	whole := udp("10.0.0.1:137", "10.0.0.255:137", netbiosMessage(t, "PC", 0, "0000"))
	for i := range whole {
		Parse(whole[:i], device)
	}
	whole[6] = 0x20 // more fragments
	if _, ok := Parse(whole, device); ok {
		t.Error("a fragment is read")
	}
	if _, ok := Parse(udp("10.0.0.1:137", "10.0.0.255:137", netbiosMessage(t, "PC", 0, "0000")), [6]byte{1}); ok {
		t.Error("a group speaks")
	}
}

// Whatever comes, what is heard is bounded and can be shown.
func FuzzParse(f *testing.F) {
	f.Add(udp("0.0.0.0:68", "255.255.255.255:67", dhcpRequest(device, "\x0cpc", "\x51\x04\x00\x00\x02pc")))
	f.Add(udp("10.0.0.1:137", "10.0.0.255:137", netbiosMessage(f, "PC", 0, "0000")))
	f.Add(udp("[fe80::1]:5353", "[ff02::fb]:5353", announcement(f, "a.local. 9 IN A 1.2.3.4", "a._ipp._tcp.local. 9 IN SRV 0 0 1 a.local.", "a._device-info._tcp.local. 9 IN TXT \"model=x\"")))
	f.Add(udp("[fe80::1]:546", "[ff02::1:2]:547", []byte("\x01abc\x00\x27\x00\x04\x00\x02pc")))
	f.Fuzz(func(t *testing.T, packet []byte) {
		m, ok := Parse(packet, device)
		if !ok {
			return
		}
		texts := []string{m.Class, m.Options}
		for _, n := range m.Names {
			texts = append(texts, n.Name)
		}
		for _, s := range m.Services {
			texts = append(texts, s.Type, s.Target, s.Model)
		}
		if len(texts) > 2+maxNames+3*maxServices {
			t.Errorf("%d texts", len(texts))
		}
		for _, text := range texts {
			if text != clean(text) || len(text) > 4*maxOptions {
				t.Errorf("text %q", text)
			}
		}
	})
}
