// SPDX-License-Identifier: MIT

package e2e

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// What dictd's flowtable carries while dictd is killed and away is on the budget when
// it is back: to the byte, or what a look at the moment of the kill has found is there
// twice.
func TestOffloadedSurvivesKill(t *testing.T) {
	r := newQuotaRig(t, lab.Config{})
	r.needFlowtable()
	wire := labtest.NewWire(t, r.Lab, 0)
	const size, period = 1_000_000_000, 0.5
	conf := inside + fmt.Sprintf("[reverse]\nnames = \"off\"\n[ledger]\nperiod = %v\n[offload]\nenable = true\nfollow = false\n", period) +
		"[[plan]]\nname = \"all\"\nfor = [\"host " + lab.Client4.String() + "\"]\nvolume = \"1GB\"\nperiod = \"none\"\n"
	d := r.start(conf)
	r.left("hosts", lab.Client4.String(), "quota_remaining")
	out, in := wire.Read()
	conn := r.begin(r.Client, 4)
	pace := make(chan struct{})
	go func() {
		defer close(pace)
		_, _ = io.Copy(io.Discard, slow{conn})
	}()
	offloaded := func() error {
		if text := r.must("conntrack", "-L", "-p", "tcp", "--dport", "9090"); !strings.Contains(text, "OFFLOAD") {
			return fmt.Errorf("it is not in the flowtable: %s", text)
		}
		return nil
	}
	// frames are the bytes of all frames so far, while more come.
	frames := func() int64 {
		h, err := r.Client.Netlink()
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		link, err := h.LinkByName("eth0")
		if err != nil {
			t.Fatal(err)
		}
		s := link.Attrs().Statistics
		return int64(s.RxBytes + s.TxBytes)
	}
	r.eventually("the flowtable has it", offloaded)
	time.Sleep(time.Second)
	before := frames()
	time.Sleep(time.Duration(1.5 * period * float64(time.Second)))
	d.kill()
	killed := frames()
	look := killed - before // no look has found more
	time.Sleep(time.Second)
	if err := offloaded(); err != nil {
		t.Error(err)
	}
	away := frames() - killed
	if away < mega/10 {
		t.Errorf("%d bytes moved without dictd", away)
	}
	d = r.start(conf)
	time.Sleep(time.Second)
	conn.Close()
	<-pace
	var moved, charged int64
	r.eventually("all is charged", func() error {
		nowOut, nowIn := wire.Read()
		moved = int64(nowOut - out + nowIn - in)
		charged = size - r.left("hosts", lab.Client4.String(), "quota_remaining")
		if charged < moved {
			return fmt.Errorf("%d bytes moved, %d are charged", moved, charged)
		}
		return nil
	})
	t.Logf("%d bytes moved, %d of them without dictd, %d more are charged", moved, away, charged-moved)
	if charged-moved > look {
		t.Errorf("%d bytes moved, %d are charged, and at most %d by the last look", moved, charged, look)
	}
	d.stop()
}

// slow reads two megabytes a second.
type slow struct{ net.Conn }

func (s slow) Read(p []byte) (int, error) {
	time.Sleep(10 * time.Millisecond)
	return s.Conn.Read(p[:min(len(p), 20_000)])
}
