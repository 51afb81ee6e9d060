// SPDX-License-Identifier: MIT

package classifier

import (
	"strings"
	"testing"
)

func talkExamples() []example { return known(talkCases()) }

func TestTalk(t *testing.T) { runPeerCases(t, talkCases()) }

// stunMessageOf makes a message of STUN with the cookie and attributes.
func stunMessageOf(kind uint64, attributes ...string) string {
	all := strings.Join(attributes, "")
	return num(2, kind) + num(2, uint64(len(all))) + "\x21\x12\xa4\x42" + noise(12) + all
}

// stunAttribute makes one attribute, filled up to four bytes.
func stunAttribute(kind uint64, value string) string {
	return num(2, kind) + num(2, uint64(len(value))) + value + nul((4-len(value)%4)%4)
}

func rtpPacket(kind byte, number, time uint64, source string) string {
	return "\x80" + string([]byte{kind}) + num(2, number) + num(4, time) + source + noise(60)
}

// framed puts the length in front, as RFC 4571 does.
func framed(s string) string { return num(2, uint64(len(s))) + s }

func talkCases() []peerCase {
	udp, tcp := udpCase, tcpCase
	several := func(name, want string, in ...string) peerCase {
		c := peerCase{name: name, udp: true, want: want}
		for _, m := range in {
			c.says = append(c.says, said{Original, m})
		}
		return c
	}
	binding := stunMessageOf(1, stunAttribute(0x0006, "a:b"), stunAttribute(0x0024, "\x00\x00\x00\x01"))
	classic := "\x01\x01\x00\x0c" + noise(16) + stunAttribute(1, "\x00\x01\x12\x34\x7f\x00\x00\x01")
	sr := "\x80\xc8\x00\x06" + noise(24)
	sdes := "\x81\xca\x00\x03" + noise(4) + "\x01\x04abcd\x00\x00"
	skinny := lit(4, 48) + lit(4, 0) + lit(4, 1) + "SEP001122334455\x00" + nul(28)
	h225 := "\x08\x02\x12\x34\x05\x7e\x00\x20\x05\x20\xa0\x06\x00\x08\x91\x4a\x00\x02" + noise(20)
	iax := "\x80\x01\x00\x00" + num(4, 10) + "\x00\x00\x06\x01" + "\x0b\x02\x00\x02" + "\x06\x04fish"
	ts := "\x47\x40\x00\x10" + noise(184)
	sfu := "\x05" + noise(6) + "\x00" + "\x10" + noise(23) + "\x90\x62" + noise(6) + "\x00\x00\x04\x01" + noise(30)
	pq := nul(8) + noise(8) + lit(4, 20) + lit(4, 0xbe7e8ef1) + noise(16)
	noiseHello := "\x00\x00\x24\x12\x22\x0a\x20" + noise(32)
	bind := "fish\x00secret\x00\x00\x34\x00\x00\x00"
	bind = num(4, uint64(16+len(bind))) + num(4, 9) + nul(4) + num(4, 1) + bind
	oicq := "\x02\x36\x2b\x00\x17" + noise(2) + num(4, 123456789) + noise(20) + "\x03"
	body := "\xfe\xfd" + noise(32) + "\x00\x00" + "\x00\x02\xc0\x2b" + "\x01\x00"
	dtlsHello := "\x01" + num(3, uint64(len(body))) + nul(2) + nul(3) + num(3, uint64(len(body))) + body
	dtlsHello = "\x16\xfe\xff" + nul(8) + num(2, uint64(len(dtlsHello))) + dtlsHello
	mmtls := func(kind, version byte, hello string) string {
		hello = num(4, uint64(len(hello))) + hello
		return string([]byte{kind, 0xf1, version}) + num(2, uint64(len(hello))) + hello
	}
	return []peerCase{
		tcp("mmtls", mmtls(0x16, 4, "\x01\x04\xf1\x01"+noise(150)), "WeChat"),
		tcp("mmtls with data along", mmtls(0x19, 3, "\x01\x03\xf1\x01"+noise(90))+"\x17\xf1\x03"+num(2, 40)+noise(40), "WeChat"),
		tcp("mmtls, two versions", mmtls(0x16, 4, "\x01\x03\xf1\x01"+noise(150)), ""),
		tcp("mmtls, no hello", "\x16\xf1\x04"+num(2, 100)+noise(100), ""),
		{name: "attribute not filled up", udp: true, says: ask(num(2, 3) + num(2, 106) + "\x21\x12\xa4\x42" + noise(12) + num(2, 0x4000) + num(2, 102) + noise(102)), want: "STUN", app: "WHATSAPPCALL"},
		udp("attribute not filled up, too long", num(2, 3)+num(2, 106)+"\x21\x12\xa4\x42"+noise(12)+num(2, 0x4000)+num(2, 103)+noise(102), ""),
		{name: "stun in a session of a relay", udp: true, says: ask("\xff\x10" + framed(noise(8)+stunMessageOf(0x101, stunAttribute(0x8070, num(4, 7))))), want: "STUN", app: "SKYPE_TEAMSCALL"},
		udp("something else there", "\xff\x10"+framed(noise(8)+noise(40)), ""),
		udp("sip invite", "INVITE sip:bob@example.com SIP/2.0\r\nVia: x\r\n", "SIP"),
		udp("sip status", "SIP/2.0 200 OK\r\n", "SIP"),
		tcp("sip in a stream", "REGISTER sip:example.com SIP/2.0\r\n", "SIP"),
		tcp("a word and no uri", "INVITE bob to dinner please", ""),
		tcp("sip, status of letters", "SIP/2.0 2xx OK and more", ""),
		tcp("rtsp", "DESCRIBE rtsp://example.com/a RTSP/1.0\r\n", "RTSP"),
		tcp("rtsp to all", "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n", "RTSP"),
		udp("mgcp", "RSIP 1200 *@gw.example.net MGCP 1.0\r\n\r\n", "MGCP"),
		udp("mgcp, no version", "RSIP 1200 *@gw.example.net and more\r\n", ""),
		udp("megaco", "MEGACO/1 [192.0.2.1]:2944\nTransaction=1{}", "Megaco"),
		tcp("skinny", skinny, "CiscoSkinny"),
		{name: "skinny, keep-alive", port: 2000, says: ask("\x04" + nul(11)), want: "CiscoSkinny"},
		tcp("skinny, another name", strings.Replace(skinny, "SEP", "S\x01P", 1), ""),
		tcp("h225", "\x03\x00"+num(2, uint64(len(h225)+4))+h225, "H323"),
		tcp("h245", "\x03\x00\x00\x1c\x02\x30\x01\x06\x00\x08\x81\x75\x00\x05"+noise(14), "H323"),
		udp("ras", "\x00\x00\x01\x06\x00\x08\x91\x4a\x00\x04"+noise(20), "H323"),
		udp("iax", iax, "IAX"),
		udp("iax, element too long", iax[:len(iax)-1], ""),
		udp("stun", binding, "STUN"),
		udp("stun, empty", stunMessageOf(1), "STUN"),
		udp("stun of old", classic, "STUN"),
		udp("stun, attribute too long", strings.Replace(binding, "\x00\x06\x00\x03", "\x00\x06\x00\xff", 1), ""),
		udp("stun, no cookie and a new attribute", "\x00\x01\x00\x08"+noise(16)+stunAttribute(0x0024, "abcd"), ""),
		tcp("stun in a stream", stunMessageOf(3, stunAttribute(0x0019, "\x11\x00\x00\x00")), "STUN"),
		tcp("stun with its length", num(2, uint64(len(binding)))+binding, "STUN"),
		{name: "stun of teams", udp: true, says: ask(stunMessageOf(1, stunAttribute(0x8070, "\x00\x00\x00\x02"))), want: "STUN", app: "SKYPE_TEAMSCALL"},
		{name: "stun of whatsapp", udp: true, says: []said{{Original, binding}, {Original, stunMessageOf(1, stunAttribute(0x4000, noise(8)))}}, want: "STUN", app: "WHATSAPPCALL"},
		{name: "stun, a realm", udp: true, says: tell(stunMessageOf(0x113, stunAttribute(stunRealm, "turn.zoom.us"))), want: "STUN", app: "ZOOM"},
		{name: "dtls behind stun", udp: true, says: []said{{Original, binding}, {Original, dtlsHello}}, want: "DTLS"},
		several("media behind stun", "SRTP", binding, rtpPacket(111, 1, 160, "abcd"), rtpPacket(111, 2, 1120, "abcd")),
		{name: "whatsapp's media", udp: true, says: []said{{Original, stunMessageOf(1, stunAttribute(0x4000, noise(8)))}, {Reply, binding}, {Reply, rtpPacket(120, 7, 960, "abcd")}}, want: "SRTP"},
		{name: "stun of signal", udp: true, says: tell(stunMessageOf(0x113, stunAttribute(stunRealm, "turn.signal.org"))), want: "STUN", app: "SIGNALVOIP"},
		{name: "stun of google", udp: true, port: 19305, says: ask(stunMessageOf(1, stunAttribute(0xc057, "\x00\x03\x00\x0a"))), want: "STUN", app: "GOOGLECALL"},
		{name: "stun, a realm of nobody", udp: true, says: tell(stunMessageOf(0x113, stunAttribute(stunRealm, "example.org"))), want: "STUN", app: "STUN"},
		several("rtp", "RTP", rtpPacket(0, 1, 160, "abcd"), rtpPacket(0, 2, 320, "abcd"), rtpPacket(0, 3, 480, "abcd")),
		several("rtp, each sent twice", "RTP", rtpPacket(0, 1, 160, "abcd"), rtpPacket(0, 1, 160, "abcd"), rtpPacket(0, 2, 320, "abcd"), rtpPacket(0, 2, 320, "abcd"), rtpPacket(0, 3, 480, "abcd")),
		several("rtp, each overtaken", "RTP", rtpPacket(0, 2, 320, "abcd"), rtpPacket(0, 1, 160, "abcd"), rtpPacket(0, 4, 640, "abcd"), rtpPacket(0, 3, 480, "abcd"), rtpPacket(0, 6, 960, "abcd")),
		several("rtp, backwards", "", rtpPacket(0, 9, 160, "abcd"), rtpPacket(0, 8, 320, "abcd"), rtpPacket(0, 7, 480, "abcd"), rtpPacket(0, 6, 480, "abcd")),
		several("rtp, one number", "", rtpPacket(0, 1, 160, "abcd"), rtpPacket(0, 1, 160, "abcd"), rtpPacket(0, 1, 160, "abcd"), rtpPacket(0, 1, 160, "abcd")),
		several("rtp, sources differ", "", rtpPacket(0, 1, 160, "abcd"), rtpPacket(0, 2, 320, "abce"), rtpPacket(0, 3, 480, "abcf")),
		several("rtp, numbers jump", "", rtpPacket(0, 1, 160, "abcd"), rtpPacket(0, 9000, 320, "abcd"), rtpPacket(0, 3, 480, "abcd")),
		tcp("rtp in a stream", framed(rtpPacket(8, 1, 160, "abcd"))+framed(rtpPacket(8, 2, 320, "abcd")), "RTP"),
		tcp("rtp in a stream, another source", framed(rtpPacket(8, 1, 160, "abcd"))+framed(rtpPacket(8, 2, 320, "efgh")), ""),
		udp("rtcp", sr+sdes, "RTCP"),
		udp("rtcp, encrypted", "\x80\xc9\x00\x01"+noise(4)+"\x80\x00\x05\x11"+noise(10), "RTCP"),
		udp("rtcp, too short", sr+sdes[:len(sdes)-1], ""),
		udp("transport stream", ts+ts, "MPEG_TS"),
		udp("transport stream, one", ts, ""),
		udp("discord", "\x00\x01\x00\x46\x00\x00\x30\x39"+nul(66), "Discord"),
		{name: "discord's answer", udp: true, says: tell("\x00\x02\x00\x46\x00\x00\x30\x39192.0.2.1" + nul(55) + "\x12\x34"), want: "Discord"},
		udp("discord, something behind", "\x00\x01\x00\x46\x00\x00\x30\x39"+noise(66), ""),
		udp("teamspeak", "TS3INIT1\x00\x65\x00\x00\x88"+noise(20), "TeamSpeak"),
		udp("teamspeak 2", "\xf4\xbe\x03"+nul(9)+noise(168), "TeamSpeak"),
		udp("zoom video", sfu, "Zoom"),
		{name: "zoom's greeting", udp: true, says: []said{{Original, "\x01\x00\x02\x7d" + noise(100)}, {Reply, "\x02\x00\x02\x7d" + noise(100)[:40]}}, want: "Zoom"},
		{name: "zoom, another id", udp: true, says: []said{{Original, "\x01\x00\x02\x7d" + noise(100)}, {Reply, "\x02\x00\x02\x7d" + noise(40)}}, want: ""},
		udp("zoom, not its media", strings.Replace(sfu, "\x90\x62", "\x90\x00", 1), ""),
		tcp("telegram, abridged", "\xef\x0a"+pq, "Telegram"),
		tcp("telegram, intermediate", "\xee\xee\xee\xee"+lit(4, uint64(len(pq)))+pq, "Telegram"),
		tcp("telegram, full", lit(4, uint64(len(pq)+12))+nul(4)+pq+noise(4), "Telegram"),
		tcp("telegram, another request", "\xef\x0a"+nul(8)+noise(32), ""),
		udp("telegram's relay", noise(16)+strings.Repeat("\xff", 12)+"\xfe\xff\xff\xff"+noise(8), "Telegram"),
		tcp("whatsapp", "WA\x06\x03"+noiseHello, "WhatsApp"),
		tcp("whatsapp with a route", "ED\x00\x01\x00\x00\x04\x08\x02\x08\x05WA\x06\x03"+noiseHello, "WhatsApp"),
		tcp("whatsapp, before", "WA\x01\x05\x00\x00\x18\xf8\x05\x01"+noise(30), "WhatsApp"),
		tcp("washington", "WA is a state of the union", ""),
		tcp("jabber", "<?xml version='1.0'?><stream:stream to='example.com' xmlns='jabber:client'>", "Jabber"),
		tcp("xml", "<?xml version='1.0'?><rss version='2.0'></rss>", ""),
		{name: "threema", port: 5222, says: []said{{Original, noise(48)}, {Reply, noise(80)}}, want: "Threema"},
		{name: "threema, shorter", port: 5222, says: []said{{Original, noise(47)}, {Reply, noise(80)}}, want: ""},
		tcp("smpp", bind, "SMPP"),
		tcp("smpp, other interface", strings.Replace(bind, "\x34", "\x99", 1), ""),
		{name: "oicq", udp: true, port: 8000, says: ask(oicq), want: "OICQ"},
		udp("oicq on another port", oicq, ""),
	}
}
