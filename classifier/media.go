// SPDX-License-Identifier: MIT

package classifier

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strconv"
)

// lookSIPDatagram and lookSIPStream read the first line of RFC 3261, and where
// sessions tell of each other the media that bodies settle (RFC 8866), for as
// long as the session lasts: a client has one for all its calls.
func lookSIPDatagram(x *sight) verdict {
	known := x.s.detector != nil
	switch {
	case isSIP(x.data) == done:
	case known && len(x.data) <= 4: // keeps translations of addresses alive (RFC 5626)
		return found
	default:
		return no
	}
	if x.c.opts.Relations == nil {
		return done
	}
	x.listen(known && x.s.flags&alone == 0)
	for b := x.data; ; {
		line, rest, ok := cutLine(b)
		if !ok {
			x.media(b) // a body's last line may have no end
			return found
		}
		x.media(line)
		b = rest
	}
}

func lookSIPStream(x *sight) verdict {
	if x.s.detector == nil {
		if v := isSIP(x.data); v < found {
			return v
		}
		if x.c.opts.Relations == nil {
			return done
		}
	}
	x.listen(true)
	x.mediaLines()
	if len(x.data) >= maxSIPStream {
		return enough
	}
	return found
}

// maxSIPStream bounds what is read of a stream's direction.
const maxSIPStream = 32 << 10

// listen has a session looked at for as long as it lasts; it is settled if so is
// what it is.
func (x *sight) listen(sure bool) {
	x.s.flags |= unlimited
	if sure {
		x.s.flags |= settled
	}
}

// mediaLines reads the lines of a stream that have come since the last time.
func (x *sight) mediaLines() {
	m := x.memo()
	if m == nil {
		return
	}
	place := m[4*x.dir : 4*x.dir+4]
	b := x.data[min(int(binary.BigEndian.Uint32(place)), len(x.data)):]
	for {
		line, rest, ok := cutLine(b)
		if !ok {
			binary.BigEndian.PutUint32(place, uint32(len(x.data)-len(b)))
			return
		}
		x.media(line)
		b = rest
	}
}

// media reads one line: of SDP, where its sender waits for packets of RTP, or of
// RTSP, where either side does. Only ports are taken: of another's address a
// line has nothing to give away.
func (x *sight) media(line []byte) {
	switch {
	case len(line) > 512:
	case bytes.HasPrefix(line, []byte("m=")): // "m=audio 49170 RTP/AVP 0"
		_, rest, _ := bytes.Cut(line, []byte(" "))
		port, rest, _ := bytes.Cut(rest, []byte(" "))
		port, _, _ = bytes.Cut(port, []byte("/"))
		if transport, _, _ := bytes.Cut(rest, []byte(" ")); bytes.HasPrefix(transport, []byte("RTP/")) || bytes.HasPrefix(transport, []byte("UDP/TLS/RTP/")) {
			x.mediaPort(port, x.dir)
		}
	case len(line) > 10 && equalFold(line[:10], "transport:"):
		for _, part := range bytes.Split(line[10:], []byte(";")) {
			key, value, _ := bytes.Cut(bytes.TrimSpace(part), []byte("="))
			value, _, _ = bytes.Cut(value, []byte("-"))
			switch {
			case equalFold(key, "client_port") && x.dir == Original:
				x.mediaPort(value, Original)
			case equalFold(key, "server_port") && x.dir == Reply:
				x.mediaPort(value, Reply)
			}
		}
	}
}

// mediaPort remembers that the side that sends in direction d has said to send
// and take packets of RTP on a port of its own: the client for anyone, the server
// for this client.
func (x *sight) mediaPort(text []byte, d Dir) {
	port, err := strconv.ParseUint(string(text), 10, 16)
	if err != nil || port < leastDataPort {
		return
	}
	e := x.ends()
	k := relationKey{end: netip.AddrPortFrom(e.Client.Addr(), uint16(port)), proto: ProtoUDP, kind: ofMedia}
	if d == Reply {
		k.end, k.peer = netip.AddrPortFrom(e.Server.Addr(), uint16(port)), e.Client.Addr()
	}
	r := x.c.opts.Relations
	if r.find(k, x.now) == nil {
		x.s.note("relation/announced", k.end.String(), 0)
	}
	r.add(k, mediaOfSession, x.now)
	r.media.Store(true)
}

// mediaOfSession stands for what a description of a session has announced.
var mediaOfSession = &Application{"RTP", "voip"}

// announced reports whether another session has told of the media that go between
// the ends of this one.
func (x *sight) announcedMedia() bool {
	r := x.c.opts.Relations
	if r == nil || !r.media.Load() {
		return false
	}
	e := x.ends()
	for _, k := range [...]relationKey{
		{end: e.Client, proto: ProtoUDP, kind: ofMedia},
		{end: e.Server, proto: ProtoUDP, kind: ofMedia},
		{end: e.Server, peer: e.Client.Addr(), proto: ProtoUDP, kind: ofMedia},
		{end: e.Client, peer: e.Server.Addr(), proto: ProtoUDP, kind: ofMedia},
	} {
		if r.find(k, x.now) != nil {
			x.s.note("relation", k.end.String(), confidenceRelation)
			return true
		}
	}
	return false
}
