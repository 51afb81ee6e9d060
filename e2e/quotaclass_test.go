// SPDX-License-Identifier: MIT

package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"nftdict/internal/lab"
	"nftdict/internal/need"
)

// classes returns the bytes that each class of an interface has sent.
func (r *quotaRig) classes(device string) map[string]int64 {
	r.t.Helper()
	sent := make(map[string]int64)
	name := ""
	for line := range strings.Lines(r.must("tc", "-s", "class", "show", "dev", device)) {
		words := strings.Fields(line)
		switch {
		case len(words) > 2 && words[0] == "class":
			name = words[2]
		case len(words) > 2 && words[0] == "Sent":
			n, err := strconv.ParseInt(words[1], 10, 64)
			if err != nil {
				r.t.Fatal(err)
			}
			sent[name] = n
		}
	}
	return sent
}

// Who has used up his budget is in another class of traffic control from the next
// packet on, by the class of a packet (throttle) or by a filter on its mark (class),
// and gets no more than that class has; after a top-up he is where he was.
func TestQuotaClass(t *testing.T) {
	for _, c := range []struct {
		then   string
		family int
		addr   string
		more   []string // words for dictctl quota tc
	}{
		{"throttle", 4, lab.Client4.String(), nil},
		{"class 7", 6, lab.Client6.String(), []string{"--mark", "7"}},
	} {
		t.Run(c.then, func(t *testing.T) {
			r := newQuotaRig(t, lab.Config{})
			r.must("tc", "qdisc", "del", "dev", "lan0", "root")
			if c.more != nil {
				need.Feature(t, "cls_fw", func() error {
					_, err := r.try("sh", "-c", "tc qdisc add dev lan0 root handle 1: htb && tc filter add dev lan0 parent 1: prio 1 handle 7 fw classid 1:1 && tc qdisc del dev lan0 root")
					return err
				})
			}
			r.start(inside, fmt.Sprintf("[[plan]]\nname = \"slow\"\nfor = [\"host %s\"]\nvolume = \"100kB\"\nperiod = \"none\"\nthen = %q\n", c.addr, c.then))
			const rate = 4 * mega / 8
			r.must("sh", "-c", r.must("dictctl", append([]string{"quota", "tc", "lan0", "4mbit"}, c.more...)...))
			r.left("hosts", c.addr, "quota_remaining")
			before := r.classes("lan0")
			if err := r.download(r.Client, c.family, 300_000, 20*time.Second); err != nil {
				t.Fatal(err)
			}
			passed := r.classes("lan0")
			if fast := passed["1:10"] - before["1:10"]; fast < 90_000 || fast > 150_000 {
				t.Errorf("%d bytes went fast, of a budget of 100 kB", fast)
			}
			if slow := passed["1:20"] - before["1:20"]; slow < 200_000 {
				t.Errorf("%d bytes of 200 kB went slowly", slow)
			}
			start := time.Now()
			if err := r.download(r.Client, c.family, mega, 20*time.Second); err != nil {
				t.Errorf("slowly: %v", err)
			}
			took := time.Since(start).Seconds()
			after := r.classes("lan0")
			slow := after["1:20"] - passed["1:20"]
			if slow < mega || after["1:10"] != passed["1:10"] {
				t.Errorf("%d bytes went slowly, and %d fast", slow, after["1:10"]-passed["1:10"])
			}
			// The burst of a class is a few packets.
			if got := float64(slow) / took; got > 1.1*rate {
				t.Errorf("%.0f bytes a second of at most %d", got, rate)
			}
			r.must("dictctl", "quota", "top-up", "host", c.addr, "5MB")
			if err := r.download(r.Client, c.family, mega, 20*time.Second); err != nil {
				t.Errorf("after a top-up: %v", err)
			}
			if now := r.classes("lan0"); now["1:10"]-after["1:10"] < mega || now["1:20"] != after["1:20"] {
				t.Errorf("after a top-up: %d bytes went fast, %d slowly", now["1:10"]-after["1:10"], now["1:20"]-after["1:20"])
			}
		})
	}
}
