// SPDX-License-Identifier: MIT

package dictd

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"math/big"
	"net"
	"net/netip"
	"testing"

	"nftdict/classifier"
)

// ipPacket returns an IPv4 or IPv6 packet with a transport header and payload.
// Checksums are left at 0: nobody here looks at them.
func ipPacket(proto uint8, src, dst netip.AddrPort, seq uint32, flags byte, payload []byte) []byte {
	var l4 []byte
	l4 = binary.BigEndian.AppendUint16(l4, src.Port())
	l4 = binary.BigEndian.AppendUint16(l4, dst.Port())
	switch proto {
	case classifier.ProtoTCP:
		l4 = binary.BigEndian.AppendUint32(l4, seq)
		l4 = append(l4, 0, 0, 0, 0, 5<<4, flags, 0xff, 0xff, 0, 0, 0, 0)
	case classifier.ProtoUDP:
		l4 = binary.BigEndian.AppendUint16(l4, uint16(8+len(payload)))
		l4 = append(l4, 0, 0)
	}
	l4 = append(l4, payload...)
	a, b := src.Addr().AsSlice(), dst.Addr().AsSlice()
	var ip []byte
	if src.Addr().Is4() {
		ip = append(ip, 0x45, 0)
		ip = binary.BigEndian.AppendUint16(ip, uint16(20+len(l4)))
		ip = append(ip, 0, 0, 0x40, 0, 64, proto, 0, 0)
	} else {
		ip = append(ip, 0x60, 0, 0, 0)
		ip = binary.BigEndian.AppendUint16(ip, uint16(len(l4)))
		ip = append(ip, proto, 64)
	}
	return append(append(append(ip, a...), b...), l4...)
}

// clientHello returns the first flight of a TLS client that asks for a name.
func clientHello(tb testing.TB, name string) []byte {
	tb.Helper()
	client, server := net.Pipe()
	defer server.Close()
	go func() {
		defer client.Close()
		_ = tls.Client(client, &tls.Config{ServerName: name, CurvePreferences: []tls.CurveID{tls.X25519}}).Handshake()
	}()
	buf := make([]byte, 16<<10)
	n, err := server.Read(buf)
	if err != nil {
		tb.Fatal(err)
	}
	return buf[:n]
}

// dnsQuery returns a DNS question for the address of a name.
func dnsQuery(id uint16, labels ...string) []byte {
	q := binary.BigEndian.AppendUint16(nil, id)
	q = append(q, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0)
	for _, l := range labels {
		q = append(append(q, byte(len(l))), l...)
	}
	return append(q, 0, 0, 1, 0, 1)
}

// handshake12 returns the first flights of a client of TLS 1.2 that names no
// server, and of the server, whose certificate is for name.
func handshake12(tb testing.TB, name string) (hello, flight []byte) {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		tb.Fatal(err)
	}
	near, middle := net.Pipe()
	far, other := net.Pipe()
	go func() {
		defer near.Close()
		_ = tls.Client(near, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}).Handshake()
	}()
	go func() {
		defer far.Close()
		_ = tls.Server(far, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}).Handshake()
	}()
	read := func(c net.Conn) []byte {
		buf := make([]byte, 16<<10)
		n, err := c.Read(buf)
		if err != nil {
			tb.Fatal(err)
		}
		return buf[:n]
	}
	hello = read(middle)
	if _, err := other.Write(hello); err != nil {
		tb.Fatal(err)
	}
	flight = read(other)
	middle.Close()
	other.Close()
	return hello, flight
}

// serverHello13 returns the hello of a server that has chosen TLS 1.3.
func serverHello13() []byte {
	hello := append([]byte{22, 3, 3, 0, 50, 2, 0, 0, 46, 3, 3}, make([]byte, 32)...)
	return append(hello, 0, 0x13, 0x01, 0, 0, 6, 0, 0x2b, 0, 2, 3, 4)
}
