// SPDX-License-Identifier: MIT

package overheard

import (
	"cmp"
	"net/netip"
	"testing"

	"nftdict/internal/cputime"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// BenchmarkForwarded forwards datagrams through a gateway that nobody listens on,
// and through one with a Listener on either side: what the filters cost those that
// are none of its business.
func BenchmarkForwarded(b *testing.B) {
	for _, heard := range []string{"", "lan0", "wan0"} {
		b.Run("heard on "+cmp.Or(heard, "none"), func(b *testing.B) {
			l := labtest.New(b, lab.Config{})
			if heard != "" {
				n, err := Listen(Config{NetNS: l.Gateway.FD(), Handle: func(*Message) {}})
				if err != nil {
					b.Fatal(err)
				}
				defer n.Close()
				n.SetLinks(map[uint32]string{index(b, l.Gateway, heard): heard})
			}
			c, err := l.Client.Dial(b.Context(), "udp", netip.AddrPortFrom(lab.Internet4, 9).String())
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			data := make([]byte, 1000)
			start := cputime.Used(b)
			for b.Loop() {
				_, _ = c.Write(data) // refused now and then: nobody takes it
			}
			cputime.Report(b, start)
		})
	}
}
