// SPDX-License-Identifier: MIT

package radmsg

import (
	"slices"
	"testing"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
)

// What is sealed proves itself to who has the secret, whichever kind it is; a bit
// changed and it does not.
func TestSeal(t *testing.T) {
	secret, other := []byte("secret"), []byte("other")
	ask := radius.New(radius.CodeAccessRequest, secret)
	if b, err := Seal(ask); err != nil || radius.IsAuthenticRequest(b, secret) != true || b[headerSize] != byte(rfc2869.MessageAuthenticator_Type) {
		t.Fatalf("%x, %v", b, err)
	}
	for _, code := range []radius.Code{radius.CodeAccountingRequest, radius.CodeCoARequest, radius.CodeDisconnectRequest} {
		p := radius.New(code, secret)
		_ = rfc2865.UserName_SetString(p, "bob")
		proves(t, code, func(secret []byte, b []byte) Proof { return Request(b, secret) }, p, secret, other)
	}
	for _, code := range []radius.Code{radius.CodeAccessAccept, radius.CodeAccessReject, radius.CodeDisconnectNAK} {
		p := ask.Response(code)
		_ = rfc2865.ReplyMessage_SetString(p, "well")
		asked := ask.Authenticator
		proves(t, code, func(secret []byte, b []byte) Proof { return Answer(b, asked, secret) }, p, secret, other)
	}
}

func provesNothing(t *testing.T, what string, got Proof) {
	t.Helper()
	if got != Forged {
		t.Errorf("%s: %d", what, got)
	}
}

func proves(t *testing.T, code radius.Code, proof func(secret, b []byte) Proof, p *radius.Packet, secret, other []byte) {
	t.Helper()
	plain, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if got := proof(secret, plain); got != Plain {
		t.Errorf("%v: plain: %d", code, got)
	}
	b, err := Seal(p)
	if err != nil || proof(secret, b) != Signed {
		t.Fatalf("%v: sealed: %d, %v", code, proof(secret, b), err)
	}
	provesNothing(t, "another secret", proof(other, b))
	for i := range b {
		if i == 2 || i == 3 {
			continue // its length: Whole's
		}
		changed := slices.Clone(b)
		changed[i] ^= 4
		provesNothing(t, "changed", proof(secret, changed))
	}
}
