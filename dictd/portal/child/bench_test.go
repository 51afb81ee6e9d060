// SPDX-License-Identifier: MIT

package child

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkRedirect asks the process for others, as operating systems do to learn
// whether they are captive, over a connection each. What counts is the processor's
// time that the process takes, with the kernel's on its behalf: a core of its own
// gives that many answers a second.
func BenchmarkRedirect(b *testing.B) {
	r := start(b)
	alive := client(b)
	get(b, alive, r.plain+"/")
	to := strings.TrimPrefix(r.plain, "http://")
	probe := []byte("GET /generate_204 HTTP/1.1\r\nHost: connectivitycheck.gstatic.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\nAccept-Encoding: gzip, deflate\r\nConnection: close\r\n\r\n")
	want := []byte("HTTP/1.1 302 Found\r\n")
	var next atomic.Int64
	before := processor(b, r.PID())
	b.ResetTimer()
	var all sync.WaitGroup
	for worker := range 8 {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(worker+1))}, Timeout: 20 * time.Second}
		all.Go(func() {
			for next.Add(1) <= int64(b.N) {
				c, err := d.Dial("tcp", to)
				if err != nil {
					b.Error(err)
					return
				}
				_, err = c.Write(probe)
				answer, readErr := io.ReadAll(c)
				c.Close()
				if err != nil || readErr != nil || !bytes.HasPrefix(answer, want) {
					b.Errorf("%v %v %.100s", err, readErr, answer)
					return
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	took := processor(b, r.PID()) - before
	b.ReportMetric(float64(b.N)/took.Seconds(), "answers/core-s")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "answers/s")
}

// processor is the time, of user and system, that a process has used. It is told in
// hundredths of a second.
func processor(b *testing.B, pid int) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	ticks := 0
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
