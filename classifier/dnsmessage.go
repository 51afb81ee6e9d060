// SPDX-License-Identifier: MIT

package classifier

import (
	"net/netip"
	"time"
)

// DNS record types that are read.
const (
	dnsA     = 1
	dnsCNAME = 5
	dnsAAAA  = 28
	dnsOPT   = 41
)

const (
	dnsHeader     = 12  // bytes
	maxDNSRecords = 256 // in one message
	maxDNSChain   = 16  // names that lead to an address
	maxDNSPointer = 64  // jumps in one name
	maxDNSName    = 255 // bytes on the wire
)

// dnsMessage reads one message. Its memory may be used again; what it returns
// is valid until the next parse.
type dnsMessage struct {
	b        []byte
	id       uint16
	response bool
	failed   bool // the answer is an error
	legible  bool // the one question could be read, whatever else the header says
	sound    bool // it is of a usual type and class, behind a header that fits it, whatever became of the rest
	question dnsName
	kind     uint16 // of the question
	answers  int    // records of the answer section
	first    int    // offset of the first of them
	name     dnsName
}

// dnsName is a name in lower case. text is its labels with dots between; it is a
// host name only if clean.
type dnsName struct {
	text  [maxDNSName]byte
	n     int
	hash  uint64 // of the labels; can be forged: compare it within one message only
	clean bool
}

// bytes returns the name's text.
func (n *dnsName) bytes() []byte { return n.text[:n.n] }

// parse reports whether b is a DNS message to the last byte: one question, and
// records that fill the rest exactly.
func (m *dnsMessage) parse(b []byte) bool {
	m.legible, m.sound = false, false // whatever another's message has left
	if len(b) < dnsHeader+5 {
		return false
	}
	r := newReader(b, len(b))
	m.b, m.id = b, r.u16()
	flags := r.u16()
	questions, answers, authorities, others := r.u16(), r.u16(), r.u16(), r.u16()
	m.response = flags&0x8000 != 0
	m.failed = flags&0x000f != 0
	m.answers = int(answers)
	opcode := flags >> 11 & 15
	if questions != 1 || opcode != 0 && opcode != 4 && opcode != 5 || !m.readName(&r, &m.question) {
		return false
	}
	m.kind = r.u16()
	class := r.u16()
	m.legible = r.state == whole
	switch {
	case !m.legible, m.kind == 0, class != 1 && class != 3 && class != 254 && class != 255, flags&0x0040 != 0,
		opcode == 0 && !m.response && (answers != 0 || authorities != 0 || others > 3 || m.failed),
		int(answers)+int(authorities)+int(others) > maxDNSRecords:
		return false
	}
	m.first, m.sound = r.pos, true
	for range int(answers) + int(authorities) + int(others) {
		if !m.readName(&r, &m.name) {
			return false
		}
		r.take(8) // type, class, TTL
		r.vector16()
		if r.state != whole {
			return false
		}
	}
	return r.pos == len(b)
}

// addresses yields the addresses that the answer gives for the question's name,
// directly or by way of other names.
func (m *dnsMessage) addresses(yield func(netip.Addr, time.Duration) bool) {
	var chain [maxDNSChain]uint64
	chain[0] = m.question.hash
	known := 1
	for grew := true; grew && known < maxDNSChain; {
		grew = false
		for a := range m.records {
			if a.kind != dnsCNAME || !contains(chain[:known], a.owner) {
				continue
			}
			r := newReader(m.b, len(m.b))
			r.pos = a.at
			if m.readName(&r, &m.name) && !contains(chain[:known], m.name.hash) && known < maxDNSChain {
				chain[known] = m.name.hash
				known++
				grew = true
			}
		}
	}
	for a := range m.records {
		if !contains(chain[:known], a.owner) {
			continue
		}
		var addr netip.Addr
		switch {
		case a.kind == dnsA && len(a.data) == 4:
			addr = netip.AddrFrom4([4]byte(a.data))
		case a.kind == dnsAAAA && len(a.data) == 16:
			addr = netip.AddrFrom16([16]byte(a.data))
		default:
			continue
		}
		if !yield(addr, time.Duration(a.ttl)*time.Second) {
			return
		}
	}
}

// dnsRecord is one record of the answer section, class Internet.
type dnsRecord struct {
	owner uint64
	kind  uint16
	ttl   uint32
	at    int // offset of data
	data  []byte
}

// records yields the records of the answer section of a parsed message.
func (m *dnsMessage) records(yield func(dnsRecord) bool) {
	r := newReader(m.b, len(m.b))
	r.pos = m.first
	for range m.answers {
		if !m.readName(&r, &m.name) {
			return
		}
		a := dnsRecord{owner: m.name.hash, kind: r.u16()}
		class := r.u16()
		a.ttl = r.u32()
		a.data = r.vector16()
		a.at = r.pos - len(a.data)
		if r.state != whole || class == 1 && !yield(a) {
			return
		}
	}
}

// readName reads the name at r into n. Compressed names only point backwards.
func (m *dnsMessage) readName(r *reader, n *dnsName) bool {
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	n.n, n.hash, n.clean = 0, offset, true
	at, jumped := r.pos, false
	for jumps, wire := 0, 0; ; {
		if at >= len(m.b) {
			return false
		}
		size := int(m.b[at])
		switch {
		case size == 0:
			if !jumped {
				r.pos = at + 1
			}
			n.clean = n.clean && n.n > 0
			return true
		case size >= 0xc0:
			if at+1 >= len(m.b) {
				return false
			}
			to := (size&0x3f)<<8 | int(m.b[at+1])
			if !jumped {
				r.pos = at + 2
			}
			if jumps++; to >= at || to < dnsHeader || jumps > maxDNSPointer {
				return false
			}
			at, jumped = to, true
			continue
		case size > 63, at+1+size > len(m.b):
			return false
		}
		if wire += 1 + size; wire > maxDNSName-1 {
			return false
		}
		if n.n > 0 {
			n.text[n.n] = '.'
			n.n++
		}
		n.hash = (n.hash ^ uint64(size)) * prime
		for _, c := range m.b[at+1 : at+1+size] {
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			if c == '.' {
				n.clean = false // would read as two labels
			}
			n.text[n.n] = c
			n.n++
			n.hash = (n.hash ^ uint64(c)) * prime
		}
		at += 1 + size
	}
}

func contains(set []uint64, v uint64) bool {
	for _, have := range set {
		if have == v {
			return true
		}
	}
	return false
}
