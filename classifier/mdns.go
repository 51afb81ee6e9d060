// SPDX-License-Identifier: MIT

package classifier

// maxMDNSQuestions bounds the questions of one multicast message.
const maxMDNSQuestions = 64

func mdnsDetector() detector {
	return detector{
		name: "MDNS", upper: "MDNS", category: "network", confidence: 95,
		datagram: func(x *sight) verdict { return x.lookLocalDNS(portMDNS, "mdns/name") },
	}
}

func llmnrDetector() detector {
	return detector{
		name: "LLMNR", upper: "LLMNR", category: "network", confidence: 95,
		datagram: func(x *sight) verdict { return x.lookLocalDNS(portLLMNR, "llmnr/name") },
	}
}

// lookLocalDNS reads one message of multicast DNS (RFC 6762) or LLMNR (RFC
// 4795). Both have DNS's messages; only their ports tell them from it.
func (x *sight) lookLocalDNS(port uint16, rule string) verdict {
	if x.p.SrcPort != port && x.p.DstPort != port || !x.dns.parseLocal(x.data) {
		return no
	}
	// Names are UTF-8 here; a result has no room for other letters than ASCII's,
	// and a name without them is still one.
	q := x.line[:0]
	for _, c := range x.dns.question.bytes() {
		if c >= 0x20 && c <= 0x7e {
			q = append(q, c)
		}
	}
	x.line = q
	if len(q) == 0 || len(q) > x.c.opts.MaxString {
		return found
	}
	if x.s.findings().detail == "" {
		x.s.note(rule, string(q), 0)
		x.detail(string(q))
	}
	return done
}

// parseLocal reports whether b is a message of any number of questions whose
// records fill it exactly. The question is the first name in it.
func (m *dnsMessage) parseLocal(b []byte) bool {
	if len(b) < dnsHeader+5 {
		return false
	}
	r := newReader(b, len(b))
	m.b, m.id = b, r.u16()
	flags := r.u16()
	questions := int(r.u16())
	records := int(r.u16()) + int(r.u16()) + int(r.u16())
	m.response = flags&0x8000 != 0
	m.question.n = 0
	if flags&0x7800 != 0 || questions > maxMDNSQuestions || records > maxDNSRecords || questions+records == 0 {
		return false
	}
	for i := range questions + records {
		name := &m.name
		if i == 0 {
			name = &m.question
		}
		if !m.readName(&r, name) {
			return false
		}
		kind := r.u16()
		class := r.u16() &^ 0x8000 // the bit that asks for unicast or flushes
		if i >= questions {
			r.take(4)
			r.vector16()
		}
		if r.state != whole || kind == 0 || kind != dnsOPT && class != 1 && class != 255 {
			return false
		}
	}
	return r.pos == len(b)
}
