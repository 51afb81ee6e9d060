// SPDX-License-Identifier: MIT

package fold

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/cilium/ebpf/asm"
)

// calculate returns what an arithmetic instruction makes of two known values,
// false if that is not for us to say.
func calculate(ins asm.Instruction, dst, src uint64) (uint64, bool) {
	op := ins.OpCode
	width := uint64(64)
	if op.Class() == asm.ALUClass {
		width = 32
	}
	if op.ALUOp() == asm.Swap {
		return swap(ins, dst)
	}
	if width == 32 {
		dst, src = uint64(uint32(dst)), uint64(uint32(src))
	}
	var out uint64
	switch op.ALUOp() {
	case asm.Add:
		out = dst + src
	case asm.Sub:
		out = dst - src
	case asm.Mul:
		out = dst * src
	case asm.Or:
		out = dst | src
	case asm.And:
		out = dst & src
	case asm.Xor:
		out = dst ^ src
	case asm.LSh:
		out = dst << (src & (width - 1))
	case asm.RSh:
		out = dst >> (src & (width - 1))
	case asm.ArSh:
		if width == 32 {
			out = uint64(int32(dst) >> (src & 31))
		} else {
			out = uint64(int64(dst) >> (src & 63))
		}
	case asm.Neg:
		out = -dst
	case asm.Mov:
		out = src
	default: // division
		return 0, false
	}
	if width == 32 {
		out = uint64(uint32(out))
	}
	return out, true
}

// swap returns what a conversion to a byte order makes of a value, on a
// little-endian machine.
func swap(ins asm.Instruction, v uint64) (uint64, bool) {
	if ins.OpCode.Class() != asm.ALUClass {
		return 0, false
	}
	big := ins.OpCode.Endianness() == asm.BE
	switch ins.Constant {
	case 16:
		v = uint64(uint16(v))
		if big {
			v = uint64(bits.ReverseBytes16(uint16(v)))
		}
	case 32:
		v = uint64(uint32(v))
		if big {
			v = uint64(bits.ReverseBytes32(uint32(v)))
		}
	case 64:
		if big {
			v = bits.ReverseBytes64(v)
		}
	default:
		return 0, false
	}
	return v, true
}

// holds reports whether a branch on two known values is taken.
func holds(op asm.OpCode, a, b uint64) bool {
	x, y := int64(a), int64(b)
	if op.Class() == asm.Jump32Class {
		a, b = uint64(uint32(a)), uint64(uint32(b))
		x, y = int64(int32(a)), int64(int32(b))
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
		return x > y
	case asm.JSGE:
		return x >= y
	case asm.JSLT:
		return x < y
	}
	return x <= y // JSLE
}

// read returns a little-endian number of the data, false beyond their end.
func read(data []byte, at uint64, size asm.Size) (uint64, bool) {
	n := uint64(size.Sizeof())
	if at > uint64(len(data)) || uint64(len(data))-at < n {
		return 0, false
	}
	var b [8]byte
	copy(b[:], data[at:at+n])
	return binary.LittleEndian.Uint64(b[:]), true
}

// immediate returns a value as an instruction's constant, which is extended by
// its sign to 64 bits; false if it does not fit.
func immediate(v uint64) (int64, bool) {
	n := int64(v)
	return n, n >= math.MinInt32 && n <= math.MaxInt32
}

// load returns the shortest instruction that makes a register be v.
func load(r asm.Register, v uint64) asm.Instruction {
	if n, ok := immediate(v); ok {
		return asm.Mov.Imm(r, int32(n))
	}
	if v <= math.MaxUint32 {
		return asm.Mov.Imm32(r, int32(uint32(v)))
	}
	return asm.LoadImm(r, int64(v), asm.DWord)
}
