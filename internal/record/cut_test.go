// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"nftdict/classifier"
	"nftdict/classifier/pcap"
	"nftdict/internal/lab"
)

// frame makes an Ethernet frame with an IPv4 packet of the protocol.
func frame(proto byte, src, dst uint16, payload string) lab.Packet {
	header := 8
	if proto == classifier.ProtoTCP {
		header = 20
	}
	b := make([]byte, etherHeader+20+header, etherHeader+20+header+len(payload))
	b[12] = 8
	ip := b[etherHeader:]
	ip[0], ip[8], ip[9] = 0x45, 64, proto
	binary.BigEndian.PutUint16(ip[2:], uint16(20+header+len(payload)))
	copy(ip[12:], []byte{192, 0, 2, 10, 192, 0, 2, 20})
	if proto == classifier.ProtoTCP {
		ip[32] = 5 << 4
	} else {
		binary.BigEndian.PutUint16(ip[24:], uint16(8+len(payload)))
	}
	binary.BigEndian.PutUint16(ip[20:], src)
	binary.BigEndian.PutUint16(ip[22:], dst)
	return lab.Packet{Time: time.Unix(1000, 0), Frame: append(b, payload...)}
}

func TestCut(t *testing.T) {
	const tcp, udp, icmp = classifier.ProtoTCP, classifier.ProtoUDP, classifier.ProtoICMP
	arp := frame(udp, 1, 2, "x")
	arp.Frame[13] = 6
	padded := frame(udp, 7, 7, "x")
	padded.Frame = append(padded.Frame, make([]byte, 17)...)
	r := &Recipe{FlowPackets: 3, FlowBytes: 200, Drop: []string{"udp 53"}}
	kept := r.cut([]lab.Packet{
		arp, {Frame: []byte{1, 2, 3}},
		frame(tcp, 1000, 80, ""), frame(tcp, 80, 1000, ""), frame(tcp, 1000, 80, "one"), frame(tcp, 1000, 80, "too many"),
		frame(tcp, 1001, 81, ""), frame(tcp, 81, 1001, ""), // refused: says nothing
		frame(udp, 5000, 53, "dropped"), frame(udp, 53, 5000, "dropped"),
		frame(udp, 6000, 6001, string(make([]byte, 100))), frame(udp, 6000, 6001, string(make([]byte, 100))), frame(udp, 6000, 6001, "behind a hole"),
		frame(icmp, 3<<8, 0, "unreachable"), frame(2, 0, 0, "a group"), padded,
	})
	var file bytes.Buffer
	if err := write(&file, kept); err != nil {
		t.Fatal(err)
	}
	report, err := pcap.Classify(&file, classifier.New(classifier.Options{}), pcap.Options{})
	if err != nil || report.Packets != 5 || report.NotIP+report.Malformed != 0 {
		t.Fatalf("%v, %+v", err, report)
	}
	want := map[string]int{"192.0.2.20:80": 3, "192.0.2.20:6001": 1, "192.0.2.20:7": 1}
	for _, f := range report.Flows {
		if want[f.B.String()] != f.PacketsAB+f.PacketsBA || f.First != epoch {
			t.Errorf("%v to %v: %d packets, first at %v", f.A, f.B, f.PacketsAB+f.PacketsBA, f.First)
		}
		delete(want, f.B.String())
	}
	if len(want) > 0 || report.Flows[0].A.Addr() != netip.MustParseAddr("192.0.2.10") {
		t.Errorf("without: %v", want)
	}
}
