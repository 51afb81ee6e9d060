// SPDX-License-Identifier: MIT

package fold

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf/asm"
)

// Program is a program ready to be folded, any number of times and by several
// at once.
type Program struct {
	code []instruction
	live []registers // which of them matter before an instruction
}

// instruction is one of the program's, with its jump's target as an index.
type instruction struct {
	asm.Instruction
	target int  // of a jump, else -1
	data   bool // loads an address in the read-only data
	joins  bool // reached otherwise than from the one before
}

// ErrUnsupported is wrapped by the errors about programs that cannot be
// folded.
var ErrUnsupported = errors.New("not foldable")

// New prepares a program. An instruction that loads an address in the map with
// the symbol data loads one in the read-only data.
func New(insns asm.Instructions, data string) (*Program, error) {
	p := &Program{code: make([]instruction, len(insns))}
	index := map[asm.RawInstructionOffset]int{}
	for it := insns.Iterate(); it.Next(); {
		index[it.Offset] = it.Index
	}
	for it := insns.Iterate(); it.Next(); {
		ins := &p.code[it.Index]
		ins.Instruction, ins.target = *it.Ins, -1
		if err := supported(*it.Ins); err != nil {
			return nil, fmt.Errorf("instruction %d: %v: %w", it.Index, *it.Ins, err)
		}
		ins.data = it.Ins.IsLoadFromMap() && it.Ins.Reference() == data
		if op := it.Ins.OpCode.JumpOp(); isBranch(*it.Ins) || op == asm.Ja {
			to := it.Offset + asm.RawInstructionOffset(it.Ins.Width()) + asm.RawInstructionOffset(int64(it.Ins.Offset))
			at, ok := index[to]
			if !ok {
				return nil, fmt.Errorf("instruction %d: %v: jump out of the program: %w", it.Index, *it.Ins, ErrUnsupported)
			}
			ins.target = at
		}
	}
	for _, ins := range p.code {
		if ins.target >= 0 {
			p.code[ins.target].joins = true
		}
	}
	p.live = liveness(p.code)
	return p, nil
}

// Fold returns what is left of the program with this data: instructions that
// need no map of that name any more. It fails with ErrUnsupported, also where
// more than most of them would be left.
func (p *Program) Fold(data []byte, most int) (asm.Instructions, error) {
	f := &folder{program: p, data: data, most: most, places: map[place]int{}, met: make([]int, len(p.code)), first: map[int]state{}}
	if err := f.follow(); err != nil {
		return nil, err
	}
	return f.assemble(), nil
}

// supported says why an instruction cannot be folded.
func supported(ins asm.Instruction) error {
	switch class := ins.OpCode.Class(); {
	case ins.OpCode.IsDWordLoad():
		if ins.IsLoadOfFunctionPointer() {
			return fmt.Errorf("callback: %w", ErrUnsupported)
		}
	case class == asm.LdXClass, class == asm.StClass, class == asm.StXClass:
		if ins.OpCode.Mode() != asm.MemMode {
			return fmt.Errorf("not a plain access: %w", ErrUnsupported)
		}
	case class == asm.LdClass:
		return fmt.Errorf("packet access: %w", ErrUnsupported)
	case class.IsALU():
		if op := ins.OpCode.ALUOp(); op > asm.Swap || ins.Offset != 0 {
			return fmt.Errorf("signed operation: %w", ErrUnsupported)
		}
	case ins.OpCode.JumpOp() == asm.Call:
		if _, known := arguments(asm.BuiltinFunc(ins.Constant)); !ins.IsBuiltinCall() || !known {
			return fmt.Errorf("call: %w", ErrUnsupported)
		}
	case ins.OpCode.JumpOp() == asm.JCOND, class == asm.Jump32Class && ins.OpCode.JumpOp() == asm.Ja:
		return fmt.Errorf("jump: %w", ErrUnsupported)
	}
	return nil
}

// isBranch reports whether an instruction goes one of two ways.
func isBranch(ins asm.Instruction) bool {
	if !ins.OpCode.Class().IsJump() {
		return false
	}
	switch ins.OpCode.JumpOp() {
	case asm.Ja, asm.Call, asm.Exit:
		return false
	}
	return true
}

// arguments returns how many arguments a function of the kernel looks at, false
// if it is not known here.
func arguments(fn asm.BuiltinFunc) (n int, known bool) {
	switch fn {
	case asm.FnKtimeGetNs, asm.FnKtimeGetCoarseNs:
		return 0, true
	case asm.FnMapLookupElem, asm.FnMapDeleteElem:
		return 2, true
	case asm.FnProbeReadKernel:
		return 3, true
	case asm.FnMapUpdateElem:
		return 4, true
	case asm.FnSkbLoadBytesRelative:
		return 5, true
	}
	return 0, false
}
