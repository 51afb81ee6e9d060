// SPDX-License-Identifier: MIT

package radmsg

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/subtle"
	"encoding/binary"
	"fmt"

	"layeh.com/radius"
	"layeh.com/radius/rfc2869"
)

// Places in a message.
const (
	headerSize      = 20
	authenticatorAt = 4
)

// MaxMessage is the most bytes of a message.
const MaxMessage = radius.MaxPacketLength

// Whole returns a message without what is behind it, false if it is cut.
func Whole(b []byte) ([]byte, bool) {
	if len(b) < headerSize {
		return nil, false
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	if n < headerSize || n > len(b) || n > MaxMessage {
		return nil, false
	}
	return b[:n], true
}

// Proof is what a message proves.
type Proof int

// The proofs.
const (
	Forged Proof = iota // it was not made with the secret
	Plain               // it was, by its authenticator alone
	Signed              // it has a Message-Authenticator, too
)

// Request tells what a request proves whose authenticator is a digest: of accounting
// (RFC 2866, 3), or one to change or end a session (RFC 5176, 2.3). It is whole.
func Request(b, secret []byte) Proof { return prove(b, nil, secret) }

// Answer tells what the answer to a request proves (RFC 2865, 3), whose
// authenticator is asked. It is whole.
func Answer(b []byte, asked [16]byte, secret []byte) Proof { return prove(b, asked[:], secret) }

// prove computes both authenticators of a message with the given one in its place,
// nil for zeros.
func prove(b, asked, secret []byte) Proof {
	zeros := make([]byte, md5.Size)
	if asked == nil {
		asked = zeros
	}
	h := md5.New()
	h.Write(b[:authenticatorAt])
	h.Write(asked)
	h.Write(b[headerSize:])
	h.Write(secret)
	if subtle.ConstantTimeCompare(h.Sum(nil), b[authenticatorAt:headerSize]) != 1 {
		return Forged
	}
	proof := Plain
	for at := headerSize; at < len(b); {
		if at+2 > len(b) || b[at+1] < 2 || at+int(b[at+1]) > len(b) {
			return Forged
		}
		end := at + int(b[at+1])
		if radius.Type(b[at]) == rfc2869.MessageAuthenticator_Type {
			if end-at != 2+md5.Size || !hmac.Equal(signature(b, asked, at+2, secret), b[at+2:end]) {
				return Forged
			}
			proof = Signed
		}
		at = end
	}
	return proof
}

// signature returns the Message-Authenticator whose value stands at a place.
func signature(b, asked []byte, at int, secret []byte) []byte {
	m := hmac.New(md5.New, secret)
	m.Write(b[:authenticatorAt])
	m.Write(asked)
	m.Write(b[headerSize:at])
	m.Write(make([]byte, md5.Size))
	m.Write(b[at+md5.Size:])
	return m.Sum(nil)
}

// Seal encodes a request or an answer with a Message-Authenticator, which stands
// first: who sees a message cannot put other attributes ahead of it.
func Seal(p *radius.Packet) ([]byte, error) {
	p.Del(rfc2869.MessageAuthenticator_Type)
	p.Attributes = append(radius.Attributes{{Type: rfc2869.MessageAuthenticator_Type, Attribute: make(radius.Attribute, md5.Size)}}, p.Attributes...)
	b, err := p.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("radius: %w", err)
	}
	const at = headerSize + 2
	asked := p.Authenticator[:]
	digest := true
	switch p.Code {
	case radius.CodeAccessRequest:
		digest = false // its authenticator is random
	case radius.CodeAccountingRequest, radius.CodeCoARequest, radius.CodeDisconnectRequest:
		asked = make([]byte, md5.Size)
	}
	copy(b[at:], signature(b, asked, at, p.Secret))
	if digest {
		h := md5.New()
		h.Write(b[:authenticatorAt])
		h.Write(asked)
		h.Write(b[headerSize:])
		h.Write(p.Secret)
		h.Sum(b[authenticatorAt:authenticatorAt])
	}
	copy(p.Authenticator[:], b[authenticatorAt:])
	return b, nil
}
