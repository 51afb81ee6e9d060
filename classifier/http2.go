// SPDX-License-Identifier: MIT

package classifier

import (
	"encoding/binary"
	"strings"

	"golang.org/x/net/http2/hpack"
)

// Frames of HTTP/2 (RFC 9113, section 6) that matter here, and flags of HEADERS.
const (
	http2Headers  = 1
	http2Padded   = 0x08
	http2Priority = 0x20
	http2Data     = 0

	http2FrameHeader = 9
	maxHTTP2         = 16 << 10 // bytes in front of the end of the first request's head
	maxHTTP2String   = 4 << 10  // bytes of a field of it
)

func http2Detector() detector {
	return detector{
		name: "HTTP2", upper: "HTTP2", category: "web", confidence: 98,
		starts: func(b byte) bool { return b == 'P' },
		stream: lookHTTP2,
	}
}

// lookHTTP2 recognises a client that speaks HTTP/2 without having asked (RFC
// 9113, section 3.4) by its preface, and reads the head of its first request.
func lookHTTP2(x *sight) verdict {
	const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	n := min(len(x.data), len(preface))
	switch {
	case string(x.data[:n]) != preface[:n]:
		return no
	case n < len(preface):
		return wait
	}
	for b := x.data[n:]; len(b) >= http2FrameHeader; {
		size, kind, flags := int(binary.BigEndian.Uint32(b)>>8), b[3], b[4]
		if kind == http2Data || len(x.data)-len(b)+http2FrameHeader+size > maxHTTP2 {
			return done
		}
		if b = b[http2FrameHeader:]; len(b) < size {
			break
		}
		if kind == http2Headers {
			x.http2Head(b[:size], flags)
			return done
		}
		b = b[size:]
	}
	return found
}

// http2Head learns from a request's HEADERS. That it may go on in another frame
// does not matter: what names the server stands at its begin.
func (x *sight) http2Head(b []byte, flags byte) {
	cut := 0
	if flags&http2Padded != 0 && len(b) > 0 {
		b, cut = b[1:], int(b[0])
	}
	if flags&http2Priority != 0 {
		b = b[min(5, len(b)):]
	}
	b = b[:max(0, len(b)-cut)]
	var authority, path, agent, media string
	// The library has the tables of codes, and the bounds. A connection's first
	// head needs no table of an earlier one, so a decoder is made, used and gone.
	d := hpack.NewDecoder(4096, func(f hpack.HeaderField) {
		switch f.Name {
		case ":authority":
			authority = f.Value
		case ":path":
			path = f.Value
		case "user-agent":
			agent = f.Value
		case "content-type":
			media = f.Value
		}
	})
	d.SetMaxStringLength(maxHTTP2String)
	if _, err := d.Write(b); err != nil {
		x.note("http2/head: malformed", nil, 0) // what came before it counts
	}
	if authority != "" && path != "" {
		x.requestHost([]byte(authority), []byte(path))
	}
	if agent != "" && x.s.once(sawAgent) {
		x.text(&x.s.heads().agent, "http2/user-agent", []byte(agent))
	}
	if media == "application/grpc" || strings.HasPrefix(media, "application/grpc+") || strings.HasPrefix(media, "application/grpc;") {
		x.nameless("GRPC", "rpc", confidenceName)
	} else {
		x.contentType([]byte(media))
	}
}
