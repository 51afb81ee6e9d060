// SPDX-License-Identifier: MIT

package e2e

import (
	"testing"
	"time"

	"nftdict/internal/lab"
)

// BenchmarkRest reports what the processor does in a second in which nothing happens, in
// thousands of instructions where these are counted: all of it, and dictd's process.
func BenchmarkRest(b *testing.B) {
	const settle, rest = 5 * time.Second, 12 * time.Second // of the ledger's and conntrack's periods some
	r := newRig(b, lab.Config{})
	c := newCrossing(b, r)
	for range b.N {
		for _, of := range []struct{ name, conf string }{
			{"alone", ""},
			{"kmod", crossConf},
			{"kmod-offload", crossConf + "[offload]\nenable = true\n"},
			{"ebpf", "backend = \"ebpf\"\n" + crossRest},
			{"ebpf-offload", "backend = \"ebpf\"\n" + crossRest + "[offload]\nenable = true\n"},
		} {
			pid, stop := 0, func() {}
			if of.conf != "" {
				d := c.start(of.conf)
				pid, stop = d.cmd.Process.Pid, d.stop
			}
			time.Sleep(settle)
			begin := c.read(pid)
			time.Sleep(rest)
			all := c.read(pid).since(begin)
			stop()
			a := 1e6 / float64(all.clock) // nanoseconds are instructions
			b.ReportMetric(float64(all.busy)*a, of.name+"-kinstr/s")
			if pid != 0 {
				b.ReportMetric(float64(all.daemon)*a, of.name+"-dictd-kinstr/s")
			}
		}
	}
	b.ReportMetric(0, "ns/op")
}
