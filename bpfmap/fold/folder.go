// SPDX-License-Identifier: MIT

package fold

import (
	"fmt"

	"github.com/cilium/ebpf/asm"
)

// value is what is known of a register.
type value struct {
	kind kind
	n    uint64 // the constant, or the offset in the data
}

type kind uint8

const (
	unknown kind = iota
	constant
	address // in the data
)

// state is what is known of all registers.
type state [11]value

// place is an instruction of the program reached in a state.
type place struct {
	at    int
	state state
}

// variants is how many states an instruction is followed in before the values
// that differ are left to the running program.
const variants = 6

// folder follows a program.
type folder struct {
	program *Program
	data    []byte
	most    int

	out     []instruction // targets are indices of out, or -2-n for waiting[n]
	places  map[place]int // where in out those that may be met again begin
	waiting []place       // branches to follow
	done    []int         // where in out each of them begins
	met     []int         // in how many states an instruction was met
	first   map[int]state // the first of them
}

// follow follows every path. The last instruction of one is never the end of
// out alone: paths end in an exit or a jump.
func (f *folder) follow() error {
	f.waiting = append(f.waiting, place{})
	for next := 0; next < len(f.waiting); next++ {
		f.done = append(f.done, len(f.out))
		if err := f.path(f.waiting[next]); err != nil {
			return err
		}
	}
	for i, ins := range f.out {
		if ins.target <= -2 {
			f.out[i].target = f.done[-2-ins.target]
		}
	}
	return nil
}

// path follows one path to where it ends or was before.
func (f *folder) path(p place) error {
	began := len(f.out)
	for {
		p = f.normal(p)
		ins := &f.program.code[p.at]
		if ins.joins || len(f.out) == began {
			if to, ok := f.places[p]; ok {
				f.emit(asm.Ja.Label(""), to)
				return nil
			}
			f.places[p] = len(f.out)
		}
		if len(f.out) > f.most {
			return fmt.Errorf("more than %d instructions: %w", f.most, ErrUnsupported)
		}
		switch {
		case isEnd(ins.Instruction) && ins.target < 0:
			if err := f.use(p.state, ins.Instruction); err != nil {
				return err
			}
			f.emit(ins.Instruction, -1)
			return nil
		case isEnd(ins.Instruction):
			p.at = ins.target
		case ins.target >= 0:
			taken, known, err := f.branch(p, ins)
			if err != nil {
				return err
			}
			if known && taken {
				p.at = ins.target
			} else {
				p.at++
			}
		default:
			if err := f.step(&p.state, ins); err != nil {
				return err
			}
			p.at++
		}
	}
}

// normal forgets what does not matter at a place, and what differs from the
// state in which it was first met, if that has been often. Addresses are never
// forgotten: nobody could make them up again.
func (f *folder) normal(p place) place {
	live := f.program.live[p.at]
	for r := range p.state {
		if !live.has(asm.Register(r)) {
			p.state[r] = value{}
		}
	}
	if !f.program.code[p.at].joins {
		return p
	}
	if _, ok := f.places[p]; ok {
		return p
	}
	first, again := f.first[p.at]
	if !again {
		f.first[p.at] = p.state
	}
	if f.met[p.at]++; f.met[p.at] <= variants {
		return p
	}
	for r, v := range p.state {
		if v.kind == address && v != first[r] {
			return p
		}
	}
	for r, v := range p.state {
		if v != first[r] {
			p.state[r] = value{}
		}
	}
	return p
}

// branch emits a branch if it is not known which way it goes.
func (f *folder) branch(p place, ins *instruction) (taken, known bool, err error) {
	a, b := p.state[ins.Dst], value{constant, uint64(ins.Constant)}
	fromRegister := ins.OpCode.Source() == asm.RegSource
	if fromRegister {
		b = p.state[ins.Src]
	}
	if a.kind == constant && b.kind == constant {
		return holds(ins.OpCode, a.n, b.n), true, nil
	}
	if err := f.use(p.state, ins.Instruction); err != nil {
		return false, false, err
	}
	out := ins.Instruction
	if fromRegister && b.kind == constant {
		if n, ok := f.operand(ins.OpCode.Class() == asm.Jump32Class, b.n); ok {
			out.OpCode = out.OpCode.SetSource(asm.ImmSource)
			out.Src, out.Constant = 0, n
		}
	}
	f.waiting = append(f.waiting, place{ins.target, p.state})
	f.emit(out, -1-len(f.waiting))
	return false, false, nil
}

// operand returns a known value as the constant of an instruction of 32 or 64
// bits.
func (f *folder) operand(narrow bool, v uint64) (int64, bool) {
	if narrow {
		return int64(int32(v)), true
	}
	return immediate(v)
}

// step follows an instruction that goes on with the next one, and emits what
// is left of it.
func (f *folder) step(s *state, ins *instruction) error {
	op := ins.OpCode
	switch class := op.Class(); {
	case ins.data:
		s[ins.Dst] = value{address, uint64(ins.Constant) >> 32}
		return nil
	case op.IsDWordLoad() && !ins.IsLoadFromMap():
		f.know(s, ins.Dst, uint64(ins.Constant))
		return nil
	case class == asm.LdXClass && s[ins.Src].kind == address:
		n, ok := read(f.data, s[ins.Src].n+uint64(int64(ins.Offset)), op.Size())
		if !ok {
			return fmt.Errorf("%v: read beyond the data: %w", ins.Instruction, ErrUnsupported)
		}
		f.know(s, ins.Dst, n)
		return nil
	case class.IsALU():
		return f.arithmetic(s, ins)
	}
	if err := f.use(*s, ins.Instruction); err != nil {
		return err
	}
	out := ins.Instruction
	if op.Class() == asm.StXClass && s[ins.Src].kind == constant {
		if n, ok := f.operand(op.Size() != asm.DWord, s[ins.Src].n); ok {
			out = asm.Instruction{OpCode: asm.StoreImmOp(op.Size()), Dst: ins.Dst, Offset: ins.Offset, Constant: n}
		}
	}
	_, writes, _ := effect(ins.Instruction)
	for r := range s {
		if writes.has(asm.Register(r)) {
			s[r] = value{}
		}
	}
	f.emit(out, -1)
	return nil
}

// arithmetic follows an operation on registers.
func (f *folder) arithmetic(s *state, ins *instruction) error {
	op := ins.OpCode
	a, b := s[ins.Dst], value{constant, uint64(ins.Constant)}
	fromRegister := hasSource(op)
	if fromRegister {
		b = s[ins.Src]
	}
	if isMove(op) {
		a = value{constant, 0}
	}
	wide := op.Class() == asm.ALU64Class
	switch {
	case a.kind == constant && b.kind == constant:
		if n, ok := calculate(ins.Instruction, a.n, b.n); ok {
			f.know(s, ins.Dst, n)
			return nil
		}
	case wide && isMove(op) && b.kind == address:
		s[ins.Dst] = b
		return nil
	case wide && op.ALUOp() == asm.Add && a.kind == address && b.kind == constant:
		s[ins.Dst] = value{address, a.n + b.n}
		return nil
	case wide && op.ALUOp() == asm.Add && a.kind == constant && b.kind == address:
		s[ins.Dst] = value{address, a.n + b.n}
		return nil
	}
	if err := f.use(*s, ins.Instruction); err != nil {
		return err
	}
	out := ins.Instruction
	if fromRegister && b.kind == constant {
		if n, ok := f.operand(!wide, b.n); ok {
			out.OpCode = out.OpCode.SetSource(asm.ImmSource)
			out.Src, out.Constant = 0, n
		}
	}
	s[ins.Dst] = value{}
	f.emit(out, -1)
	return nil
}

// know notes a register's value. The register gets it, too: what needs it there
// may come later, and if nothing does the instruction is left out in the end.
func (f *folder) know(s *state, r asm.Register, n uint64) {
	s[r] = value{constant, n}
	f.emit(load(r, n), -1)
}

// use refuses an instruction that needs an address of the data in a register.
func (f *folder) use(s state, ins asm.Instruction) error {
	reads, _, _ := effect(ins)
	for r, v := range s {
		if v.kind == address && reads.has(asm.Register(r)) {
			return fmt.Errorf("%v: the address of data escapes: %w", ins, ErrUnsupported)
		}
	}
	return nil
}

func (f *folder) emit(ins asm.Instruction, target int) {
	f.out = append(f.out, instruction{Instruction: ins, target: target})
}
