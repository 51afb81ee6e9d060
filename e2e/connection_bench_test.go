// SPDX-License-Identifier: MIT

package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"nftdict/internal/lab"
	"nftdict/internal/need"
)

// A whole connection, on a machine that counts instructions (`vm exec -counted`): all
// that its processor does for it, client and server included, by a gateway that does
// more and more.

// Ways of a connection.
const (
	wayDirect     = "direct"     // by a link without the gateway
	wayForwarded  = "forwarded"  // no rule, no conntrack
	wayTracked    = "tracked"    // rules that ask conntrack
	wayFlowtable  = "flowtable"  // and one that gives all to a flowtable
	wayClassified = "classified" // tracked, and dictd
	wayOffloaded  = "offloaded"  // tracked, and dictd with its flowtable
)

var ways = []string{wayDirect, wayForwarded, wayTracked, wayFlowtable, wayClassified, wayOffloaded}

// BenchmarkConnection reports what a connection of some 20 packets costs each way, in
// instructions, and what dictd adds to it.
func BenchmarkConnection(b *testing.B) {
	r := newRig(b, lab.Config{})
	need.Feature(b, "flowtable", func() error {
		_, err := r.try("nft", "add table inet probe; add flowtable inet probe f { hook ingress priority 0; devices = { lan0, wan0 }; }; delete table inet probe")
		return err
	})
	c := newCrossing(b, r)
	for _, protocol := range []string{"tls", "http"} {
		b.Run(protocol, func(b *testing.B) {
			c.t, c.protocol = b, protocol
			for b.Loop() {
				c.compare(b)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
	c.t = b
}

// compare measures all ways, in turns.
func (c *crossing) compare(b *testing.B) {
	const rounds = 2
	c.choose()
	bills := map[string]bill{}
	for range rounds {
		for _, way := range ways {
			if bills[way] == nil {
				bills[way] = bill{}
			}
			for what, v := range c.measure(way) {
				bills[way][what] += v / rounds
			}
		}
	}
	for _, way := range ways {
		b.ReportMetric(bills[way][billed]/1000, way+"-kinstr")
		b.Logf("%s: %v", way, bills[way])
	}
	ratio := func(a, b string) float64 { return bills[a][billed] / bills[b][billed] }
	for _, way := range []string{wayClassified, wayOffloaded} {
		b.ReportMetric(ratio(way, wayTracked), way+"/tracked")
		b.ReportMetric(ratio(way, wayFlowtable), way+"/flowtable")
	}
}

// bill is what a connection has cost, and dictd has done for it.
type bill map[string]float64

// billed are all the instructions of a connection.
const billed = "all"

func (o bill) String() string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(o)) {
		parts = append(parts, fmt.Sprintf("%s %.1f", what, o[what]))
	}
	return strings.Join(parts, ", ")
}
