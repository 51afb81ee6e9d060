// SPDX-License-Identifier: MIT

package bpfmap

import (
	"errors"
	"strconv"
	"sync"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"nftdict/bpfmap/fold"
	"nftdict/dict"
)

// loader loads the programs of plans. A condition's program is folded first:
// of a thousand instructions that any condition might need it has some hundred
// left, without a map for its constants, and the kernel takes it ten times as
// fast. Nobody else may be at a loader meanwhile. The zero loader is ready.
type loader struct {
	object *ebpf.CollectionSpec // parsed once, when it is needed
	match  *fold.Program
	packet func() (rulePacketLayout, error)
}

// dataMap is the object's map of constants.
const dataMap = ".rodata"

// foldedMost is how many instructions a folded program may have: a larger one
// is no gain.
const foldedMost = 2000

// open parses the object, once.
func (l *loader) open() error {
	if l.object != nil {
		return nil
	}
	object, err := loadRule()
	if err != nil {
		return err
	}
	if l.match, err = fold.New(object.Programs[ruleProgMatch].Instructions, dataMap); err != nil {
		return err
	}
	l.packet = sync.OnceValues(packetLayout)
	l.object = object
	return nil
}

// load loads the program with its constants and tables.
func (l *loader) load(p *plan) (*ebpf.Program, error) {
	if err := l.open(); err != nil {
		return nil, err
	}
	var packet rulePacketLayout
	if p.looksInside() {
		var err error
		if packet, err = l.packet(); err != nil {
			return nil, err
		}
	}
	if p.program == ruleProgMatch {
		left, err := l.fold(p, &packet)
		if err == nil {
			return l.loadFolded(p, left)
		}
		if !errors.Is(err, fold.ErrUnsupported) {
			return nil, err
		}
	}
	return l.loadWhole(p, &packet)
}

// fold returns what is left of the program of a condition.
func (l *loader) fold(p *plan, packet *rulePacketLayout) (asm.Instructions, error) {
	data := make([]byte, l.object.Maps[dataMap].ValueSize)
	copy(data[l.object.Variables[ruleVarPacket].Offset:], bytesOf(packet))
	copy(data[l.object.Variables[ruleVarAsked].Offset:], bytesOf(&p.condition))
	return l.match.Fold(data, foldedMost)
}

// loadFolded loads what is left of a program, with the maps that it still
// uses.
func (l *loader) loadFolded(p *plan, left asm.Instructions) (*ebpf.Program, error) {
	used := map[string]bool{}
	for i := range left {
		if left[i].IsLoadFromMap() {
			used[left[i].Reference()] = true
		}
	}
	maps, err := p.maps(func(name string) bool { return used[name] })
	defer closeMaps(maps)
	if err != nil {
		return nil, err
	}
	if used[ruleMapGlobs] {
		spec := l.object.Maps[ruleMapGlobs].Copy()
		p.globs.fill(spec)
		if maps[ruleMapGlobs], err = ebpf.NewMap(spec); err != nil {
			return nil, explain("load program", err)
		}
	}
	for i := range left {
		if left[i].IsLoadFromMap() {
			if err := left[i].AssociateMap(maps[left[i].Reference()]); err != nil {
				return nil, err
			}
		}
	}
	whole := l.object.Programs[p.program]
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{Name: p.program, Type: whole.Type, License: whole.License, Instructions: left})
	return program, explain("load program", err)
}

// loadWhole loads the program as the compiler made it, with its constants in a
// map.
func (l *loader) loadWhole(p *plan, packet *rulePacketLayout) (*ebpf.Program, error) {
	spec := l.object.Copy()
	for name, value := range map[string]any{ruleVarPacket: packet, ruleVarAsked: &p.condition, ruleVarTold: &p.statement} {
		if err := spec.Variables[name].Set(value); err != nil {
			return nil, err
		}
	}
	p.globs.fill(spec.Maps[ruleMapGlobs])
	maps, err := p.maps(func(string) bool { return true })
	defer closeMaps(maps)
	if err != nil {
		return nil, err
	}
	for name, m := range maps {
		s := spec.Maps[name]
		s.KeySize, s.ValueSize, s.MaxEntries = m.KeySize(), m.ValueSize(), m.MaxEntries()
	}
	for name := range spec.Programs {
		if name != p.program {
			delete(spec.Programs, name)
		}
	}
	coll, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{MapReplacements: maps})
	if err != nil {
		return nil, explain("load program", err)
	}
	defer coll.Close()
	return coll.DetachProgram(p.program), nil
}

// maps returns those of the tables' maps that are wanted, by their names in the
// object. A program does not touch those of roles that have no table; they are
// the row's own there. The caller closes them, also with an error.
func (p *plan) maps(wanted func(name string) bool) (map[string]*ebpf.Map, error) {
	out := map[string]*ebpf.Map{}
	for role, t := range p.tables {
		suffix := ""
		if role > 0 {
			suffix = strconv.Itoa(role)
		}
		if t == nil {
			t = p.tables[roleRow]
		}
		err := t.consult(func() error {
			for name, m := range t.maps.byName() {
				if name == "state" && role > 0 || !wanted(name+suffix) {
					continue
				}
				clone, err := m.Clone()
				if err != nil {
					return explain("load program", err)
				}
				out[name+suffix] = clone
			}
			return nil
		})
		if err != nil {
			return out, &dict.At{Op: "dict", Table: t.schema.Name, Err: err}
		}
	}
	return out, nil
}

func closeMaps(maps map[string]*ebpf.Map) {
	for _, m := range maps {
		m.Close()
	}
}

// looksInside reports whether the program reads what only the kernel's own
// description of packets leads to.
func (p *plan) looksInside() bool {
	for _, source := range []uint32{p.condition.Key.Source, p.statement.Key.Source, p.statement.From.Source, p.statement.Source} {
		switch source {
		case sourceCarried, sourceCarriedBE, sourceEtherSaddr, sourceEtherDaddr:
			return true
		}
	}
	return false
}

// bytesOf returns a value of the object as it lies in memory.
func bytesOf[T rulePacketLayout | ruleCondition](v *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v))
}
