// SPDX-License-Identifier: MIT

package classifier

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
)

// Ports of protocols that have DNS's messages and are not DNS.
const (
	portDNS     = 53
	portNetBIOS = 137
	portMDNS    = 5353
	portLLMNR   = 5355
)

// maxDNSPending bounds the questions of one session that wait for an answer.
const maxDNSPending = 8

func dnsDetector() detector {
	return detector{
		name: "DNS", upper: "DNS", category: "network", confidence: 95,
		stream:   lookDNSStream,
		datagram: lookDNS,
	}
}

// dnsWork is what a session keeps of the questions it asked.
type dnsWork struct {
	read    [2]int // bytes of each stream that are dealt with
	pending [maxDNSPending]dnsQuestion
	next    int
}

// dnsQuestion is enough of a question to know its answer by.
type dnsQuestion struct {
	hash uint64 // of the name, by a seed that nobody who answers knows
	id   uint16
	open bool
}

// lookDNS reads one datagram. While answers are remembered a session is watched
// for as long as it speaks DNS: they are what later sessions' hints are made of.
// The application stays DNS unless Options.Lookups is set: one session may ask
// for many names.
func lookDNS(x *sight) verdict {
	if isDNSLike(x.p.SrcPort) || isDNSLike(x.p.DstPort) {
		return no
	}
	if !x.dns.parse(x.data) {
		if x.s.detector == nil && x.registered() == portDNS && x.dns.question.clean && (x.dns.sound || x.dns.legible && isDomain(x.dns.question.bytes())) {
			x.dns.failed = true // nothing in it is to be believed
			x.s.certainty = confidenceBroken
			x.learnDNS(&x.dns)
			return found
		}
		if x.s.detector != nil && x.s.flags&alone == 0 {
			return done
		}
		return no
	}
	x.learnDNS(&x.dns)
	if x.c.opts.Hints != nil {
		x.s.flags |= unlimited
		return found
	}
	if x.dns.response {
		return done
	}
	return found
}

// isDomain reports whether b is a host name of several labels.
func isDomain(b []byte) bool { return bytes.IndexByte(b, '.') > 0 && isHostname(string(b)) }

// lookDNSStream reads messages with their length in front.
func lookDNSStream(x *sight) verdict {
	if isDNSLike(x.p.SrcPort) || isDNSLike(x.p.DstPort) {
		return no
	}
	read, result := 0, wait
	if x.s.detector != nil {
		read, result = x.dnsWork().read[x.dir], found
	}
	for b := x.data[read:]; len(b) >= 2; b = x.data[read:] {
		size := int(binary.BigEndian.Uint16(b))
		if size < dnsHeader+5 || !isDNSHeader(b[2:]) {
			return no
		}
		if len(b) < 2+size {
			break
		}
		if !x.dns.parse(b[2 : 2+size]) {
			return no
		}
		x.learnDNS(&x.dns)
		read += 2 + size
		x.dnsWork().read[x.dir] = read
		result = found
	}
	return result
}

// isDNSHeader reports whether b, which may be cut anywhere, can begin a message
// of one question.
func isDNSHeader(b []byte) bool {
	switch {
	case len(b) >= 4 && b[3]&0x40 != 0, // the bit that must be zero
		len(b) >= 6 && binary.BigEndian.Uint16(b[4:]) != 1,
		len(b) >= 8 && b[2]&0x80 == 0 && b[6]|b[7] != 0: // a query with answers
		return false
	}
	return true
}

func isDNSLike(port uint16) bool {
	return port == portNetBIOS || port == portMDNS || port == portLLMNR
}

// learnDNS notes the name of a message and remembers the addresses of an answer
// to a question this session asked.
func (x *sight) learnDNS(m *dnsMessage) {
	q := m.question.bytes()
	name, clean := x.s.findings().detail, m.question.clean && len(q) <= x.c.opts.MaxString
	if clean && name != string(q) {
		fresh := name == "" || !m.response // an answer repeats its question
		if name = string(q); !isHostname(name) {
			clean = false
		} else if fresh {
			x.s.note("dns/name", name, 0)
			x.asked(name, x.s.findings().detail != "")
			x.detail(name)
		}
	}
	if clean && m.response && x.s.once(answered) {
		x.s.note("dns/answered", name, 0)
	}
	if !clean && !m.response {
		x.lookup(nil)
	}
	if !clean && x.s.once(sawHost) {
		x.note("dns/name: not a host name of allowed length", q, 0)
	}
	if x.c.opts.Hints == nil || m.kind != dnsA && m.kind != dnsAAAA || !clean {
		return
	}
	w, hash := x.dnsWork(), x.c.opts.Hints.hash(q)
	if !m.response {
		if x.dir == Original {
			w.ask(m.id, hash)
		}
		return
	}
	if x.dir != Reply || !w.answered(m.id, hash) || m.failed {
		return
	}
	for addr, ttl := range m.addresses {
		client := netip.AddrFrom16(x.s.client).Unmap()
		x.c.opts.Hints.Add(client, addr, name, ttl, x.now)
		if x.c.opts.Answered != nil {
			x.c.opts.Answered(x.p, client, addr.Unmap(), name, ttl, x.now)
		}
	}
}

// asked notes the service behind a name asked for. With Options.Lookups it is
// the session's application; a second service makes it plain DNS again, for good.
func (x *sight) asked(name string, again bool) {
	x.namedByQuestion(name)
	f, app := x.s.findings(), x.c.opts.Domains.find(name)
	x.lookup(app)
	if !x.c.opts.Lookups || x.s.found.label != nil {
		return
	}
	switch {
	case x.s.flags&mixed != 0:
	case !again:
		f.application, f.inferred, f.confidence = app, false, 0
		if app != nil {
			f.confidence = confidenceName
		}
	case f.application != app:
		f.application, f.confidence = nil, 0
		x.s.flags |= mixed
	}
}

// lookup notes the service that the last question was about, nil if it is not
// known.
func (x *sight) lookup(app *Application) {
	f := x.s.findings()
	if f.lookup == app {
		return
	}
	f.lookup = app
	if app != nil {
		x.s.note("dns/lookup", app.Name, 0)
	}
	x.s.touch()
}

// namedByQuestion names the protocols that begin with a question of DNS: DNSCrypt's
// for its certificate, and the same of one vendor.
func (x *sight) namedByQuestion(name string) {
	switch {
	case strings.HasPrefix(name, "2.dnscrypt-cert."):
		x.label(&labelDNSCrypt)
	case strings.HasPrefix(name, "2.securedns.avast."):
		x.label(&labelAvast)
	}
}

// dnsWork returns the session's memory of questions, made if need be.
func (x *sight) dnsWork() *dnsWork {
	w := x.s.makeWork()
	if w.dns == nil {
		w.dns = new(dnsWork)
	}
	return w.dns
}

// ask remembers a question, in place of the oldest if there are too many.
func (w *dnsWork) ask(id uint16, hash uint64) {
	w.pending[w.next] = dnsQuestion{hash, id, true}
	w.next = (w.next + 1) % maxDNSPending
}

// answered reports whether a question was asked, and closes it.
func (w *dnsWork) answered(id uint16, hash uint64) bool {
	for i := range w.pending {
		if q := &w.pending[i]; q.open && q.id == id && q.hash == hash {
			q.open = false
			return true
		}
	}
	return false
}
