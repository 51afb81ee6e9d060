// SPDX-License-Identifier: MIT

package classifier

import (
	"strings"
	"testing"
)

func gamesExamples() []example { return known(gamesCases()) }

func TestGames(t *testing.T) { runPeerCases(t, gamesCases()) }

func gamesCases() []peerCase {
	udp, tcp := udpCase, tcpCase
	kcp := func(conversation uint64, number uint64) string {
		return lit(4, conversation) + "\x51\x00\x80\x00" + lit(4, 1000) + lit(4, number) + lit(4, 0) + lit(4, 20) + noise(20)
	}
	info := connectionless + "I\x11server\x00map\x00folder\x00game\x00\x0a\x00\x02\x10\x00dl\x00\x01"
	handshake := "\x00\xfd\x05\x0bexample.org\x63\xdd\x02"
	ping := "\x01" + num(8, 12345) + rakNetMagic + noise(8)
	enet := func(peer, command string, mtu uint64, more string) string {
		return peer + noise(2) + command + "\xff\x00\x01\x00\x05\xff\xff" + num(4, mtu) + num(4, 65536) + num(4, 2) + nul(8) + num(4, 5000) + num(4, 2) + num(4, 2) + noise(4) + more
	}
	bnet := func(platform, game string, n uint64) string {
		return "\x01\xff\x50" + lit(2, n) + nul(4) + platform + game + noise(int(n)-16)
	}
	sockets := "\x0d" + noise(4) + "\x19" + noise(8) + "\x20\x0a"
	sockets = "\x20" + lit(2, uint64(len(sockets))) + sockets
	return []peerCase{
		udp("enet", enet("\x8f\xff", "\x82", 1392, nul(4)), "ENet"),
		udp("enet with a checksum", "\x8f\xff"+noise(6)+enet("\x8f\xff", "\x82", 1200, nul(4))[4:], "ENet"),
		{name: "enet, both sides", udp: true, says: []said{{Original, enet("\x8f\xff", "\x82", 1392, nul(4))}, {Reply, enet("\x80\x03", "\x83", 1392, "")}}, want: "ENet"},
		udp("enet, confirmed and acknowledged", "\x80\x01\x12\x34\x01\xff\x00\x01\x00\x01\x00\x93"+enet("\x80\x01", "\x83", 1400, "")[4:], "ENet"),
		udp("enet, longer", enet("\x8f\xff", "\x82", 1392, nul(5)), ""),
		udp("enet, too large", enet("\x8f\xff", "\x82", 9000, nul(4)), ""),
		{name: "battle.net", says: ask(bnet("68XI", "PXES", 58)), want: "BattleNet", app: "STARCRAFT"},
		{name: "battle.net, war", says: ask(bnet("CAMX", "PX3W", 50)), want: "BattleNet", app: "WARCRAFT3"},
		tcp("battle.net, unknown game", bnet("68XI", "ABCD", 58), "BattleNet"),
		tcp("battle.net, no platform", bnet("86XI", "PXES", 58), ""),
		udp("steam's sockets", sockets+nul(512-len(sockets)), "SteamNetworkingSockets"),
		udp("steam's sockets, not filled up", sockets+nul(511-len(sockets)), ""),
		udp("steam's sockets, filled up with more", sockets+nul(511-len(sockets))+"x", ""),
		udp("steam's sockets, answer", "\x21\x0d"+noise(4)+"\x11"+noise(8)+"\x19"+noise(8)+"\x20\x0a", "SteamNetworkingSockets"),
		udp("steam's sockets, a length that is missing", "\x21\x0d"+noise(4)+"\x19"+noise(8)+"\x22", ""),
		udp("steam's sockets, fields that fall", "\x21\x0d"+noise(4)+"\x19"+noise(8)+"\x11"+noise(8), ""),
		udp("raknet ping", ping, "RakNet"),
		udp("raknet pong", "\x1c"+num(8, 1)+noise(8)+rakNetMagic+"\x00\x04MCPE", "RakNet"),
		udp("raknet open", "\x05"+rakNetMagic+"\x0b"+nul(400), "RakNet"),
		udp("raknet, something in front", "\x05\x00"+rakNetMagic+nul(40), "RakNet"),
		udp("raknet, other magic", "\x05"+rakNetMagic[:15]+nul(40), ""),
		udp("source query", connectionless+"TSource Engine Query\x00", "Source_Engine"),
		udp("source info", info, "Source_Engine"),
		udp("source challenge", connectionless+"A"+noise(4), "Source_Engine"),
		udp("source, unknown kind", connectionless+"z"+noise(4), ""),
		udp("quake", connectionless+"getstatus\n", "Quake"),
		udp("quake info", connectionless+"getinfo\n", "Quake"),
		udp("quake, another word", connectionless+"getinfos", ""),
		udp("steam", "VS01"+lit(2, 4)+"\x01\x04"+noise(32), "Steam"),
		udp("steam, length", "VS01"+lit(2, 5)+"\x01\x04"+noise(32), ""),
		udp("steam's search", "\xff\xff\xff\xff\x21\x4c\x5f\xa0"+lit(4, 16)+noise(20), "Steam"),
		tcp("steam in a stream", lit(4, 100)+"VT01"+noise(100), "Steam"),
		tcp("minecraft", string([]byte{byte(len(handshake))})+handshake, "Minecraft"),
		tcp("minecraft, not a name", string([]byte{byte(len(handshake))})+strings.Replace(handshake, "example", "exa\x01ple", 1), ""),
		udp("genshin", "\x00\x00\x00\xff"+nul(8)+num(4, 1234567890)+"\xff\xff\xff\xff", "GenshinImpact"),
		udp("genshin, other end", "\x00\x00\x00\xff"+nul(8)+num(4, 1234567890)+nul(4), ""),
		tcp("tencent", "\x33\x66\x00\x0b\x00\x0a\x10\x01\x00"+num(4, 1)+num(4, 76)+nul(4)+noise(55), "TencentGames"),
		tcp("tencent, another command", "\x33\x66\x00\x0b\x00\x0a\x77\x01\x00"+num(4, 1)+num(4, 76)+nul(4)+noise(55), ""),
		udp("photon", "\xff\xff\x00\x01"+num(4, 9)+noise(4)+"\x02\xff\x01\x04"+num(4, 44)+num(4, 1)+noise(32), "Photon"),
		udp("photon, two commands", "\x00\x07\x00\x02"+num(4, 9)+noise(4)+"\x07\x01\x00\x00"+num(4, 20)+num(4, 0)+noise(8)+"\x06\x00\x01\x04"+num(4, 30)+num(4, 2)+noise(18), "Photon"),
		udp("photon, longer", "\xff\xff\x00\x01"+num(4, 9)+noise(4)+"\x02\xff\x01\x04"+num(4, 44)+num(4, 1)+noise(33), ""),
		udp("kcp, two segments", kcp(7, 0)+kcp(7, 1), "KCP"),
		{name: "kcp, two datagrams", udp: true, says: []said{{Original, kcp(7, 0)}, {Reply, kcp(7, 0)}}, want: "KCP"},
		udp("kcp, one segment", kcp(7, 0), "KCP"),
		udp("kcp, nothing in it", kcp(7, 0)[:20]+nul(4), ""),
		udp("kcp, two conversations", kcp(7, 0)+kcp(8, 0), ""),
	}
}
