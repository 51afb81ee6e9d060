// SPDX-License-Identifier: MIT

package classifier

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
)

func ftpDetector() detector {
	look := plainUntil("FTPS", lookFTP)
	return streamOnly("FTP_CONTROL", "file", "2UAFSuafs", func(x *sight) verdict {
		v := found
		if x.s.detector == nil || len(x.data) <= maxFTPLogin {
			v = look(x)
		}
		if v < found || x.c.opts.Relations == nil || x.s.detector != nil && x.s.detector.name != "FTP_CONTROL" {
			return v
		}
		x.s.flags |= unlimited | settled // it is known, and tells of every transfer anew
		x.ftpChannels()
		return found
	})
}

// maxFTPLogin is how many bytes of one direction may go before a connection turns
// to TLS.
const maxFTPLogin = 4096

func ftpsDetector() detector {
	return streamOnly("FTPS", "file", "2UAuafs", securedAfter(lookFTP))
}

// lookFTP reads the server's greeting (RFC 959) if it names the protocol, or it
// and the client's first command or the answer to that.
func lookFTP(x *sight) verdict {
	b := x.data
	if b[0] != '2' {
		if v := command(b, "USER", "AUTH TLS", "AUTH SSL", "FEAT", "SYST"); v != enough {
			return v
		}
		if code, _, _ := replyLine(x.peer()); code == 220 {
			return enough
		}
		return wait
	}
	code, line, rest := replyLine(b)
	for code == 220 {
		switch {
		case containsFold(line, "SMTP"):
			return no
		case containsFold(line, "FTP"):
			return enough
		case command(x.peer(), "USER", "AUTH TLS", "AUTH SSL", "FEAT", "SYST") == enough:
			return enough
		case len(rest) == 0:
			return wait
		}
		code, line, rest = replyLine(rest)
		if code == 331 || code == 234 || code == 530 {
			return enough
		}
	}
	if code == -1 {
		return wait
	}
	return no
}

// ftpData describes the connections that carry files and listings. Their bytes
// are the files' own and tell nothing.
func ftpData() *detector {
	return &detector{name: "FTP_DATA", upper: "FTP_DATA", category: "file", confidence: 90, bare: &Application{"FTP_DATA", "file"}}
}

// leastDataPort is the least port that is expected for data: the ports below are
// of services that are to be recognised by what they say.
const leastDataPort = 1024

// ftpChannels remembers the ends that complete lines of a control connection
// settle for data: the server's of its answers 227 and 229, and the client's of
// its commands PORT and EPRT (RFC 959, RFC 2428). An end elsewhere is nobody's
// to give away.
func (x *sight) ftpChannels() {
	m := x.memo()
	if m == nil {
		return
	}
	data := x.c.announced["FTP_DATA"]
	place := m[4*x.dir : 4*x.dir+4]
	from := min(int(binary.BigEndian.Uint32(place)), len(x.data))
	e := x.ends()
	for b := x.data[from:]; ; {
		line, rest, ok := cutLine(b)
		if !ok {
			binary.BigEndian.PutUint32(place, uint32(len(x.data)-len(b)))
			return
		}
		b = rest
		if x.dir == Reply {
			if end, ok := ftpPassive(line, e.Server.Addr()); ok && end.Port() >= leastDataPort {
				x.announce(data, end, e.Client.Addr(), ProtoTCP)
			}
		} else if end, ok := ftpActive(line, e.Client.Addr()); ok && end.Port() >= leastDataPort {
			x.announce(data, end, e.Server.Addr(), ProtoTCP)
		}
	}
}

// ftpPassive reads the end that a server's answer offers. Clients connect to the
// server's own address, and behind a translation of addresses another is in the
// text.
func ftpPassive(line []byte, server netip.Addr) (netip.AddrPort, bool) {
	text := string(line[:min(len(line), 256)])
	code, rest, _ := strings.Cut(text, " ")
	switch code {
	case "227":
		if i := strings.IndexAny(rest, "0123456789"); i >= 0 {
			if end, ok := ftpNumbers(strings.TrimRight(rest[i:], ") .")); ok {
				return netip.AddrPortFrom(server, end.Port()), true
			}
		}
	case "229":
		if i := strings.Index(rest, "(|||"); i >= 0 {
			port, _, _ := strings.Cut(rest[i+4:], "|")
			if n, err := strconv.ParseUint(port, 10, 16); err == nil && n > 0 {
				return netip.AddrPortFrom(server, uint16(n)), true
			}
		}
	}
	return netip.AddrPort{}, false
}

// ftpActive reads the end that a client's command offers, which must be its own.
func ftpActive(line []byte, client netip.Addr) (netip.AddrPort, bool) {
	verb, rest, _ := bytes.Cut(line[:min(len(line), 256)], []byte(" "))
	var end netip.AddrPort
	ok := false
	switch {
	case equalFold(verb, "port"):
		end, ok = ftpNumbers(string(bytes.TrimSpace(rest)))
	case equalFold(verb, "eprt"):
		part := strings.Split(string(bytes.TrimSpace(rest)), "|") // "|1|192.0.2.1|6275|"
		if len(part) != 5 {
			break
		}
		a, err := netip.ParseAddr(part[2])
		n, failed := strconv.ParseUint(part[3], 10, 16)
		end, ok = netip.AddrPortFrom(a, uint16(n)), err == nil && failed == nil
	}
	return end, ok && end.Port() > 0 && end.Addr() == client
}

// ftpNumbers reads an address and a port as six numbers with commas between.
func ftpNumbers(s string) (netip.AddrPort, bool) {
	var b [6]byte
	part := strings.Split(s, ",")
	if len(part) != len(b) {
		return netip.AddrPort{}, false
	}
	for i, p := range part {
		n, err := strconv.ParseUint(strings.TrimSpace(p), 10, 8)
		if err != nil {
			return netip.AddrPort{}, false
		}
		b[i] = byte(n)
	}
	end := netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[:4])), binary.BigEndian.Uint16(b[4:]))
	return end, end.Port() > 0
}
