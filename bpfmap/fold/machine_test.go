// SPDX-License-Identifier: MIT

package fold_test

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/bits"
	"math/rand/v2"

	"github.com/cilium/ebpf/asm"
)

// machine runs programs without a kernel, far enough for those that stand in
// rules. What helpers answer is made up from a seed, so two programs that ask
// the same in the same order get the same answers.
type machine struct {
	data   []byte
	random *rand.Rand
	memory map[uint64][]byte // by the address where it begins
	trace  []string          // what the helpers were asked
	next   uint64            // where the next map value goes
}

const (
	stackTop   = 1 << 40
	contextAt  = 2 << 40
	dataAt     = 3 << 40
	valuesFrom = 4 << 40
	page       = 1 << 12
)

func newMachine(seed uint64, data []byte) *machine {
	m := &machine{data: data, random: rand.New(rand.NewPCG(seed, 1)), memory: map[uint64][]byte{}, next: valuesFrom}
	context := make([]byte, 64)
	for i := range context {
		context[i] = byte(m.random.IntN(4))
	}
	binary.LittleEndian.PutUint16(context[16:], [...]uint16{0x0008, 0xdd86, 0x0608}[m.random.IntN(3)])
	m.memory[stackTop-512] = make([]byte, 512)
	m.memory[contextAt] = context
	m.memory[dataAt] = data
	return m
}

// bytes returns n bytes of memory.
func (m *machine) bytes(at uint64, n int) []byte {
	for from, b := range m.memory {
		if at >= from && at+uint64(n) <= from+uint64(len(b)) {
			return b[at-from : at-from+uint64(n)]
		}
	}
	panic(fmt.Sprintf("no memory at %#x", at))
}

func (m *machine) number(at uint64, n int) uint64 {
	var b [8]byte
	copy(b[:], m.bytes(at, n))
	return binary.LittleEndian.Uint64(b[:])
}

func (m *machine) put(at uint64, n int, v uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	copy(m.bytes(at, n), b[:])
}

// run runs a program and returns what it returned.
func (m *machine) run(insns asm.Instructions, data string) uint64 {
	at := map[asm.RawInstructionOffset]int{}
	symbols := map[string]int{}
	offsets := make([]asm.RawInstructionOffset, len(insns))
	for it := insns.Iterate(); it.Next(); {
		at[it.Offset], offsets[it.Index] = it.Index, it.Offset
		symbols[it.Ins.Symbol()] = it.Index
	}
	var r [11]uint64
	r[asm.R1], r[asm.R10] = contextAt, stackTop
	for pc, steps := 0, 0; ; steps++ {
		if steps > 100_000 {
			panic("no end")
		}
		ins := insns[pc]
		pc++
		op := ins.OpCode
		second := uint64(ins.Constant)
		if op.Source() == asm.RegSource {
			second = r[ins.Src]
		}
		switch class := op.Class(); {
		case ins.IsLoadFromMap() && ins.Reference() == data:
			r[ins.Dst] = dataAt + uint64(ins.Constant)>>32
		case ins.IsLoadFromMap():
			h := fnv.New64a()
			h.Write([]byte(ins.Reference()))
			r[ins.Dst] = h.Sum64()
		case op.IsDWordLoad():
			r[ins.Dst] = uint64(ins.Constant)
		case class == asm.LdXClass:
			r[ins.Dst] = m.number(r[ins.Src]+uint64(int64(ins.Offset)), op.Size().Sizeof())
		case class == asm.StClass:
			m.put(r[ins.Dst]+uint64(int64(ins.Offset)), op.Size().Sizeof(), uint64(ins.Constant))
		case class == asm.StXClass:
			m.put(r[ins.Dst]+uint64(int64(ins.Offset)), op.Size().Sizeof(), r[ins.Src])
		case class.IsALU():
			r[ins.Dst] = compute(ins, r[ins.Dst], second)
		case op.JumpOp() == asm.Exit:
			return r[0]
		case op.JumpOp() == asm.Call:
			r[0] = m.help(asm.BuiltinFunc(ins.Constant), r[1:6])
		case op.JumpOp() == asm.Ja, goes(op, r[ins.Dst], second):
			if ins.Reference() != "" {
				pc = symbols[ins.Reference()]
			} else {
				pc = at[offsets[pc-1]+asm.RawInstructionOffset(1+int64(ins.Offset))]
			}
		}
	}
}

func compute(ins asm.Instruction, a, b uint64) uint64 {
	shift := b & 63
	narrow := ins.OpCode.Class() == asm.ALUClass && ins.OpCode.ALUOp() != asm.Swap
	if narrow {
		a, b, shift = a&0xffffffff, b&0xffffffff, b&31
	}
	switch ins.OpCode.ALUOp() {
	case asm.Mov:
		a = b
	case asm.Add:
		a += b
	case asm.Sub:
		a -= b
	case asm.Or:
		a |= b
	case asm.And:
		a &= b
	case asm.Xor:
		a ^= b
	case asm.LSh:
		a <<= shift
	case asm.RSh:
		a >>= shift
	case asm.Swap:
		switch ins.Constant {
		case 16:
			return uint64(bits.ReverseBytes16(uint16(a)))
		case 32:
			return uint64(bits.ReverseBytes32(uint32(a)))
		}
		return bits.ReverseBytes64(a)
	default:
		panic(fmt.Sprintf("%v", ins))
	}
	if narrow {
		a &= 0xffffffff
	}
	return a
}

func goes(op asm.OpCode, a, b uint64) bool {
	if op.Class() == asm.Jump32Class { // the sign goes where it is wanted
		a, b = uint64(int64(int32(a)))<<32>>32, uint64(int64(int32(b)))<<32>>32
		switch op.JumpOp() {
		case asm.JSGT, asm.JSGE, asm.JSLT, asm.JSLE:
			a, b = uint64(int64(int32(a))), uint64(int64(int32(b)))
		}
	}
	switch op.JumpOp() {
	case asm.JEq:
		return a == b
	case asm.JNE:
		return a != b
	case asm.JGT:
		return a > b
	case asm.JGE:
		return a >= b
	case asm.JLT:
		return a < b
	case asm.JLE:
		return a <= b
	case asm.JSet:
		return a&b != 0
	case asm.JSGT:
		return int64(a) > int64(b)
	case asm.JSGE:
		return int64(a) >= int64(b)
	case asm.JSLT:
		return int64(a) < int64(b)
	case asm.JSLE:
		return int64(a) <= int64(b)
	}
	panic(fmt.Sprintf("%v", op))
}

// help answers a helper's call with something that leads on often enough: rows
// that are alive, values that belong to them, small numbers.
func (m *machine) help(fn asm.BuiltinFunc, args []uint64) uint64 {
	h := fnv.New64a()
	h.Write(m.memory[stackTop-512])
	switch fn {
	case asm.FnMapLookupElem:
		key := m.number(args[1], 8)
		m.trace = append(m.trace, fmt.Sprintf("look up %x in %x, stack %x", key, args[0], h.Sum64()))
		if m.random.IntN(5) == 0 {
			return 0
		}
		value := make([]byte, 200+8*(4*8+256*8))
		for i := range value {
			value[i] = byte(m.random.IntN(3))
		}
		head := key | uint64(1+m.random.IntN(8))<<16
		if key>>28 == 0 { // a row's
			head = uint64(1+m.random.IntN(9))<<28 | uint64(m.random.IntN(2))*5
		}
		if m.random.IntN(8) == 0 {
			head++
		}
		binary.LittleEndian.PutUint64(value, head)
		for i := 1; i < 4; i++ {
			n := uint64(m.random.IntN(4))
			if m.random.IntN(2) == 0 {
				n = m.random.Uint64()
			}
			binary.LittleEndian.PutUint64(value[8*i:], n)
		}
		at := m.next
		m.memory[at] = value
		m.next += (uint64(len(value))/page + 2) * page
		return at
	case asm.FnProbeReadKernel:
		m.trace = append(m.trace, fmt.Sprintf("read %d bytes at %x, stack %x", args[1], args[2], h.Sum64()))
		m.put(args[0], int(args[1]), uint64(m.random.IntN(40)))
		return 0
	case asm.FnSkbLoadBytesRelative:
		m.trace = append(m.trace, fmt.Sprintf("load %d bytes at %d from %d, stack %x", args[3], args[1], args[4], h.Sum64()))
		b := m.bytes(args[2], int(args[3]))
		for i := range b {
			b[i] = byte(m.random.IntN(3))
		}
		return uint64(m.random.IntN(4) / 3)
	case asm.FnKtimeGetCoarseNs:
		m.trace = append(m.trace, "time")
		return uint64(m.random.IntN(9)) << 30
	}
	panic(fn.String())
}
