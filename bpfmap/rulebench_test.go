// SPDX-License-Identifier: MIT

package bpfmap_test

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
	"github.com/mdlayher/netlink"
	vnl "github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"nftdict/bpfmap"
	"nftdict/dict"
	"nftdict/nftext"
)

// secmarkOffset returns where a packet's secmark is.
func secmarkOffset(tb testing.TB) uint32 {
	tb.Helper()
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		tb.Fatal(err)
	}
	var skb *btf.Struct
	if err := spec.TypeByName("sk_buff", &skb); err != nil {
		tb.Fatal(err)
	}
	var find func(members []btf.Member, base btf.Bits) (btf.Bits, bool)
	find = func(members []btf.Member, base btf.Bits) (btf.Bits, bool) {
		for _, m := range members {
			if m.Name == "secmark" {
				return base + m.Offset, true
			}
			var inner []btf.Member
			switch t := btf.UnderlyingType(m.Type).(type) {
			case *btf.Struct:
				inner = t.Members
			case *btf.Union:
				inner = t.Members
			}
			if m.Name == "" {
				if at, ok := find(inner, base+m.Offset); ok {
					return at, true
				}
			}
		}
		return 0, false
	}
	at, ok := find(skb.Members, 0)
	if !ok {
		tb.Fatal("sk_buff has no secmark")
	}
	return at.Bytes()
}

// bareRule is what a rule of ours is compared with: the key by nft, one lookup
// in a hash map by a program, a comparison. The caller closes the program.
func bareRule(tb testing.TB) ([]byte, *ebpf.Program) {
	tb.Helper()
	m, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Hash, KeySize: 4, ValueSize: 8, MaxEntries: 65536, Flags: unix.BPF_F_NO_PREALLOC})
	if err != nil {
		tb.Fatal(err)
	}
	defer m.Close()
	for i := range uint32(1000) {
		if err := m.Put(i, uint64(i)); err != nil {
			tb.Fatal(err)
		}
	}
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.SocketFilter, License: "Dual MIT/GPL", Instructions: asm.Instructions{
		asm.Mov.Reg(asm.R3, asm.R1),
		asm.Add.Imm(asm.R3, int32(secmarkOffset(tb))),
		asm.Mov.Imm(asm.R2, 4),
		asm.Mov.Reg(asm.R1, asm.RFP),
		asm.Add.Imm(asm.R1, -4),
		asm.StoreImm(asm.RFP, -4, 0, asm.Word),
		asm.FnProbeReadKernel.Call(),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, -4),
		asm.LoadMapPtr(asm.R1, m.FD()),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "out"),
		asm.LoadMem(asm.R1, asm.R0, 0, asm.DWord),
		asm.Mov.Imm(asm.R0, 1),
		asm.JEq.Imm(asm.R1, 5, "end"),
		asm.Mov.Imm(asm.R0, 0).WithSymbol("out"),
		asm.Return().WithSymbol("end"),
	}})
	if err != nil {
		tb.Fatal(err)
	}
	info := make([]byte, 528)
	binary.NativeEndian.PutUint16(info, 2)
	binary.NativeEndian.PutUint32(info[4:], uint32(p.FD()))
	data := xt.Unknown(info)
	return elements(tb,
		&expr.Ct{Key: unix.NFT_CT_ID, Register: 1},
		&expr.Meta{Key: expr.MetaKeySECMARK, Register: 1, SourceRegister: true},
		&expr.Match{Name: "bpf", Rev: 1, Info: &data}), p
}

func elements(tb testing.TB, list ...expr.Any) []byte {
	tb.Helper()
	enc := netlink.NewAttributeEncoder()
	for _, e := range list {
		b, err := expr.Marshal(unix.NFPROTO_INET, e)
		if err != nil {
			tb.Fatal(err)
		}
		enc.Bytes(netlink.Nested|unix.NFTA_LIST_ELEM, b)
	}
	b, err := enc.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// BenchmarkRatioRule sends packets over lo through chains of rules none of
// which matches, in turns, and compares what a rule adds: no rule, the bare
// equivalent, ours for a value that is there and for one that is not. Ten of
// ours and ten of `ct id @set` stand beside each other as ns a packet.
func BenchmarkRatioRule(b *testing.B) {
	needBPF(b)
	const rules, packets = 50, 500
	w := &wire{gateway: newNamespace(b)}
	inside(b, w.gateway, func() error {
		lo, err := vnl.LinkByName("lo")
		if err != nil {
			return err
		}
		return vnl.LinkSetUp(lo)
	})
	var s *bpfmap.Store
	var conn *net.UDPConn
	dir := testDir(b)
	inside(b, w.gateway, func() (err error) {
		if s, err = bpfmap.Open(bpfmap.Options{Dir: dir}); err != nil {
			return err
		}
		conn, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: clientPort})
		return err
	})
	defer s.Close()
	defer conn.Close()
	if err := s.AddTable(dict.Standard(65536)[0]); err != nil {
		b.Fatal(err)
	}
	to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), rulePort)
	packet := make([]byte, payload)
	burst := func() time.Duration {
		began := time.Now()
		for range packets {
			if _, err := conn.WriteToUDPAddrPort(packet, to); err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(began)
	}
	compile := func(text string) []byte {
		term, _, err := nftext.Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		bound, err := nftext.Bind(term, s)
		if err != nil {
			b.Fatal(err)
		}
		code, err := s.Compiler().Compile(target(), bound)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { code.Release() })
		return code.Exprs
	}
	bare, program := bareRule(b)
	defer program.Close()
	run(b, w.gateway, `table inet t {
		chain out { type filter hook output priority 0; udp dport 7777 ct mark 0 jump c; }
		chain c { }
		set s { type mark; }
	}`, "nft", "-f", "-")
	var ids []string
	for i := range 1000 {
		ids = append(ids, fmt.Sprint(i))
	}
	run(b, w.gateway, "add element inet t s { "+strings.Join(ids, ", ")+" }", "nft", "-f", "-")
	hit := compile(`dict sessions ct id application "YOUTUBE"`)
	chains := []struct {
		name  string
		exprs []byte
		rules int
	}{
		{"none", nil, 0}, {"bare", bare, rules}, {"hit", hit, rules},
		{"number", compile(`dict sessions ct id client_port 5`), rules},
		{"absent", compile(`dict sessions ct id username "alice"`), rules},
		{"ten dict", hit, 10},
		{"ten set", elements(b, &expr.Ct{Key: unix.NFT_CT_ID, Register: 1}, &expr.Lookup{SourceRegister: 1, SetName: "s"}), 10},
	}
	burst()
	err := s.Put(dict.Sessions, dict.Row{Key: dict.CtID(w.id(b, false)), Cells: []dict.Cell{
		{Field: "application", Value: dict.MustString("NETFLIX")}, {Field: "client_port", Value: dict.IntValue(443)},
	}})
	if err != nil {
		b.Fatal(err)
	}
	measured := make([][]time.Duration, len(chains))
	for b.Loop() {
		for i, c := range chains {
			run(b, w.gateway, "flush chain inet t c", "nft", "-f", "-")
			var list [][]byte
			for range c.rules {
				list = append(list, c.exprs)
			}
			if list != nil {
				if err := w.load(b, list...); err != nil {
					b.Fatal(err)
				}
			}
			for range 5 {
				measured[i] = append(measured[i], burst())
			}
		}
	}
	per := func(i int) float64 {
		return float64((slices.Min(measured[i]) - slices.Min(measured[0])).Nanoseconds()) / packets / rules
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(per(1), "bare-ns")
	for i := 2; i < 5; i++ {
		b.ReportMetric(per(i)/per(1), fmt.Sprint(chains[i].name, "/bare"))
	}
	for i, name := range map[int]string{0: "no-rule", 5: "ten-dict", 6: "ten-set"} {
		b.ReportMetric(float64(slices.Min(measured[i]).Nanoseconds())/packets, name+"-ns")
	}
}
