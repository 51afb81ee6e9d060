// SPDX-License-Identifier: MIT

package overheard

import (
	"encoding/hex"
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

// Bounds of what is taken of one message.
const (
	maxNames    = 16
	maxServices = 32
)

// mdns reads an announcement, or an answer, of multicast DNS (RFC 6762, 6763).
func (m *Message) mdns(b []byte) bool {
	var msg dns.Msg
	if msg.Unpack(b) != nil || !msg.Response || msg.Opcode != dns.OpcodeQuery {
		return false
	}
	for _, rrs := range [][]dns.RR{msg.Answer, msg.Extra} {
		for _, rr := range rrs {
			if rr.Header().Ttl == 0 { // it says goodbye
				continue
			}
			m.record(rr)
		}
	}
	return true
}

// record takes a record of multicast DNS.
func (m *Message) record(rr dns.RR) {
	owner := rr.Header().Name
	switch rr := rr.(type) {
	case *dns.A:
		m.address(owner, rr.A)
	case *dns.AAAA:
		m.address(owner, rr.AAAA)
	case *dns.PTR:
		if t := serviceType(owner); t == "_services._dns-sd._udp" {
			m.offer(Service{Type: serviceType(rr.Ptr)})
		} else {
			m.offer(Service{Type: t})
		}
	case *dns.SRV:
		m.offer(Service{Type: serviceType(owner), Target: localName(rr.Target)})
	case *dns.TXT:
		for _, text := range rr.Txt {
			key, model, _ := strings.Cut(text, "=")
			switch strings.ToLower(key) {
			case "model", "md", "am": // of _device-info; of casting; of remote audio
				m.offer(Service{Model: clean(model)})
			}
		}
	}
}

func (m *Message) address(owner string, addr []byte) {
	a, _ := netip.AddrFromSlice(addr)
	a = a.Unmap()
	if name := localName(owner); name != "" && a.IsValid() && len(m.Names) < maxNames {
		m.Names = append(m.Names, Named{name, a})
	}
}

func (m *Message) offer(s Service) {
	if (s.Type != "" || s.Model != "") && len(m.Services) < maxServices {
		m.Services = append(m.Services, s)
	}
}

// localName returns a host's name without ".local", "" if it is not of that
// domain.
func localName(name string) string {
	short, local := strings.CutSuffix(strings.ToLower(name), ".local.")
	if !local || strings.Contains(short, ".") {
		return ""
	}
	return clean(short)
}

// serviceType returns the type of services in a name, "" if there is none.
func serviceType(name string) string {
	labels := dns.SplitDomainName(strings.ToLower(name))
	n := len(labels)
	if n == 4 && labels[0] == "_services" && labels[1] == "_dns-sd" {
		return "_services._dns-sd._udp"
	}
	if n < 3 || labels[n-1] != "local" || labels[n-2] != "_tcp" && labels[n-2] != "_udp" {
		return ""
	}
	t := labels[n-3]
	if len(t) < 2 || len(t) > 32 || t[0] != '_' || strings.Trim(t, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		return ""
	}
	return t + "." + labels[n-2]
}

// llmnr reads the question by which a host makes sure that nobody else has its
// name: for records of any kind (RFC 4795, 4.1). Other questions are for others'.
func (m *Message) llmnr(b []byte) bool {
	var msg dns.Msg
	if msg.Unpack(b) != nil || msg.Response || msg.Opcode != dns.OpcodeQuery || len(msg.Question) != 1 || msg.Question[0].Qtype != dns.TypeANY {
		return false
	}
	m.Names = []Named{{Name: clean(strings.TrimSuffix(msg.Question[0].Name, "."))}}
	return m.Names[0].Name != ""
}

// Operations on NetBIOS names (RFC 1002, 4.2.1.1).
const (
	netbiosRegister = 5
	netbiosRefresh  = 8
	netbiosRefreshB = 9 // as some write it
)

// netbios reads the registration of a name by its host (RFC 1002, 4.2.2). Names
// of groups, and of other things than computers, are none.
func (m *Message) netbios(b []byte) bool {
	var msg dns.Msg
	if msg.Unpack(b) != nil || msg.Response || len(msg.Question) != 1 || len(msg.Extra) != 1 {
		return false
	}
	if msg.Opcode != netbiosRegister && msg.Opcode != netbiosRefresh && msg.Opcode != netbiosRefreshB {
		return false
	}
	rr, ok := msg.Extra[0].(*dns.NIMLOC) // the number that NetBIOS has for itself
	if !ok {
		return false
	}
	data, err := hex.DecodeString(rr.Locator)
	if err != nil || len(data) != 6 || data[0]&0x80 != 0 {
		return false
	}
	name, kind, ok := decodeNetBIOS(msg.Question[0].Name)
	if !ok || kind != 0 && kind != 0x20 {
		return false
	}
	m.Names = []Named{{name, netip.AddrFrom4([4]byte(data[2:]))}}
	return true
}

// decodeNetBIOS reads a name of 15 bytes and the kind of what has it, which are
// written as twice as many letters.
func decodeNetBIOS(text string) (name string, kind byte, ok bool) {
	text, _, _ = strings.Cut(text, ".")
	if len(text) != 32 {
		return "", 0, false
	}
	var b [16]byte
	for i := range b {
		hi, lo := text[2*i]-'A', text[2*i+1]-'A'
		if hi > 15 || lo > 15 {
			return "", 0, false
		}
		b[i] = hi<<4 | lo
	}
	name = clean(strings.TrimRight(string(b[:15]), " \x00"))
	return name, b[15], name != "" && name[0] != 0x01
}
