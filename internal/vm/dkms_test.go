// SPDX-License-Identifier: MIT

package vm_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"nftdict/internal/need"
	"nftdict/internal/vm"
)

// TestDKMS builds the module as DKMS does after `make -C kmod install-dkms`, and
// loads what comes of it.
func TestDKMS(t *testing.T) {
	guests(t, "guest", "6.12")(func(t *testing.T, m *vm.Machine) {
		for _, program := range []string{"make", "dkms", "pahole"} {
			need.Program(t, program)
		}
		root := t.TempDir()
		command := func(name string, args ...string) {
			t.Helper()
			if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
				t.Fatalf("%s %q: %v\n%s", name, args, err, out)
			}
		}
		command("make", "-C", "../../kmod", "install-dkms", "DESTDIR="+root)
		source, err := filepath.Glob(filepath.Join(root, "usr/src/nft_dict-*"))
		if err != nil || len(source) != 1 {
			t.Fatalf("source %q, %v", source, err)
		}
		command("mkdir", root+"/tree", root+"/lib")
		command("dkms", "build", "--sourcetree", root+"/usr/src", "--dkmstree", root+"/tree", "--installtree", root+"/lib",
			"-k", m.Kernel.Release, "--kernelsourcedir", m.Kernel.Headers, "-m", "nft_dict", "-v", filepath.Base(source[0])[len("nft_dict-"):])
		built, err := filepath.Glob(root + "/tree/nft_dict/*/" + m.Kernel.Release + "/*/module/nft_dict.ko")
		if err != nil || len(built) != 1 {
			t.Fatalf("module %q, %v", built, err)
		}
		m.Modules = []string{"nf_tables", "nf_conntrack"}
		m.Extra = built
		res := run(t, m, act(t, m, "echo loaded"))
		for _, c := range res.Complaints {
			t.Errorf("the kernel complains: %v", c)
		}
	})
}
