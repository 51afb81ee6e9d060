// SPDX-License-Identifier: MIT

package classifier

func dnscryptDetector() detector {
	return detector{
		name: "DNScrypt", upper: "DNSCRYPT", category: "network", confidence: 97,
		starts:   func(b byte) bool { return b == 'r' },
		datagram: lookDNSCrypt,
	}
}

// lookDNSCrypt recognises a resolver's answer by the mark that the protocol of
// DNSCrypt gives it. A query is encrypted to the last bit and looks like nothing.
func lookDNSCrypt(x *sight) verdict {
	const (
		magic = "r6fnvWj8"
		least = len(magic) + 24 + 16 + dnsHeader // a nonce, a tag, a message
	)
	if len(x.data) < least || string(x.data[:len(magic)]) != magic {
		return no
	}
	return done
}
