// SPDX-License-Identifier: MIT

package radius

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/subtle"
	"encoding/binary"
)

// Places in a message, and attributes.
const (
	headerSize           = 20
	authenticatorAt      = 4
	messageAuthenticator = 80
	maxMessage           = 4096
)

// whole returns a message without what is behind it, false if it is cut.
func whole(b []byte) ([]byte, bool) {
	if len(b) < headerSize {
		return nil, false
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	if n < headerSize || n > len(b) || n > maxMessage {
		return nil, false
	}
	return b[:n], true
}

// authentic reports whether a request for accounting was made with a secret (RFC
// 2866, 3; RFC 2869, 5.14). It is whole.
func authentic(b, secret []byte) bool {
	zeros := make([]byte, md5.Size)
	h := md5.New()
	h.Write(b[:authenticatorAt])
	h.Write(zeros)
	h.Write(b[headerSize:])
	h.Write(secret)
	if subtle.ConstantTimeCompare(h.Sum(nil), b[authenticatorAt:headerSize]) != 1 {
		return false
	}
	for at := headerSize; at < len(b); {
		if at+2 > len(b) || b[at+1] < 2 || at+int(b[at+1]) > len(b) {
			return false
		}
		end := at + int(b[at+1])
		if b[at] == messageAuthenticator {
			m := hmac.New(md5.New, secret)
			m.Write(b[:authenticatorAt])
			m.Write(zeros)
			m.Write(b[headerSize : at+2])
			m.Write(zeros)
			m.Write(b[end:])
			if end-at != 2+md5.Size || !hmac.Equal(m.Sum(nil), b[at+2:end]) {
				return false
			}
		}
		at = end
	}
	return true
}
