// SPDX-License-Identifier: MIT

package overheard

import (
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Kinds of packets, as the kernel tells them.
const (
	packetBroadcast = 1
	packetMulticast = 2
)

// filter4 accepts UDP to the ports of IPv4. An ordinary packet costs three
// instructions.
func filter4() []unix.SockFilter {
	return filter([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 9, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: protoUDP, SkipTrue: 8},
		bpf.LoadAbsolute{Off: 6, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0x3fff, SkipTrue: 6},
		bpf.LoadMemShift{Off: 0},
		bpf.LoadIndirect{Off: 2, Size: 2},
	}, portDHCP, portNetBIOS, portMDNS, portLLMNR)
}

// filter6 accepts UDP to the ports of IPv6.
func filter6() []unix.SockFilter {
	return filter([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 6, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: protoUDP, SkipTrue: 4},
		bpf.LoadAbsolute{Off: 42, Size: 2},
	}, portDHCPv6, portMDNS, portLLMNR)
}

// filter puts a test of the kind of packet before instructions that load the port,
// and those of the port behind. Their jumps lead to the refusal, which follows the
// ports.
func filter(load []bpf.Instruction, ports ...uint32) []unix.SockFilter {
	all := []bpf.Instruction{
		bpf.LoadExtension{Num: bpf.ExtType},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: packetBroadcast, SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: packetMulticast, SkipTrue: 1},
		bpf.RetConstant{},
	}
	all = append(all, load...)
	for i, port := range ports {
		all = append(all, bpf.JumpIf{Cond: bpf.JumpEqual, Val: port, SkipTrue: uint8(len(ports) - i)})
	}
	all = append(all, bpf.RetConstant{}, bpf.RetConstant{Val: maxPacket})
	raw, err := bpf.Assemble(all)
	if err != nil { // of constants: never
		panic(err)
	}
	out := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		out[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	return out
}
