// SPDX-License-Identifier: MIT

package fold

import (
	"strconv"

	"github.com/cilium/ebpf/asm"
)

// assemble returns what was emitted, without the instructions whose results
// nobody needs, jumps that only lead to jumps, and what is not reached then.
func (f *folder) assemble() asm.Instructions {
	keep := f.needed()
	// end is the first instruction from i on that does something.
	end := func(i int) int {
		for !keep[i] || isJump(f.out[i]) {
			if keep[i] {
				i = f.out[i].target
			} else {
				i++
			}
		}
		return i
	}
	order := []int{} // of what is left
	at := make([]int, len(f.out))
	labels := map[int]string{}
	label := func(i int) string {
		if labels[i] == "" {
			labels[i] = "L" + strconv.Itoa(i)
		}
		return labels[i]
	}
	jumps := map[int]int{} // behind which of them a jump is needed, and where to
	waiting := []int{0}
	for len(waiting) > 0 {
		i := end(waiting[0])
		waiting = waiting[1:]
		for at[i] == 0 {
			order = append(order, i)
			at[i] = len(order)
			if ins := f.out[i]; ins.target >= 0 {
				waiting = append(waiting, ins.target)
			} else if isEnd(ins.Instruction) {
				break
			}
			next := end(i + 1)
			if at[next] != 0 {
				jumps[i] = next
				label(next)
			}
			i = next
		}
	}
	for _, i := range order {
		if f.out[i].target >= 0 {
			label(end(f.out[i].target))
		}
	}
	var out asm.Instructions
	for _, i := range order {
		ins := f.out[i]
		bare := ins.Instruction
		bare.Metadata = asm.Metadata{}
		if ins.IsLoadFromMap() {
			bare = bare.WithReference(ins.Reference())
		}
		if ins.target >= 0 {
			bare.Offset = -1
			bare = bare.WithReference(labels[end(ins.target)])
		}
		if l := labels[i]; l != "" {
			bare = bare.WithSymbol(l)
		}
		out = append(out, bare)
		if to, ok := jumps[i]; ok {
			out = append(out, asm.Ja.Label(labels[to]))
		}
	}
	return out
}

// needed tells the instructions that do more than making a value which nobody
// looks at.
func (f *folder) needed() []bool {
	live := liveness(f.out)
	keep := make([]bool, len(f.out))
	for i, ins := range f.out {
		after := registers(0)
		if i+1 < len(f.out) {
			after = live[i+1]
		}
		_, writes, pure := effect(ins.Instruction)
		keep[i] = !pure || after&writes != 0
	}
	return keep
}

// isJump reports whether an instruction does nothing but jump.
func isJump(ins instruction) bool { return isEnd(ins.Instruction) && ins.target >= 0 }
