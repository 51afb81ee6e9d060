// SPDX-License-Identifier: MIT

package fold_test

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/google/go-cmp/cmp"

	"nftdict/bpfmap/fold"
)

const rodata = ".rodata"

// object reads the programs that stand in rules.
func object(tb testing.TB) *ebpf.CollectionSpec {
	tb.Helper()
	spec, err := ebpf.LoadCollectionSpec("../rule_bpfel.o")
	if err != nil {
		tb.Fatal(err)
	}
	return spec
}

// condition makes up the constants of a condition, in the order of struct
// condition in bpf/match.h.
func condition(r *rand.Rand) []byte {
	var b []byte
	word := func(n int) { b = binary.LittleEndian.AppendUint32(b, uint32(n)) }
	long := func() {
		n := uint64(r.IntN(4))
		if r.IntN(2) == 0 {
			n = r.Uint64()
		}
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	ref := func() {
		word(r.IntN(256))
		word(r.IntN(9))
		word(r.IntN(2))
		word(r.IntN(2))
		long()
		long()
		word(1 + r.IntN(8))
		word(r.IntN(9))
		long()
	}
	word(r.IntN(12)) // source
	word(r.IntN(3))  // steps
	for range 3 {
		word(1 + r.IntN(8))
	}
	word(0)
	ref()
	ref()
	ref()
	word(r.IntN(5)) // shape
	word([...]int{0, 1, 1, 2, 5, 32}[r.IntN(6)])
	word(1 + r.IntN(8)) // words of globs
	for range 3 {
		word(r.IntN(2))
	}
	for range 32 * 4 {
		long()
	}
	return b
}

// TestSame: what is left of a condition's program asks the kernel the same in
// the same order as the whole, and comes to the same.
func TestSame(t *testing.T) {
	spec := object(t)
	whole := spec.Programs["match"].Instructions
	p, err := fold.New(whole, rodata)
	if err != nil {
		t.Fatal(err)
	}
	seeds, runs, most := 300, 40, 0
	if testing.Short() {
		seeds = 100
	}
	results := map[uint64]int{}
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 0))
		data := make([]byte, spec.Maps[rodata].ValueSize)
		copy(data[spec.Variables["asked"].Offset:], condition(r))
		binary.LittleEndian.PutUint32(data[spec.Variables["packet"].Offset:], uint32(8*r.IntN(30)))
		left, err := p.Fold(data, 4000)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		most = max(most, len(left))
		for _, ins := range left {
			if ins.IsLoadFromMap() && ins.Reference() == rodata {
				t.Fatalf("seed %d: still needs its data:\n%v", seed, left)
			}
		}
		for run := range uint64(runs) {
			a, b := newMachine(run, data), newMachine(run, data)
			want, got := a.run(whole, rodata), b.run(left, rodata)
			if diff := cmp.Diff(a.trace, b.trace); diff != "" || got != want {
				t.Fatalf("seed %d, run %d: %d, want %d, calls (-want +got)\n%s\n%v", seed, run, got, want, diff, left)
			}
			results[uint64(len(a.trace))<<1|want]++
		}
	}
	t.Logf("at most %d of %d instructions left; %d ways through", most, len(whole), len(results))
	if len(results) < 10 {
		t.Errorf("only %v: the conditions lead nowhere", results)
	}
}

// TestRefused: programs that cannot be folded are told from those that can.
func TestRefused(t *testing.T) {
	spec := object(t)
	for _, name := range []string{"write", "drop"} { // callbacks and atomic operations
		if _, err := fold.New(spec.Programs[name].Instructions, rodata); !errors.Is(err, fold.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	address := asm.LoadMapValue(asm.R1, 0, 4).WithReference(rodata)
	for name, insns := range map[string]asm.Instructions{
		"an address goes to the stack":    {address, asm.StoreMem(asm.RFP, -8, asm.R1, asm.DWord), asm.Return()},
		"an address goes to a helper":     {address, asm.Mov.Reg(asm.R2, asm.R1), asm.FnMapLookupElem.Call(), asm.Return()},
		"an address is returned":          {asm.LoadMapValue(asm.R0, 0, 0).WithReference(rodata), asm.Return()},
		"an address plus what is unknown": {address, asm.LoadMem(asm.R0, asm.RFP, -8, asm.DWord), asm.Add.Reg(asm.R1, asm.R0), asm.LoadMem(asm.R0, asm.R1, 0, asm.Word), asm.Return()},
		"beyond the data":                 {address, asm.LoadMem(asm.R0, asm.R1, 2, asm.Word), asm.Return()},
		"before the data":                 {address, asm.LoadMem(asm.R0, asm.R1, -5, asm.Byte), asm.Return()},
		"a helper it does not know":       {asm.FnGetPrandomU32.Call(), asm.Return()},
	} {
		p, err := fold.New(insns, rodata)
		if err == nil {
			_, err = p.Fold(make([]byte, 8), 100)
		}
		if !errors.Is(err, fold.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFolds: constants go where they are needed, and nothing else stays.
func TestFolds(t *testing.T) {
	target := func(ins asm.Instruction, by int16) asm.Instruction {
		ins.Offset = by
		return ins.WithReference("")
	}
	for _, tt := range []struct {
		name  string
		insns asm.Instructions
		want  asm.Instructions
	}{
		{"a value", asm.Instructions{
			asm.LoadMapValue(asm.R1, 0, 4).WithReference(rodata), asm.LoadMem(asm.R0, asm.R1, 0, asm.Word), asm.Return(),
		}, asm.Instructions{asm.Mov.Imm(asm.R0, 7), asm.Return()}},
		{"a branch never taken", asm.Instructions{
			asm.LoadMapValue(asm.R1, 0, 4).WithReference(rodata), asm.LoadMem(asm.R1, asm.R1, 0, asm.Word),
			target(asm.JNE.Imm(asm.R1, 7, ""), 2), asm.Mov.Imm(asm.R0, 1), asm.Return(),
			asm.Mov.Imm(asm.R0, 2), asm.Return(),
		}, asm.Instructions{asm.Mov.Imm(asm.R0, 1), asm.Return()}},
		{"operands", asm.Instructions{
			asm.LoadMapValue(asm.R1, 0, 4).WithReference(rodata), asm.LoadMem(asm.R1, asm.R1, 0, asm.Word),
			asm.LoadMem(asm.R0, asm.RFP, -8, asm.DWord), asm.Add.Reg(asm.R0, asm.R1), asm.StoreMem(asm.RFP, -16, asm.R1, asm.DWord), asm.Return(),
		}, asm.Instructions{
			asm.LoadMem(asm.R0, asm.RFP, -8, asm.DWord), asm.Add.Imm(asm.R0, 7),
			{OpCode: asm.StoreImmOp(asm.DWord), Dst: asm.RFP, Offset: -16, Constant: 7}, asm.Return(),
		}},
		{"a loop over what is known", asm.Instructions{
			asm.LoadMapValue(asm.R1, 0, 4).WithReference(rodata), asm.LoadMem(asm.R1, asm.R1, 0, asm.Word), asm.Mov.Imm(asm.R0, 0),
			asm.Add.Imm(asm.R0, 3), asm.Sub.Imm(asm.R1, 1), target(asm.JGT.Imm(asm.R1, 3, ""), -3), asm.Return(),
		}, asm.Instructions{asm.Mov.Imm(asm.R0, 12), asm.Return()}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := fold.New(tt.insns, rodata)
			if err != nil {
				t.Fatal(err)
			}
			data := make([]byte, 8)
			data[4] = 7
			got, err := p.Fold(data, 100)
			if err != nil {
				t.Fatal(err)
			}
			if a, b := got.String(), tt.want.String(); a != b {
				t.Errorf("got\n%swant\n%s", a, b)
			}
		})
	}
}

// TestArithmetic: what is worked out beforehand is what would be.
func TestArithmetic(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	number := func() int64 {
		return [...]int64{0, 1, -1, 31, 32, 63, 1 << 31, -1 << 31, 1 << 32, -1 << 63, int64(r.Uint64()), int64(int32(r.Uint32()))}[r.IntN(12)]
	}
	var some []asm.Instructions
	for _, op := range []asm.ALUOp{asm.Add, asm.Sub, asm.Or, asm.And, asm.Xor, asm.LSh, asm.RSh, asm.Mov} {
		for _, ins := range []asm.Instruction{op.Reg(asm.R0, asm.R1), op.Reg32(asm.R0, asm.R1), op.Imm(asm.R0, 5), op.Imm32(asm.R0, -5)} {
			some = append(some, asm.Instructions{ins})
		}
	}
	for _, size := range []asm.Size{asm.Half, asm.Word, asm.DWord} {
		some = append(some, asm.Instructions{asm.HostTo(asm.BE, asm.R0, size)})
	}
	for _, op := range []asm.JumpOp{asm.JEq, asm.JNE, asm.JGT, asm.JGE, asm.JLT, asm.JLE, asm.JSet, asm.JSGT, asm.JSGE, asm.JSLT, asm.JSLE} {
		for _, ins := range []asm.Instruction{op.Reg(asm.R0, asm.R1, ""), op.Reg32(asm.R0, asm.R1, ""), op.Imm(asm.R0, -1, ""), op.Imm32(asm.R0, -1, "")} {
			ins = ins.WithReference("")
			ins.Offset = 1
			some = append(some, asm.Instructions{ins, asm.Mov.Imm(asm.R0, 77), asm.Add.Imm(asm.R0, 1)})
		}
	}
	for _, middle := range some {
		for range 200 {
			insns := asm.Instructions{asm.LoadImm(asm.R0, number(), asm.DWord), asm.LoadImm(asm.R1, number(), asm.DWord)}
			insns = append(append(insns, middle...), asm.Return())
			p, err := fold.New(insns, rodata)
			if err != nil {
				t.Fatal(err)
			}
			left, err := p.Fold(nil, 100)
			if err != nil {
				t.Fatal(err)
			}
			want, got := newMachine(0, nil).run(insns, rodata), newMachine(0, nil).run(left, rodata)
			if got != want || len(left) != 2 {
				t.Fatalf("%d, want %d, of\n%vleft is\n%v", got, want, insns, left)
			}
		}
	}
}

// TestMost: a limit is kept.
func TestMost(t *testing.T) {
	spec := object(t)
	p, err := fold.New(spec.Programs["match"].Instructions, rodata)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Fold(make([]byte, spec.Maps[rodata].ValueSize), 10); !errors.Is(err, fold.ErrUnsupported) {
		t.Errorf("%v", err)
	}
}

func BenchmarkFold(b *testing.B) {
	spec := object(b)
	p, err := fold.New(spec.Programs["match"].Instructions, rodata)
	if err != nil {
		b.Fatal(err)
	}
	data := make([]byte, spec.Maps[rodata].ValueSize)
	copy(data[spec.Variables["asked"].Offset:], condition(rand.New(rand.NewPCG(1, 0))))
	for b.Loop() {
		if _, err := p.Fold(data, 4000); err != nil {
			b.Fatal(err)
		}
	}
}
