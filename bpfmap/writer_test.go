// SPDX-License-Identifier: MIT

package bpfmap

import (
	"testing"

	"github.com/cilium/ebpf"

	"nftdict/internal/need"
)

// TestWriterVerified: every command that writes or reads rows waits until the kernel
// has looked through the writer, once for each table.
func TestWriterVerified(t *testing.T) {
	need.Root(t)
	spec, err := loadWriter()
	if err != nil {
		t.Fatal(err)
	}
	var objects struct {
		Run *ebpf.Program `ebpf:"run"`
	}
	need.Feature(t, "bpf", func() error { return spec.LoadAndAssign(&objects, nil) })
	defer objects.Run.Close()
	info, err := objects.Run.Info()
	if err != nil {
		t.Fatal(err)
	}
	const most = 20_000
	n, ok := info.VerifiedInstructions()
	if !ok || n > most {
		t.Errorf("the kernel looks at %d instructions (%v), want at most %d", n, ok, most)
	}
	t.Logf("%d instructions", n)
}
