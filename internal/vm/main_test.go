// SPDX-License-Identifier: MIT

package vm_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/internal/need"
	"nftdict/internal/vm"
	"nftdict/internal/vm/fetch"
	"nftdict/internal/vm/guest"
	"nftdict/internal/vm/kernel"
)

// This test binary is also process 1 of the guests it makes, and the program
// that runs in them: with VM_TEST_ACT it does what is named there.
const actEnv = "VM_TEST_ACT"

func TestMain(m *testing.M) {
	if guest.IsInit() {
		fmt.Fprintln(os.Stderr, guest.Main())
		return
	}
	if act := os.Getenv(actEnv); act != "" {
		if err := perform(act); err != nil {
			fmt.Fprintln(os.Stderr, act, "failed:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// control is where the guests' positive controls lie.
const control = "/control.ko"

// perform is what happens inside a guest.
func perform(act string) error {
	verb, arg, _ := strings.Cut(act, " ")
	switch verb {
	case "echo":
		fmt.Println(arg)
		fmt.Fprintln(os.Stderr, "error:", arg)
		return nil
	case "exit":
		code, err := strconv.Atoi(arg)
		if err != nil {
			return err
		}
		os.Exit(code)
	case "look":
		return look()
	case "sleep":
		time.Sleep(time.Hour)
	case "panic":
		return os.WriteFile("/proc/sysrq-trigger", []byte("c"), 0)
	case "leave":
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = []string{actEnv + "=sleep"}
		return cmd.Start()
	case "trip":
		if err := insmod(control, "trip="+arg); err != nil && !errors.Is(err, unix.ECANCELED) {
			return err
		}
		return nil
	case "hold":
		return os.WriteFile("/sys/module/control/parameters/hold", []byte("1"), 0)
	case "fail-nth":
		return failNth()
	}
	return fmt.Errorf("no act %q", act)
}

// insmod loads a module with parameters.
func insmod(file, params string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.FinitModule(int(f.Fd()), params, 0)
}

// look prints what a guest consists of.
func look() error {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return err
	}
	fmt.Println("release", unix.ByteSliceToString(u.Release[:]))
	for _, file := range []string{
		"/proc/self/stat", "/sys/kernel", "/dev/null", "/dev/pts/ptmx", "/sys/fs/cgroup/cgroup.procs", "/sys/fs/bpf", "/sys/kernel/debug/extfrag",
		"/run/netns", "/proc/net/nf_conntrack", "/dev/fd/0",
	} {
		if _, err := os.Stat(file); err != nil {
			fmt.Println("absent", file)
		}
	}
	if err := os.WriteFile("/tmp/written", nil, 0o600); err != nil {
		return err
	}
	up, err := os.ReadFile("/sys/class/net/lo/flags")
	fmt.Print("lo ", string(up))
	return err
}

// failNth lets the first, second, ... allocation of a system call fail, until
// there is none left.
func failNth() error {
	runtime.LockOSThread() // it is this thread's allocations that fail
	// Those that may sleep are left out otherwise.
	if err := os.WriteFile("/sys/kernel/debug/failslab/ignore-gfp-wait", []byte("N"), 0); err != nil {
		return err
	}
	// Open all the while: to open it again could be what fails.
	nth, err := os.OpenFile("/proc/thread-self/fail-nth", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer nth.Close()
	failed := 0
	for n := 1; n < 1000; n++ {
		if _, err := nth.WriteAt([]byte(strconv.Itoa(n)), 0); err != nil {
			return err
		}
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
		var left [16]byte
		length, rerr := nth.ReadAt(left[:], 0)
		_, werr := nth.WriteAt([]byte("0"), 0)
		if rerr != nil && rerr != io.EOF || werr != nil {
			return errors.Join(rerr, werr)
		}
		if err == nil {
			unix.Close(fd)
		} else {
			failed++
		}
		if strings.TrimSpace(string(left[:length])) != "0" { // not reached: all were tried
			fmt.Println("failed", failed, "of", n-1)
			return nil
		}
	}
	return errors.New("no end")
}

// guests runs a test on every kernel named. Booting them takes minutes, so only
// a run that promises the feature does it: make test-guests, make test-kasan.
func guests(t *testing.T, feature string, names ...string) func(func(t *testing.T, m *vm.Machine)) {
	return func(test func(t *testing.T, m *vm.Machine)) {
		for _, name := range names {
			t.Run(name, func(t *testing.T) {
				need.Long(t)
				need.Program(t, "qemu-system-x86_64")
				var k *kernel.Kernel
				need.Feature(t, feature, func() error {
					if !need.Promised(feature) {
						return errors.New("this run has not promised it")
					}
					cache, err := kernel.Open()
					if err != nil {
						return err
					}
					k, err = cache.Kernel(name)
					return err
				})
				test(t, &vm.Machine{Kernel: k, Modules: []string{"nf_conntrack"}, CPUs: 1, Memory: 512})
			})
		}
	}
}

// act makes the command that performs an act in a guest that m will be.
func act(t *testing.T, m *vm.Machine, what string) vm.Command {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if !m.Host {
		m.Pack = append(m.Pack, vm.Packed{File: exe, As: "/act"})
		exe = "/act"
	}
	return vm.Command{Argv: []string{exe}, Env: []string{actEnv + "=" + what}, Dir: "/"}
}

// controls builds the positive controls for a machine's kernel.
func controls(t *testing.T, m *vm.Machine) string {
	t.Helper()
	need.Program(t, "make")
	need.Program(t, "gcc-12")
	var out strings.Builder
	files, err := fetch.Build(t.Context(), m.Kernel, filepath.Join("testdata", "control"), t.TempDir(), &out)
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return files[0]
}
