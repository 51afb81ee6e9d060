// SPDX-License-Identifier: MIT

package classifier

import (
	"encoding/binary"
	"slices"
	"strings"
)

// serviceDetectors lists the services of a network: mail, files, names,
// management, remote access, databases and messages.
func serviceDetectors() []detector {
	return slices.Concat([]detector{
		sshDetector(), ntpDetector(),
		smtpsDetector(), popsDetector(), imapsDetector(), ftpsDetector(),
		smtpDetector(), pop3Detector(), imapDetector(), ftpDetector(), nntpDetector(), ircDetector(),
		dhcpDetector(), dhcpv6Detector(), snmpDetector(), ldapDetector(), kerberosDetector(),
		syslogDetector(), netflowDetector(), sflowDetector(), tftpDetector(),
		radiusDetector(), diameterDetector(), tacacsDetector(), zabbixDetector(), collectdDetector(),
		slpDetector(), bgpDetector(), ldpDetector(), bfdDetector(), hsrpDetector(), capwapDetector(),
		gtpControlDetector(), gtpUserDetector(), gtpPrimeDetector(), openflowDetector(),
		smb1Detector(), smb2Detector(), netbiosSessionDetector(), nfsDetector(), profinetDetector(), dcerpcDetector(),
		rdpDetector(), vncDetector(), citrixDetector(), radminDetector(), teamviewerDetector(),
		x11Detector(), xdmcpDetector(), telnetDetector(), socksDetector(), whoisDetector(),
		postgresDetector(), mysqlDetector(), mongoDetector(), redisDetector(), oracleDetector(),
		tdsDetector(), cassandraDetector(), memcachedDetector(),
		kafkaDetector(), mqttDetector(), amqpDetector(), stompDetector(), natsDetector(), coapDetector(),
		fixDetector(), jrmiDetector(), corbaDetector(), ajpDetector(), fastcgiDetector(), thriftDetector(),
		raftDetector(), z3950Detector(), rsyncDetector(), lustreDetector(),
	}, middlewareDetectors(), gatewayDetectors())
}

// streamOnly describes a protocol over TCP whose first byte is one of first, or
// any if that is empty.
func streamOnly(name, category, first string, look func(*sight) verdict) detector {
	return detector{
		name: name, upper: strings.ToUpper(name), category: category, confidence: 95,
		starts: oneOf(first), stream: look,
	}
}

// datagramOnly is streamOnly over UDP.
func datagramOnly(name, category, first string, look func(*sight) verdict) detector {
	return detector{
		name: name, upper: strings.ToUpper(name), category: category, confidence: 95,
		starts: oneOf(first), datagram: look,
	}
}

// port reports whether either end uses one of the ports.
func (x *sight) port(ports ...uint16) bool {
	for _, p := range ports {
		if x.p.SrcPort == p || x.p.DstPort == p {
			return true
		}
	}
	return false
}

func num32(b []byte) int { return int(binary.BigEndian.Uint32(b)) }
func low32(b []byte) int { return int(binary.LittleEndian.Uint32(b)) }

// isZero reports whether all of b is zero.
func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// isWord reports whether b is letters, digits and the signs of identifiers, at
// least one.
func isWord(b []byte) bool {
	for _, c := range b {
		if !isAlphanumeric(c) && c != '_' && c != '-' && c != '.' && c != ':' {
			return false
		}
	}
	return len(b) > 0
}
