// SPDX-License-Identifier: MIT

package bpfmap

import (
	"errors"
	"os"
	"testing"

	"github.com/cilium/ebpf/btf"

	"nftdict/dict"
	"nftdict/internal/need"
)

// TestMemberOffsets compares with what the library finds.
func TestMemberOffsets(t *testing.T) {
	var b btf.Builder
	word := &btf.Int{Name: "unsigned int", Size: 4}
	inner := &btf.Struct{Size: 8, Members: []btf.Member{{Name: "first", Type: word}, {Name: "second", Type: word, Offset: 32}}}
	either := &btf.Union{Size: 8, Members: []btf.Member{{Name: "other", Type: word}, {Type: inner}}}
	outer := &btf.Struct{Name: "outer", Size: 20, Members: []btf.Member{
		{Name: "bits", Type: word, BitfieldSize: 3}, {Type: either, Offset: 64},
		{Name: "named", Type: inner, Offset: 96}, {Name: "last", Type: word, Offset: 128},
	}}
	if _, err := b.Add(outer); err != nil {
		t.Fatal(err)
	}
	raw, err := b.Marshal(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := memberOffsets(raw, "outer", "bits", "other", "second", "last")
	if err != nil || len(got) != 4 || got[0] != 0 || got[1] != 8 || got[2] != 12 || got[3] != 16 {
		t.Errorf("%v, %v", got, err)
	}
	for _, names := range [][2]string{{"outer", "absent"}, {"absent", "last"}} {
		if _, err := memberOffsets(raw, names[0], names[1]); !errors.Is(err, dict.ErrNotSupported) {
			t.Errorf("%v: %v", names, err)
		}
	}
}

// TestPacketLayout compares with what the library finds in this kernel.
func TestPacketLayout(t *testing.T) {
	need.Feature(t, "bpf", func() error {
		_, err := os.Stat(kernelTypes)
		return err
	})
	l, err := packetLayout()
	if err != nil {
		t.Fatal(err)
	}
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		t.Fatal(err)
	}
	var skb *btf.Struct
	if err := spec.TypeByName("sk_buff", &skb); err != nil {
		t.Fatal(err)
	}
	want := map[string]uint32{"secmark": l.Secmark, "network_header": l.NetworkHeader, "mac_header": l.MacHeader}
	var visit func(members []btf.Member, base btf.Bits)
	visit = func(members []btf.Member, base btf.Bits) {
		for _, m := range members {
			if at, ok := want[m.Name]; ok {
				if base+m.Offset != btf.Bits(8*at) {
					t.Errorf("%s at %d, want %d", m.Name, at, (base+m.Offset)/8)
				}
				delete(want, m.Name)
			}
			switch inner := btf.UnderlyingType(m.Type).(type) {
			case *btf.Struct:
				if m.Name == "" || m.Name == "headers" {
					visit(inner.Members, base+m.Offset)
				}
			case *btf.Union:
				if m.Name == "" {
					visit(inner.Members, base+m.Offset)
				}
			}
		}
	}
	visit(skb.Members, 0)
	if len(want) > 0 {
		t.Errorf("the library finds no %v", want)
	}
}

func FuzzMemberOffsets(f *testing.F) {
	var b btf.Builder
	word := &btf.Int{Name: "int", Size: 4}
	if _, err := b.Add(&btf.Struct{Name: "s", Size: 8, Members: []btf.Member{{Name: "a", Type: word}, {Type: &btf.Union{Size: 4, Members: []btf.Member{{Name: "b", Type: word}}}, Offset: 32}}}); err != nil {
		f.Fatal(err)
	}
	raw, err := b.Marshal(nil, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		at, err := memberOffsets(raw, "s", "a", "b")
		if err == nil && len(at) != 2 {
			t.Errorf("%v", at)
		}
	})
}
