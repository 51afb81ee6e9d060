// SPDX-License-Identifier: MIT

package classifier

import "encoding/binary"

const (
	maxConnectionID = 20   // bytes, in the versions this package reads
	minQUICDatagram = 1200 // bytes of a datagram with a client's Initial
	minConnectionID = 8    // bytes of the id a client chooses for the server
)

// quicPacket is a packet with a long header within a datagram. Its slices are
// parts of the datagram.
type quicPacket struct {
	first   byte
	version uint32
	dcid    []byte
	scid    []byte
	body    []byte // of a Version Negotiation or Retry packet: what follows the ids
	whole   []byte // first byte to the end of the payload, if the packet has a length
	number  int    // offset of the packet number in whole
	size    int    // bytes of the datagram it takes up
}

// nextQUIC reads the long header that b starts with. A packet of an unknown
// version takes up the rest of the datagram, as only its ids can be read.
func nextQUIC(b []byte) (quicPacket, bool) {
	r := newReader(b, len(b))
	p := quicPacket{first: r.u8(), version: r.u32(), size: len(b)}
	p.dcid = r.vector8()
	p.scid = r.vector8()
	if r.state != whole || p.first&0x80 == 0 || len(p.dcid) > maxConnectionID || len(p.scid) > maxConnectionID {
		return p, false
	}
	p.body = r.rest()
	v, known := lookupQUIC(p.version)
	if !known {
		return p, true
	}
	if p.first&0x40 == 0 && v.google { // the others' bit may be cleared (RFC 9287)
		return p, false
	}
	switch v.packetType(p.first) {
	case quicRetry:
		return p, len(p.body) >= 16 // the integrity tag
	case quicInitial:
		if n := r.varint(); n > uint64(len(b)) || r.take(int(n)) == nil && n > 0 {
			return p, false // the token
		}
	}
	length := r.varint()
	// At least a packet number and the bytes its protection samples.
	if r.state != whole || length < 20 || length > uint64(len(r.rest())) {
		return p, false
	}
	p.number = r.pos
	p.size = r.pos + int(length)
	p.whole = b[:p.size]
	return p, true
}

// kind returns the packet's type as version 1 numbers it.
func (p *quicPacket) kind(v *quicVersion) int { return v.packetType(p.first) }

// isNegotiation reports whether a server offers versions of which one is known.
func (p *quicPacket) isNegotiation() bool {
	if p.version != 0 || len(p.body) < 4 || len(p.body)%4 != 0 {
		return false
	}
	for b := p.body; len(b) > 0; b = b[4:] {
		if _, ok := lookupQUIC(binary.BigEndian.Uint32(b)); ok {
			return true
		}
	}
	return false
}

// asksNegotiation reports whether a client sent a version that only serves to
// be refused, in a datagram of size bytes.
func (p *quicPacket) asksNegotiation(size int) bool {
	return isReservedQUIC(p.version) && size >= minQUICDatagram && len(p.dcid) >= minConnectionID
}

// unprotect decrypts p with k. The result is in q's memory and valid until the
// next call; p is not changed.
func (q *quicScratch) unprotect(k *quicKeys, p *quicPacket) ([]byte, bool) {
	if len(p.whole)-p.number > maxQUICPlaintext {
		return nil, false
	}
	// The sample starts where the packet number would end at its longest.
	copy(q.mask[:], p.whole[p.number+4:p.number+20])
	k.hp.Encrypt(q.mask[:], q.mask[:])
	first := p.whole[0] ^ q.mask[0]&0x0f
	n := int(first&3) + 1
	q.head = append(q.head[:0], p.whole[:p.number+n]...)
	q.head[0] = first
	q.nonce = k.iv
	for i := range n {
		c := &q.head[p.number+i]
		*c ^= q.mask[1+i]
		// The first packets' numbers are sent whole.
		q.nonce[12-n+i] ^= *c
	}
	if cap(q.plain) == 0 {
		q.plain = make([]byte, 0, 2048)
	}
	plain, err := k.aead.Open(q.plain[:0], q.nonce[:], p.whole[p.number+n:], q.head)
	if err != nil {
		return nil, false
	}
	q.plain = plain[:0]
	return plain, true
}
