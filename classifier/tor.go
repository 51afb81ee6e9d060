// SPDX-License-Identifier: MIT

package classifier

import (
	"bytes"
	"encoding/binary"
)

// isTor reports whether a complete hello is one of Tor's between a client and a
// relay: the cipher suites of Firefox in its order, with OpenSSL's mark for
// renegotiation behind them, which Firefox never sends; no offer of a protocol; and a
// random name of the base32 alphabet between "www." and ".com".
func (h *hello) isTor() bool {
	n := len(h.ciphers)
	if len(h.alpn) > 0 || n < 24 || n > 60 ||
		binary.BigEndian.Uint64(h.ciphers)>>16 != 0x1301_1303_1302 ||
		binary.BigEndian.Uint16(h.ciphers[n-2:]) != 0x00ff {
		return false
	}
	name, begins := bytes.CutPrefix(h.sni, []byte("www."))
	name, ends := bytes.CutSuffix(name, []byte(".com"))
	if !begins || !ends || len(name) < 4 || len(name) > 25 {
		return false
	}
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}
