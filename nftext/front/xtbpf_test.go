// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"nftdict/internal/need"
)

// programCodec compiles a condition to a BPF program that the kernel takes by its
// descriptor in this process; the term's text travels in the unused path.
type programCodec struct {
	fakeCodec
	open *int // programs not closed yet
}

const (
	xtBPFInfo = 528
	xtBPFPath = 8
)

func (c programCodec) Compile(_ Target, term string) (*Code, error) {
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type:         ebpf.SocketFilter,
		License:      "Dual MIT/GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 1), asm.Return()},
	})
	if err != nil {
		return nil, err
	}
	*c.open++
	info := make([]byte, xtBPFInfo)
	binary.NativeEndian.PutUint16(info, 2) // by descriptor
	binary.NativeEndian.PutUint32(info[4:], uint32(p.FD()))
	copy(info[xtBPFPath:], term)
	data := appendAttr(nil, unix.NFTA_MATCH_NAME, []byte("bpf\x00"))
	data = appendAttr32(data, unix.NFTA_MATCH_REV, 1)
	data = appendAttr(data, unix.NFTA_MATCH_INFO, info)
	return &Code{Exprs: appendElement(nil, "match", data), Close: func() error {
		*c.open--
		return p.Close()
	}}, nil
}

func (programCodec) Decompile(_ uint8, elems []Element) (Found, bool) {
	a, err := readAttrs(elems[0].Data, nil)
	info := pick(a, unix.NFTA_MATCH_INFO)
	if elems[0].Name != "match" || err != nil || len(info) < xtBPFInfo || !bytes.HasPrefix(info[xtBPFPath:], []byte("dict ")) {
		return Found{}, false
	}
	return Found{Text: cstring(info[xtBPFPath:]), Elements: 1}, true
}

// A rule keeps the program of its condition when the descriptor is closed, and nft
// never sees that there is one.
func TestRunProgram(t *testing.T) {
	ns := newNetwork(t)
	open := 0
	codec := programCodec{open: &open}
	need.Feature(t, "xtbpf", func() error {
		s, err := ns.tryWith(t, codec, "", "add table inet t; add chain inet t c; add rule inet t c "+matchTerm)
		if err == nil && s != (said{}) {
			err = errors.New(s.Err)
		}
		return err
	})
	var b strings.Builder
	b.WriteString("table inet t {\n\tchain c {\n\t\t" + matchTerm + "\n")
	for range 100 {
		b.WriteString("\t\ttcp dport 80 " + matchTerm + " counter packets 0 bytes 0 drop\n")
	}
	b.WriteString("\t}\n}\n")
	if s, err := ns.tryWith(t, codec, "flush ruleset\n"+b.String(), "-f", "-"); err != nil || s != (said{}) {
		t.Fatalf("%+v, %v", s, err)
	}
	s, err := ns.tryWith(t, codec, "", "list", "ruleset")
	if err != nil || s != (said{Out: b.String()}) {
		t.Errorf("%v: %.300s %s", err, s.Out, s.Err)
	}
	if open != 0 {
		t.Errorf("%d programs were not closed", open)
	}
}
