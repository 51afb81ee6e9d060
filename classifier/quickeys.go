// SPDX-License-Identifier: MIT

package classifier

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
)

// quicKeys opens the Initial packets that the client of one connection sends.
type quicKeys struct {
	aead cipher.AEAD
	hp   cipher.Block // header protection
	iv   [12]byte
}

// newQUICKeys derives the client's keys from the connection id that the client
// chose for the server in its first packet.
func newQUICKeys(v *quicVersion, dcid []byte) (quicKeys, error) {
	var k quicKeys
	initial := hmacSHA256(v.salt[:], dcid)
	client := expandLabel(&initial, "client in")
	key := expandLabel(&client, v.key)
	hp := expandLabel(&client, v.hp)
	iv := expandLabel(&client, v.iv)
	copy(k.iv[:], iv[:])
	block, err := aes.NewCipher(key[:16])
	if err != nil {
		return k, err
	}
	if k.hp, err = aes.NewCipher(hp[:16]); err != nil {
		return k, err
	}
	k.aead, err = cipher.NewGCM(block)
	return k, err
}

// quicTried is the keys made last while the packets of one datagram are opened. Who
// puts many in front that do not open, of one id, has them tried by the same keys.
type quicTried struct {
	keys    quicKeys
	version uint32
	id      [maxConnectionID]byte
	idLen   int
	made    int // for this datagram
}

// keysOf returns the keys for an id, nil if too many were made.
func (q *quicTried) keysOf(v *quicVersion, id []byte) *quicKeys {
	if q.made > 0 && q.version == v.number && string(q.id[:q.idLen]) == string(id) {
		return &q.keys
	}
	if q.made >= maxQUICKeys {
		return nil
	}
	keys, err := newQUICKeys(v, id)
	if err != nil {
		return nil
	}
	q.made++
	q.keys, q.version, q.idLen = keys, v.number, copy(q.id[:], id)
	return &q.keys
}

// expandLabel is HKDF-Expand-Label of TLS 1.3 for an empty context and one block
// of output, of which the caller takes the first 32, 16 or 12 bytes. The length
// is part of what is hashed: it follows from the label.
func expandLabel(secret *[32]byte, label string) [32]byte {
	length := byte(16)
	switch label[len(label)-2:] {
	case "in":
		length = 32
	case "iv":
		length = 12
	}
	var info [64]byte
	b := append(info[:0], 0, length, byte(6+len(label)))
	b = append(b, "tls13 "...)
	b = append(b, label...)
	b = append(b, 0, 1)
	return hmacSHA256(secret[:], b)
}

// hmacSHA256 returns the HMAC of a short message, up to 64 bytes, under a key of
// up to 64 bytes. It does not allocate, which crypto/hmac cannot promise.
func hmacSHA256(key, message []byte) [32]byte {
	var inner [128]byte
	var outer [96]byte
	copy(inner[:64], key)
	copy(outer[:64], key)
	for i := range 64 {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	n := copy(inner[64:], message)
	sum := sha256.Sum256(inner[:64+n])
	copy(outer[64:], sum[:])
	return sha256.Sum256(outer[:])
}
