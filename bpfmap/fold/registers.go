// SPDX-License-Identifier: MIT

package fold

import "github.com/cilium/ebpf/asm"

// registers is a set of registers, a bit each.
type registers uint16

func set(r asm.Register) registers { return 1 << r }

func (s registers) has(r asm.Register) bool { return s&set(r) != 0 }

// effect returns which registers an instruction reads and writes, and whether
// writing them is all that it does.
func effect(ins asm.Instruction) (reads, writes registers, pure bool) {
	op := ins.OpCode
	switch class := op.Class(); {
	case op.IsDWordLoad():
		return 0, set(ins.Dst), true
	case class == asm.LdXClass:
		return set(ins.Src), set(ins.Dst), true
	case class == asm.StClass:
		return set(ins.Dst), 0, false
	case class == asm.StXClass:
		return set(ins.Dst) | set(ins.Src), 0, false
	case class.IsALU():
		if isMove(op) {
			reads = 0
		} else {
			reads = set(ins.Dst)
		}
		if hasSource(op) {
			reads |= set(ins.Src)
		}
		return reads, set(ins.Dst), true
	case op.JumpOp() == asm.Exit:
		return set(asm.R0), 0, false
	case op.JumpOp() == asm.Call:
		n, _ := arguments(asm.BuiltinFunc(ins.Constant))
		for i := range n {
			reads |= set(asm.R1 + asm.Register(i))
		}
		return reads, set(asm.R0) | set(asm.R1) | set(asm.R2) | set(asm.R3) | set(asm.R4) | set(asm.R5), false
	case op.JumpOp() == asm.Ja:
		return 0, 0, false
	}
	reads = set(ins.Dst)
	if op.Source() == asm.RegSource {
		reads |= set(ins.Src)
	}
	return reads, 0, false
}

// isMove reports whether an operation does not look at its destination.
func isMove(op asm.OpCode) bool { return op.ALUOp() == asm.Mov }

// hasSource reports whether an arithmetic operation has a second register. The
// same bit tells the byte order in a swap.
func hasSource(op asm.OpCode) bool {
	return op.ALUOp() != asm.Swap && op.ALUOp() != asm.Neg && op.Source() == asm.RegSource
}

// liveness returns for every instruction the registers whose values matter
// when it is reached. What only makes a value that does not matter reads
// nothing.
func liveness(code []instruction) []registers {
	live := make([]registers, len(code))
	at := func(i int) registers {
		if i < len(code) {
			return live[i]
		}
		return 0
	}
	for again := true; again; {
		again = false
		for i := len(code) - 1; i >= 0; i-- {
			ins := code[i]
			var after registers
			if ins.target >= 0 {
				after = at(ins.target)
			}
			if !isEnd(ins.Instruction) {
				after |= at(i + 1)
			}
			reads, writes, pure := effect(ins.Instruction)
			before := after &^ writes
			if !pure || after&writes != 0 {
				before |= reads
			}
			if before != live[i] {
				live[i], again = before, true
			}
		}
	}
	return live
}

// isEnd reports whether the instruction behind this one is not reached from
// it.
func isEnd(ins asm.Instruction) bool {
	return ins.OpCode.Class().IsJump() && (ins.OpCode.JumpOp() == asm.Exit || ins.OpCode.JumpOp() == asm.Ja)
}
