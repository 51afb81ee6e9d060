// SPDX-License-Identifier: MIT

package classifier

// maxEvidence bounds the evidence kept of one session, and maxSeen the bytes of
// one piece.
const (
	maxEvidence = 16
	maxSeen     = 128
)

// Confidence in an application, by what named it.
const (
	confidencePort  = 60 // the payload's protocol on a port registered for one use of it
	confidenceHint  = 40 // a DNS answer this client got earlier
	confidenceName  = 90 // a name in the session itself
	confidenceOuter = 80 // the same, beside an encrypted hello that may hold another
	confidenceOld   = 70 // a version of a protocol that one program speaks
	confidenceFront = 40 // the same, of a front that has many customers
)

// Confidence in a protocol, by what was seen of it.
const (
	confidenceHello   = 98 // a ClientHello
	confidenceRecords = 60 // headers of TLS records, without a handshake
	confidenceBroken  = 65 // the beginning of a DNS message on its port, cut or damaged behind the question
	confidenceSealed  = 80 // headers of QUIC packets, none of which opens
)

// ruleJA4 is the evidence that a fingerprint was made.
const ruleJA4 = "tls/ja4"

// log is the evidence of a session: how many pieces there are, then one after the
// other, each the number of its packet, its confidence, and rule and seen, with a
// length before each.
type log struct{ b []byte }

// logHead is the length of a piece without its texts.
const logHead = 5

// end returns the place behind the last piece.
func (l *log) end() int { return max(len(l.b), 1) }

// empty takes everything out of the log, and keeps its memory.
func (l *log) empty() {
	if cap(l.b) > 0 {
		l.b[:1][0] = 0
		l.b = l.b[:0]
	}
}

// insert puts a piece to place at, no further than the end.
func (l *log) insert(at int, rule, seen string, packet uint16, confidence uint8) {
	if len(l.b) > 0 && l.b[0] >= maxEvidence {
		return
	}
	rule, seen = rule[:min(len(rule), maxSeen)], seen[:min(len(seen), maxSeen)]
	old, size := l.end(), logHead+len(rule)+len(seen)
	at = min(max(at, 1), old)
	if cap(l.b) < old+size {
		// A little more than asked for, in steps that the allocator has: most
		// sessions have few pieces, and many of them live long.
		l.b = append(make([]byte, 0, (old+old/2+size+15)&^15), l.b...)
	}
	l.b = l.b[:old+size]
	l.b[0]++
	copy(l.b[at+size:], l.b[at:old])
	b := append(l.b[:at], byte(packet>>8), byte(packet), confidence, byte(len(rule)))
	b = append(append(b, rule...), byte(len(seen)))
	_ = append(b, seen...)
}

// all returns the pieces.
func (l *log) all() []Evidence {
	if len(l.b) == 0 {
		return nil
	}
	out := make([]Evidence, 0, l.b[0])
	for b := string(l.b[1:]); len(b) >= logHead; {
		n := 4 + int(b[3])
		m := n + 1 + int(b[n])
		out = append(out, Evidence{Packet: int(b[0])<<8 | int(b[1]), Confidence: int(b[2]), Rule: b[4:n], Seen: b[n+1 : m]})
		b = b[m:]
	}
	return out
}

// Evidence returns the steps that led to the result, oldest first. It stops
// growing at a bound; the first steps are kept.
func (s *Session) Evidence() []Evidence {
	if s.found == nil {
		return nil
	}
	all := s.found.log.all()
	for i := range all {
		if h := s.found.hello; h != nil && all[i].Rule == ruleJA4 {
			all[i].Seen = h.ja4.String() // it is kept already
		}
	}
	return all
}

// note adds a piece of evidence; seen must be clean already or a constant.
func (s *Session) note(rule, seen string, confidence int) {
	l := &s.findings().log
	l.insert(l.end(), rule, seen, s.packets, uint8(confidence))
}
