// SPDX-License-Identifier: MIT

package classifier

func weChatDetector() detector {
	return streamOnly("WeChat", "messaging", "\x16\x19", lookMMTLS)
}

// lookMMTLS knows the records of MMTLS, which WeChat has instead of TLS, as
// published studies of it describe them: kind (21 to 23 as in TLS, 25 for the
// first with data along), version 0xf103 or 0xf104, length. A connection begins
// with a hello: its length, its kind, and the version once more, in little endian.
func lookMMTLS(x *sight) verdict {
	const head = 5
	b := x.data
	if len(b) > 1 && b[1] != 0xf1 || len(b) > 2 && b[2] != 3 && b[2] != 4 {
		return no
	}
	if len(b) < head+7 {
		return wait
	}
	size, hello := be16(b[3:]), b[head:]
	return sure(size > 32 && size <= 8192 && be32(hello) == uint32(size-4) && hello[4] >= 1 && hello[4] <= 2 && hello[5] == b[2] && hello[6] == 0xf1)
}
