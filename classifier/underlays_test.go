// SPDX-License-Identifier: MIT

package classifier

import "testing"

func underlaysExamples() []example { return known(underlaysCases()) }

func TestUnderlays(t *testing.T) { runPeerCases(t, underlaysCases()) }

func underlaysCases() []peerCase {
	udp := udpCase
	port := func(port uint16, name, in, want string) peerCase {
		return peerCase{name: name, udp: true, port: port, says: ask(in), want: want}
	}
	frame := noise(12) + "\x08\x00" + "\x45\x00\x00\x1c" + noise(24)
	item := func(kind uint64, content string) string {
		return num(2, kind) + num(2, uint64(len(content))) + content
	}
	pfcp := func(flags, kind byte, head string, elements ...string) string {
		rest := head
		for _, e := range elements {
			rest += e
		}
		return string([]byte{flags, kind}) + num(2, uint64(len(rest))) + rest
	}
	register := "\x30\x00\x00\x01" + noise(8) + num(2, 1) + num(2, 20) + noise(20) + num(4, 60) + "\x01\x20\x10\x00\x00\x00" + num(2, 1) + "\xc0\x00\x02\x00" + noise(12)
	floor := "\x20\x01\x00\x03" + num(4, 1) + num(2, 7) + num(2, 9) + "\x05\x04" + num(2, 3) + "\x0c\x05ab\x00\x00\x00\x00"
	uftp := func(version, function byte, rest string) string {
		return string([]byte{version, function}) + num(2, 1) + noise(4) + noise(4) + "\x00\x20\x10\x00" + rest
	}
	flute := "\x10\xa0\x08\x00" + num(4, 0) + num(4, 1) + num(4, 0) + "\xc0\x10\x00\x01" + "\x40\x03" + noise(10)
	return []peerCase{
		udp("frame", "\x08\x00\x00\x00\x00\x00\x2a\x00"+frame, "VXLAN"),
		udp("reserved", "\x08\x00\x00\x00\x00\x00\x2a\x01"+frame, ""),
		udp("unknown type", "\x08\x00\x00\x00\x00\x00\x2a\x00"+noise(40), ""),
		port(4342, "registration", register, "LISP"),
		port(4342, "request", "\x10\x00\x00\x01"+noise(8)+num(2, 0)+num(2, 1)+noise(8), "LISP"),
		port(4342, "reply", "\x20\x00\x00\x01"+noise(8)+num(4, 60)+"\x01\x20\x10\x00\x00\x00"+num(2, 1)+noise(4), "LISP"),
		port(4342, "in a packet", "\x80\x00\x00\x00\x45"+noise(40), "LISP"),
		port(4341, "data", "\x80"+noise(7)+"\x45\x00\x00\x20"+noise(28), "LISP"),
		port(4342, "digest of no length", "\x30\x00\x00\x01"+noise(8)+num(2, 1)+num(2, 21)+noise(60), ""),
		udp("registration elsewhere", register, ""),
		udp("discovery", "DLEP"+num(2, 1)+num(2, 9)+item(4, "radio"), "DLEP"),
		udp("discovery, length", "DLEP"+num(2, 1)+num(2, 8)+item(4, "radio"), ""),
		{name: "session", port: 854, says: ask(num(2, 1) + num(2, 9) + item(4, "radio")), want: "DLEP"},
		{name: "session elsewhere", port: 8540, says: ask(num(2, 1) + num(2, 9) + item(4, "radio"))},
		udp("heartbeat", pfcp(0x20, 1, num(3, 5)+"\x00", item(96, noise(4))), "PFCP"),
		udp("session", pfcp(0x21, 50, noise(8)+num(3, 6)+"\x00", item(60, "\x00\xc0\x00\x02\x01"), item(57, noise(13))), "PFCP"),
		udp("session without an id", pfcp(0x20, 50, num(3, 6)+"\x00", item(60, "\x00\xc0\x00\x02\x01")), ""),
		udp("elements too long", pfcp(0x20, 1, num(3, 5)+"\x00", item(96, noise(4))[:7]), ""),
		udp("floor", floor, "BFCP"),
		tcpCase("floor in a stream", floor, "BFCP"),
		udp("hello", "\x20\x0b\x00\x00"+num(4, 1)+num(2, 7)+num(2, 9), "BFCP"),
		udp("padding", floor[:len(floor)-1]+"\x01", ""),
		udp("announcement", uftp(0x50, 1, "\x01\x03"+noise(10)), "UFTP"),
		udp("segment of version 4", uftp(0x40, 9, "\x09\x03"+noise(110)), "UFTP"),
		udp("encrypted", uftp(0x50, 18, noise(8)+num(2, 20)+num(2, 64)+noise(84)), "UFTP"),
		udp("two functions", uftp(0x50, 1, "\x02\x03"+noise(10)), ""),
		udp("description of files", flute+"<?xml version", "FLUTE"),
		udp("another object", flute[:15]+"\x01"+flute[16:], ""),
	}
}
