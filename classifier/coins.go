// SPDX-License-Identifier: MIT

package classifier

import (
	"bytes"
)

func bitcoinDetector() detector {
	return detector{
		name: "BITCOIN", upper: "BITCOIN", category: "cryptocurrency", confidence: 96,
		starts: oneOf("\xf9\x0b\x1c\x0a\xfa\xfb\xc0\xbf\xfc"),
		stream: lookBitcoin,
	}
}

// lookBitcoin reads the header of a message: the network's magic, a command of
// twelve bytes filled up with zeros, a length and a checksum. The networks are
// Bitcoin's own (main, test 3 and 4, signet, regtest) and those of coins that
// took its protocol: Litecoin, Dogecoin, Dash.
func lookBitcoin(x *sight) verdict {
	b := x.data
	v := opensAny(b, "\xf9\xbe\xb4\xd9", "\x0b\x11\x09\x07", "\x1c\x16\x3f\x28", "\x0a\x03\xcf\x40",
		"\xfa\xbf\xb5\xda", "\xfb\xc0\xb6\xdb", "\xfc\xc1\xb7\xdc", "\xc0\xc0\xc0\xc0", "\xbf\x0c\x6b\xbd")
	if v != enough {
		return v
	}
	if len(b) < 20 {
		return wait
	}
	command, padding, _ := bytes.Cut(b[4:16], []byte{0})
	if len(command) < 2 || le32(b[16:]) > 32<<20 {
		return no
	}
	for _, c := range command {
		if (c < 'a' || c > 'z') && !isDigit(c) {
			return no
		}
	}
	return sure(len(bytes.Trim(padding, "\x00")) == 0)
}

// moneroDetector knows the header of Levin, the protocol of Monero's nodes: a
// signature of eight bytes, little endian, and a length below 100 MB.
func moneroDetector() detector {
	return detector{
		name: "Monero", upper: "MONERO", category: "cryptocurrency", confidence: 96,
		starts: oneOf("\x01"),
		stream: func(x *sight) verdict {
			b := x.data
			if v := opens(b, "\x01\x21\x01\x01\x01\x01\x01\x01"); v != enough {
				return v
			}
			if len(b) < 33 {
				return wait
			}
			return sure(b[16] <= 1 && le32(b[8:]) < 100<<20 && le32(b[12:]) == 0 && le32(b[29:]) <= 1)
		},
	}
}

// miningDetector knows what miners and their pools say to each other: Stratum
// and its relatives, one JSON object a line.
func miningDetector() detector {
	return detector{
		name: "Mining", upper: "MINING", category: "cryptocurrency", confidence: 93,
		starts: oneOf("{"),
		stream: lookMining,
	}
}

// maxMining is the longest first line of a miner.
const maxMining = 1024

func lookMining(x *sight) verdict {
	line, _, ended := cutLine(x.data[:min(len(x.data), maxMining)])
	if !ended {
		if len(x.data) >= maxMining {
			return no
		}
		line = x.data
	}
	if !isPrintable(line) {
		return no
	}
	_, method, ok := bytes.Cut(line, []byte(`"method"`))
	method = bytes.TrimLeft(method, ": ")
	switch {
	case !ok:
	case hasAny(method, `"mining.subscribe"`, `"mining.authorize"`, `"mining.notify"`, `"mining.set_difficulty"`, `"mining.configure"`, `"mining.extranonce.subscribe"`):
		return done
	case hasAny(method, `"eth_submitLogin"`, `"eth_login"`, `"eth_getWork"`, `"eth_submitHashrate"`):
		return done
	case ended && hasAny(method, `"login"`):
		return sure(bytes.Contains(line, []byte(`"params"`)) && bytes.Contains(line, []byte(`"login"`)) &&
			bytes.Contains(line, []byte(`"pass"`)) && bytes.Contains(line, []byte(`"agent"`)))
	}
	if ended {
		return no
	}
	return wait
}

// hasAny reports whether b begins with one of prefixes.
func hasAny(b []byte, prefixes ...string) bool {
	for _, p := range prefixes {
		if len(b) >= len(p) && string(b[:len(p)]) == p {
			return true
		}
	}
	return false
}
