// SPDX-License-Identifier: MIT

package dictd

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"nftdict/dictd/config"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/offload"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// TestRecalledBytes: whatever connections of random lengths move through dictd's
// flowtable, while some are taken back at random, conntrack counts as the devices do,
// over all entries that a connection has had. Where entries are made anew, the kernel
// may miss a packet that is under way on another processor at that moment; and one of
// UDP for which it has made an entry in between it counts in the one that is there by
// then, as if the client had sent it.
func TestRecalledBytes(t *testing.T) {
	offloadedBy(t, recalledBytes)
}

func recalledBytes(t *testing.T, l *lab.Lab, on *backend.Backend) {
	const flows, longest = 100, 50_000
	site, _ := l.Site("example.org")
	w := labtest.NewWire(t, l, ownPort)
	d := startOn(t, l.Gateway, on, func(c *config.Config) {
		c.Ledger.Period, c.Reverse.Names = 0.5, config.ReverseOff
		c.Offload.Enable, c.Offload.Follow = true, false
	})
	k := newTalker(t, l, site, 7777)
	out, in := w.Read()
	kernel, err := conntrack.Dial(l.Gateway.FD())
	if err != nil {
		t.Fatal(err)
	}
	defer kernel.Close()
	stop, back := make(chan struct{}), 0
	var recalls sync.WaitGroup
	recalls.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
			var ids []uint32
			if err := kernel.Offloaded(func(f *conntrack.Flow) { ids = append(ids, f.ID) }); err != nil {
				t.Error(err)
				return
			}
			if len(ids) == 0 {
				continue
			}
			id := ids[rand.IntN(len(ids))]
			n, err := d.Recall(offload.Whom{Kind: offload.OfCt, Name: strconv.FormatUint(uint64(id), 10)})
			if err != nil {
				t.Logf("recall of %d: %v", id, err)
			}
			back += n
		}
	})
	random := rand.New(rand.NewPCG(1, 2))
	lengths := make([]int, flows)
	for i := range lengths {
		lengths[i] = 1 + random.IntN(longest)
	}
	k.talk(flows, func(i int) int { return lengths[i] })
	close(stop)
	recalls.Wait()
	few := int64(back / 10 * 1500) // a packet of each tenth
	// What a handshake sends again, where a machine is slow, conntrack does not count.
	again := retried(t, l.Client) + retried(t, l.Internet)
	spare := func(n int64) bool { return 0 <= n && n <= again*(40+40) }
	var differs [2]int64
	defer func() {
		t.Logf("%d times a connection was taken back; beside the rules %+v; %d handshakes were sent again; out, in: the devices have %d bytes more", back, d.account.Stats().Offloaded, again, differs)
	}()
	eventually(t, "the ledger has what the devices have", func() bool {
		nowOut, nowIn := w.Read()
		sum := sums(t, d.account.Ledger)
		differs = [2]int64{int64(nowOut - out - sum.Out.Bytes), int64(nowIn - in - sum.In.Bytes)}
		if on.Kind == backend.Kmod {
			return spare(differs[0]) && spare(differs[1])
		}
		missed := differs[0] + differs[1]
		return missed >= 0 && missed <= few && -few <= differs[0] && differs[0] <= few
	})
	// A port that comes back soon goes on in the entry of before; a connection of which
	// the other end's packet has made the entry is another one.
	if sum := sums(t, d.account.Ledger); sum.Connections > flows+2 || sum.Connections < flows-2 {
		t.Errorf("%d connections, want %d", sum.Connections, flows)
	}
	if back < flows/4 {
		t.Errorf("%d times a connection was taken back", back)
	}
}

// retried returns how often a namespace has sent SYNs and answers to them again.
func retried(t *testing.T, ns *lab.Namespace) int64 {
	t.Helper()
	var names []string
	for line := range strings.Lines(run(t, ns, "cat", "/proc/net/netstat")) {
		switch words := strings.Fields(line); {
		case words[0] != "TcpExt:":
		case names == nil:
			names = words
		default:
			n, err := strconv.ParseInt(words[slices.Index(names, "TCPSynRetrans")], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal("the kernel does not tell what TCP has sent again")
	return 0
}
