// SPDX-License-Identifier: MIT

package bpfmap_test

import (
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"nftdict/bpfmap"
	"nftdict/dict"
	"nftdict/nftext"
)

// skb is the part of struct __sk_buff that a test run takes.
type skb struct {
	Len, PktType, Mark uint32
	_                  [45]uint32
}

// bound parses a term and binds it to the store.
func bound(tb testing.TB, s *bpfmap.Store, text string) nftext.Bound {
	tb.Helper()
	term, n, err := nftext.Parse(text)
	if err != nil || n != len(text) {
		tb.Fatalf("%s: parsed %d bytes: %v", text, n, err)
	}
	b, err := nftext.Bind(term, s)
	if err != nil {
		tb.Fatalf("%s: %v", text, err)
	}
	return b
}

// program loads the program of a term.
func program(tb testing.TB, s *bpfmap.Store, text string) *ebpf.Program {
	tb.Helper()
	p, err := s.Program(bound(tb, s, text))
	if err != nil {
		tb.Fatalf("%s: %v", text, err)
	}
	tb.Cleanup(func() { p.Close() })
	return p
}

// perRun runs a program on an empty packet with a mark and returns what it
// returned and how long one run took.
func perRun(tb testing.TB, p *ebpf.Program, mark uint32, repeat int) (uint32, time.Duration) {
	tb.Helper()
	in := &skb{Mark: mark}
	o := ebpf.RunOptions{Data: make([]byte, 64), Context: in, Repeat: uint32(repeat)}
	began := time.Now()
	ret, err := p.Run(&o)
	if err != nil {
		tb.Fatal(err)
	}
	return ret, time.Since(began) / time.Duration(repeat)
}

// bareProgram looks the mark up in a hash map and compares, no more.
func bareProgram(tb testing.TB) *ebpf.Program {
	tb.Helper()
	m, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Hash, KeySize: 4, ValueSize: 8, MaxEntries: 65536, Flags: unix.BPF_F_NO_PREALLOC})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { m.Close() })
	for i := range uint32(1000) {
		if err := m.Put(i, uint64(i)); err != nil {
			tb.Fatal(err)
		}
	}
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.SocketFilter, License: "Dual MIT/GPL", Instructions: asm.Instructions{
		asm.LoadMem(asm.R2, asm.R1, 8, asm.Word), // mark
		asm.StoreMem(asm.RFP, -4, asm.R2, asm.Word),
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
	tb.Cleanup(func() { p.Close() })
	return p
}

// BenchmarkProgram is what the programs alone cost, without nft and xt_bpf.
func BenchmarkProgram(b *testing.B) {
	s := openDir(b, testDir(b))
	err := s.AddTable(dict.Table{Name: "bench", Key: dict.KeyMark, Fields: []dict.Field{
		{Name: "n", Type: dict.Int}, {Name: "s", Type: dict.String}, {Name: "absent", Type: dict.Int},
	}})
	if err != nil {
		b.Fatal(err)
	}
	for i := range uint32(1000) {
		err := s.Put("bench", dict.Row{Key: dict.Mark(i), TTL: time.Hour, Cells: []dict.Cell{
			{Field: "n", Value: dict.IntValue(int32(i))}, {Field: "s", Value: dict.MustString("NETFLIX")},
		}})
		if err != nil {
			b.Fatal(err)
		}
	}
	for _, bm := range []struct {
		name string
		p    *ebpf.Program
	}{
		{"bare", bareProgram(b)},
		{"int", program(b, s, "dict bench meta mark n 5")},
		{"carried", program(b, s, "dict bench ct mark n 5")},
		{"string", program(b, s, `dict bench meta mark s "YOUTUBE"`)},
		{"absent", program(b, s, "dict bench meta mark absent 5")},
		{"glob", program(b, s, `dict bench meta mark s "*FLI*"`)},
		{"set", program(b, s, `dict bench meta mark n set 7`)},
		{"add", program(b, s, `dict bench meta mark n add 7`)},
	} {
		b.Run(bm.name, func(b *testing.B) {
			for b.Loop() {
				perRun(b, bm.p, 77, 1000)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/run")
		})
	}
}
