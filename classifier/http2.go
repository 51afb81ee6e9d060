// SPDX-License-Identifier: MIT

package classifier

func http2Detector() detector {
	return detector{
		name: "HTTP2", upper: "HTTP2", category: "web", confidence: 98,
		starts: func(b byte) bool { return b == 'P' },
		stream: lookHTTP2,
	}
}

// lookHTTP2 recognises a client that speaks HTTP/2 without having asked (RFC
// 9113, section 3.4): its preface.
func lookHTTP2(x *sight) verdict {
	const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	n := min(len(x.data), len(preface))
	switch {
	case string(x.data[:n]) != preface[:n]:
		return no
	case n < len(preface):
		return wait
	}
	return done
}
