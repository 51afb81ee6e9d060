// SPDX-License-Identifier: MIT

package classifier

const (
	maxQUICPackets   = 64       // looked at in one datagram, more than fit into what goes over a link
	maxQUICKeys      = 8        // made for one datagram: its packets have one id
	maxQUICPlaintext = 16 << 10 // bytes of one Initial
)

func quicDetector() detector {
	return detector{
		name: "QUIC", upper: "QUIC", category: "web", confidence: confidenceSealed, answers: answersQUIC, opening: opensQUIC,
		starts:   func(b byte) bool { return b&0x80 != 0 },
		datagram: lookQUIC,
	}
}

// quicWork is what a session keeps while its hello is incomplete.
type quicWork struct {
	keys    quicKeys
	version uint32 // the keys are made for it, 0: no keys yet
	dcid    [maxConnectionID]byte
	dcidLen int
	crypto  assembler
}

// quicScratch is memory for opening packets.
type quicScratch struct {
	work  quicWork // of a session that keeps none
	tried quicTried
	head  []byte
	plain []byte
	nonce [12]byte
	mask  [16]byte
}

// lookQUIC walks over the packets of one datagram and opens the client's
// Initials among them.
func lookQUIC(x *sight) verdict {
	w := &x.quic.work
	if x.s.work != nil && x.s.work.quic != nil {
		w = x.s.work.quic
	} else {
		w.version, w.dcidLen = 0, 0
		w.crypto.reset()
	}
	x.quic.tried.made = 0
	result, rest := no, x.data
	if x.s.detector != nil {
		result = found // a short header is as good
	}
	for range maxQUICPackets {
		p, ok := nextQUIC(rest)
		if !ok {
			break
		}
		rest = rest[p.size:]
		v, known := lookupQUIC(p.version)
		if !known {
			if p.isNegotiation() || p.asksNegotiation(len(x.data)) {
				x.s.note("quic/negotiation", "", 0)
				return found
			}
			break
		}
		result = found
		x.quicVersion(&v)
		if p.kind(&v) == quicInitial && x.dir == Original && x.openInitial(w, &v, &p) {
			crypto := w.crypto.bytes()
			if p.version == quicQ050 && len(crypto) >= 4 && string(crypto[:4]) == "CHLO" {
				if x.learnCHLO(crypto) {
					return done
				}
				continue
			}
			switch x.hello.parse(crypto) {
			case malformed:
				x.s.note("quic/crypto", "not a client hello", 0)
				return done
			case partial:
				x.learnHello(&x.hello, 'q', false)
			case whole:
				x.learnHello(&x.hello, 'q', true)
				return done
			}
		}
	}
	if w == &x.quic.work && w.version != 0 {
		kept := *w
		kept.crypto = w.crypto.clone()
		x.s.makeWork().quic = &kept
	}
	return result
}

// quicVersion puts the version into the session.
func (x *sight) quicVersion(v *quicVersion) {
	f := x.s.handshake()
	if f.quic != v.number {
		f.quic = v.number
		x.s.note("quic/version", quicName(v.number), 0)
		x.s.touch()
	}
}

// openInitial decrypts p and files its CRYPTO frames. It reports whether p was
// the client's and intact.
func (x *sight) openInitial(w *quicWork, v *quicVersion, p *quicPacket) bool {
	var plain []byte
	ok := false
	if w.version != 0 {
		plain, ok = x.quic.unprotect(&w.keys, p)
	}
	if !ok && (w.version != v.number || string(w.dcid[:w.dcidLen]) != string(p.dcid)) {
		// The first Initial, or the first after a Retry: the stream starts anew.
		keys := x.quic.tried.keysOf(v, p.dcid)
		if keys == nil {
			return false
		}
		if plain, ok = x.quic.unprotect(keys, p); ok {
			w.keys, w.version = *keys, v.number
			w.dcidLen = copy(w.dcid[:], p.dcid)
			w.crypto.reset()
		}
	}
	if !ok {
		if x.s.once(sawSealed) {
			x.s.note("quic/initial", "does not open", 0)
		}
		return false
	}
	w.frames(plain, x.c.opts.MaxBytes, v.google)
	return true
}

// frames files the CRYPTO frames of one decrypted Initial and stops at the first
// frame that does not belong there.
func (w *quicWork) frames(b []byte, limit int, google bool) {
	r := newReader(b, len(b))
	for r.pos < len(b) && r.state == whole {
		kind := r.varint()
		if google {
			kind = standardFrame(kind)
		}
		switch kind {
		case 0x00: // PADDING, of which there is a lot
			for r.pos < len(b) && b[r.pos] == 0 {
				r.pos++
			}
		case 0x01: // PING
		case 0x02, 0x03: // ACK
			r.varint() // largest
			r.varint() // delay
			ranges := r.varint()
			r.varint() // first range
			for i := uint64(0); i < ranges && r.state == whole; i++ {
				r.varint()
				r.varint()
			}
			if kind == 0x03 {
				r.varint()
				r.varint()
				r.varint()
			}
		case 0x06: // CRYPTO
			off := r.varint()
			data := r.take(int(min(r.varint(), uint64(len(b)+1))))
			if r.state == whole && off < uint64(limit) {
				w.crypto.insert(int(off), data, limit)
			}
		default:
			return
		}
	}
}

// standardFrame returns the standard's number of one of Google's frames that
// begin a connection.
func standardFrame(kind uint64) uint64 {
	switch kind {
	case 0x08: // CRYPTO
		return 0x06
	case 0x07: // PING
		return 0x01
	case 0x00: // PADDING
		return 0x00
	}
	return 0xff
}
