// SPDX-License-Identifier: MIT

package front

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRunSignals: files are handed over to nft while signals, which the runtime
// sends itself when a machine is busy, interrupt the threads that do it.
func TestRunSignals(t *testing.T) {
	ns := newNetwork(t)
	dir := t.TempDir()
	const files, runs = 60, 8
	main := "add table ip t\nadd chain ip t c\n"
	for i := range files {
		name := filepath.Join(dir, fmt.Sprintf("%d.nft", i))
		if err := os.WriteFile(name, fmt.Appendf(nil, "add rule ip t c dict sessions ct id application %d\n", i), 0o600); err != nil {
			t.Fatal(err)
		}
		main += fmt.Sprintf("include %q\n", name)
	}
	var done sync.WaitGroup
	stop := make(chan struct{})
	done.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			tasks, _ := os.ReadDir("/proc/self/task")
			for _, task := range tasks {
				if tid, err := strconv.Atoi(task.Name()); err == nil {
					_ = unix.Tgkill(unix.Getpid(), tid, unix.SIGURG)
				}
			}
		}
	})
	defer done.Wait()
	defer close(stop)
	for range runs {
		if s, err := ns.try(t, "flush ruleset\n"+main, "-f", "-"); err != nil || s != (said{}) {
			t.Fatalf("%v, %+v", err, s)
		}
		if s, err := ns.try(t, "", "list", "chain", "ip", "t", "c"); err != nil || strings.Count(s.Out, "application") != files {
			t.Fatalf("%v, %+v", err, s)
		}
	}
}
