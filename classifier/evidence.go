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
	confidencePort = 60 // the payload's protocol on a port registered for one use of it
	confidenceHint = 40 // a DNS answer this client got earlier
	confidenceName = 90 // a name in the session itself
)

// Confidence in a protocol, by what was seen of it.
const (
	confidenceHello   = 98 // a ClientHello
	confidenceRecords = 60 // headers of TLS records, without a handshake
	confidenceBroken  = 65 // the beginning of a DNS message on its port, cut or damaged behind the question
	confidenceSealed  = 80 // headers of QUIC packets, none of which opens
)

// evidence is Evidence as a session keeps it.
type evidence struct {
	rule       string
	seen       string
	packet     uint16
	confidence uint8
}

// Evidence returns the steps that led to the result, oldest first. It stops
// growing at a bound; the first steps are kept.
func (s *Session) Evidence() []Evidence {
	if s.found == nil {
		return nil
	}
	out := make([]Evidence, len(s.found.evidence))
	for i, e := range s.found.evidence {
		out[i] = Evidence{int(e.packet), e.rule, e.seen, int(e.confidence)}
	}
	return out
}

// note adds a piece of evidence; seen must be clean already or a constant.
func (s *Session) note(rule, seen string, confidence int) {
	f := s.findings()
	if len(f.evidence) >= maxEvidence {
		return
	}
	f.evidence = append(f.evidence, evidence{rule, seen[:min(len(seen), maxSeen)], s.packets, uint8(confidence)})
}
