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
// it is back: to the byte, or a look at the moment of the kill is there twice.
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
	r.eventually("the flowtable has it", offloaded)
	time.Sleep(time.Second)
	d.kill()
	time.Sleep(time.Second)
	if err := offloaded(); err != nil {
		t.Error(err)
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
	t.Logf("%d bytes moved, %d more are charged", moved, charged-moved)
	if charged-moved > moved/2 {
		t.Errorf("%d bytes moved, %d are charged", moved, charged)
	}
	d.stop()
}

// slow reads two megabytes a second.
type slow struct{ net.Conn }

func (s slow) Read(p []byte) (int, error) {
	time.Sleep(10 * time.Millisecond)
	return s.Conn.Read(p[:min(len(p), 20_000)])
}
