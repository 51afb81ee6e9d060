// SPDX-License-Identifier: MIT

package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"nftdict/internal/lab"
)

// Who has used up a budget that excepts something goes no further by ever new
// connections of which nobody knows yet what they are; and what is excepted stays
// usable beside them.
func TestQuotaGrace(t *testing.T) {
	r := newQuotaRig(t, lab.Config{})
	r.start(inside, `
[[plan]]
name = "daily"
for = ["device `+lab.ClientMAC+`"]
volume = "1kB"
period = "none"
except = { applications = ["WIKIPEDIA"] }
`)
	r.known(lab.Client4, "mac_address", lab.ClientMAC)
	r.left("devices", lab.ClientMAC, "quota_remaining")
	_ = r.download(r.Client, 4, 10_000, 3*time.Second)
	r.blocked(4, "https://example.org/")
	const most, rate, size = 512_000, 16_000, 1200
	before, start, sent := r.passed(), time.Now(), 0
	for port := 20000; sent < 4*most; port++ {
		conn, err := r.Client.Dial(context.Background(), "udp", fmt.Sprintf("192.0.2.2:%d", port))
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if n, err := conn.Write(make([]byte, size-28)); err == nil { // else it was told that it is refused
				sent += n
			}
		}
		conn.Close()
	}
	time.Sleep(500 * time.Millisecond) // queues run dry
	got := r.passed() - before
	bound := int64(most + rate*time.Since(start).Seconds() + 64*size)
	if got > bound || got < most/8 { // a busy machine's queues lose some
		t.Errorf("%d bytes of %d passed, want at most %d", got, sent, bound)
	} else {
		t.Logf("%d bytes of %d passed", got, sent)
	}
	r.eventually("what is excepted goes on", func() error { return r.reach(4, "https://en.wikipedia.org/") })
	r.blocked(4, "https://example.org/")
}
