// SPDX-License-Identifier: MIT

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"nftdict/internal/lab"
	"nftdict/internal/need"
)

// Quotas, charged by rules while real downloads run.
//
//	client ---- lan0, 100 Mbit/s ---- gateway (dictd, quotas, meter) ---- internet: an endless file
//	guest  ---- lan1

const (
	mega      = 1_000_000
	twoFrames = 2 * 1500
	forever   = 1 << 40
	inside    = "[identity]\ninterfaces = [\"lan0\", \"lan1\"]\n"
)

// quotaRig is a rig with an endless file, a slow link to the client, and a meter of
// what is forwarded behind all quotas.
type quotaRig struct {
	*rig
	ports [2]netip.AddrPort // of the file, by family
}

func newQuotaRig(t *testing.T, conf lab.Config) *quotaRig {
	t.Helper()
	r := &quotaRig{rig: newRig(t, conf)}
	r.ports = [2]netip.AddrPort{netip.MustParseAddrPort("192.0.2.2:9090"), netip.MustParseAddrPort("[2001:db8::2]:9090")}
	endless := http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		n, err := strconv.ParseInt(q.FormValue("n"), 10, 64)
		if err != nil {
			n = forever
		}
		_, _ = io.CopyN(w, zeros{}, n)
	})
	for _, at := range r.ports {
		if err := r.ServeHTTP(context.Background(), r.Internet, at.String(), endless); err != nil {
			t.Fatal(err)
		}
	}
	r.must("tc", "qdisc", "add", "dev", "lan0", "root", "tbf", "rate", "100mbit", "burst", "32k", "latency", "50ms")
	r.must("nft", "add table inet scales; add counter inet scales passed; add chain inet scales forward { type filter hook forward priority 300; }; add rule inet scales forward counter name passed")
	return r
}

// zeros is an endless file.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// passed returns the bytes of all packets that were forwarded.
func (r *quotaRig) passed() int64 {
	r.t.Helper()
	var list struct {
		NFTables []struct {
			Counter *struct{ Bytes int64 } `json:"counter"`
		} `json:"nftables"`
	}
	if err := json.Unmarshal([]byte(r.must("nft", "-j", "list", "counter", "inet", "scales", "passed")), &list); err != nil {
		r.t.Fatal(err)
	}
	for _, e := range list.NFTables {
		if e.Counter != nil {
			return e.Counter.Bytes
		}
	}
	r.t.Fatal("no counter")
	return 0
}

// download fetches n bytes of the file with curl, and returns what ended it.
func (r *quotaRig) download(from *lab.Namespace, family int, n int64, patience time.Duration) error {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience+5*time.Second)
	defer cancel()
	to := r.ports[0]
	if family == 6 {
		to = r.ports[1]
	}
	got, err := from.Command(ctx, "sh", "-c", fmt.Sprintf("curl -s -g -Y 1 -y 3 --max-time %d 'http://%s/?n=%d' | wc -c", int(patience.Seconds()), to, n)).Output()
	if err != nil {
		return err
	}
	if m, err := strconv.ParseInt(strings.TrimSpace(string(got)), 10, 64); err != nil || m < n {
		return fmt.Errorf("it ended after %d bytes, %v", m, err)
	}
	return nil
}

// refused reports whether a new connection is refused, at once.
func (r *quotaRig) refused(from *lab.Namespace, family int) error {
	start := time.Now()
	if err := r.download(from, family, 1000, 20*time.Second); err == nil {
		return errors.New("it was not refused")
	}
	if took := time.Since(start); took > 5*time.Second { // of a program in a slow guest
		return fmt.Errorf("it took %v", took)
	}
	return nil
}

// left returns what is left of the quota in a row, waiting until there is one.
func (r *quotaRig) left(table, key, field string) (n int64) {
	r.t.Helper()
	r.eventually("a budget for "+key, func() error {
		var err error
		n, err = strconv.ParseInt(r.field(table, key, field), 10, 64)
		return err
	})
	return n
}

// begin begins a download that does not end by itself.
func (r *quotaRig) begin(from *lab.Namespace, family int) net.Conn {
	r.t.Helper()
	to := r.ports[0]
	if family == 6 {
		to = r.ports[1]
	}
	conn, err := from.Dial(context.Background(), "tcp", to.String())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	return conn
}

// silence is after how long a download that moves nothing has stopped.
const silence = 1500 * time.Millisecond

// waitsAt reads until the quota stops a download, and checks that this is to the packet:
// limit bytes and two packets after before, and that it was not reset.
func (r *quotaRig) waitsAt(what string, conn net.Conn, before, limit int64) {
	r.t.Helper()
	start := time.Now()
	if err := conn.SetReadDeadline(start.Add(30 * time.Second)); err != nil {
		r.t.Fatal(err)
	}
	buffer := make([]byte, 64<<10)
	_, err := conn.Read(buffer) // the sender may take its time to find out that it goes on
	for err == nil && r.passed()-before <= 2*limit {
		for range 1000 {
			if err = conn.SetReadDeadline(time.Now().Add(silence)); err != nil {
				r.t.Fatal(err)
			}
			if _, err = conn.Read(buffer); err != nil {
				break
			}
		}
		if isTimeout(err) && r.passed()-before < limit && time.Since(start) < 60*time.Second {
			err = nil // a machine that is slow
		}
	}
	if !isTimeout(err) {
		r.t.Errorf("%s: at the end of the quota: %v, want silence", what, err)
	}
	if got := r.passed() - before; got < limit || got > limit+twoFrames {
		r.t.Errorf("%s: %d bytes passed, want %d and at most two packets more", what, got, limit)
	} else {
		r.t.Logf("%s: %d bytes passed of %d", what, got, limit)
	}
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// stopsAt downloads until the quota ends it, to the packet, and checks that new
// connections are refused. The connection that it returns waits.
func (r *quotaRig) stopsAt(what string, family int, before, limit int64) net.Conn {
	r.t.Helper()
	conn := r.begin(r.Client, family)
	r.waitsAt(what, conn, before, limit)
	if err := r.refused(r.Client, family); err != nil {
		r.t.Errorf("%s: a new connection: %v", what, err)
	}
	return conn
}

// level returns what has passed and what is left, of one moment.
func (r *quotaRig) level(table, key, field string) (passed, left int64) {
	r.t.Helper()
	r.eventually("nothing moves", func() error {
		passed = r.passed()
		if left = r.left(table, key, field); r.passed() != passed {
			return errors.New("it does")
		}
		return nil
	})
	return passed, left
}

func TestQuotaToThePacket(t *testing.T) {
	r := newQuotaRig(t, lab.Config{})
	size := int64(20 * mega)
	if !need.Promised("long") {
		size = 4 * mega // where a processor is emulated
	}
	plan := fmt.Sprintf("[[plan]]\nname = \"daily\"\nfor = [\"users\"]\nvolume = \"%d\"\nperiod = \"none\"\n", size)
	d := r.start(inside, plan)
	r.must("dictctl", "user", "bind", "alice", lab.ClientMAC)
	r.left("users", "alice", "quota_remaining")
	conn := r.stopsAt("IPv4", 4, r.passed(), size)
	if got := r.field("users", "alice", "quota_exceeded"); got != "true" {
		t.Errorf("quota_exceeded is %q", got)
	}

	r.eventually("an event tells of it", func() error {
		out, _ := r.try("curl", "-s", "-N", "--max-time", "1", "--unix-socket", r.socket(), "http://dictd/v1/events?after=0&kind=quota-*")
		if !strings.Contains(out, "quota-exceeded") || !strings.Contains(out, `"plan":"daily"`) {
			return errors.New(out)
		}
		return nil
	})

	// The connection that the quota stopped is still there.
	before, left := r.level("users", "alice", "quota_remaining")
	r.must("dictctl", "quota", "top-up", "user", "alice", "2MB")
	r.waitsAt("after a top-up", conn, before, left+2*mega)
	conn.Close()

	// By the other address it is the same, which the daemon has to see once.
	r.eventually("the client's second address has a user", func() error {
		_ = r.download(r.Client, 6, 1, time.Second)
		if got := r.field("hosts", lab.Client6.String(), "username"); got != "alice" {
			return fmt.Errorf("it is %q", got)
		}
		return nil
	})
	families := map[int]string{4: "IPv4", 6: "IPv6"}
	again := func(what string, family int) {
		t.Helper()
		conn.Close()
		before, left = r.level("users", "alice", "quota_remaining")
		conn = r.stopsAt(families[family]+what, family, before, left)
		if err := r.refused(r.Client, 10-family); err != nil {
			t.Errorf("%s%s, the other family: %v", families[family], what, err)
		}
	}
	if need.Promised("long") {
		r.must("dictctl", "quota", "reset", "user", "alice")
		again("", 6)
	}

	// And without a daemon: it takes none to give him more, either.
	r.must("dictctl", "quota", "reset", "user", "alice")
	d.kill()
	again(", dictd killed", 6)
	if need.Promised("long") {
		r.must("dictctl", "set", "users", "alice", "quota_remaining", fmt.Sprint(size))
		again(", dictd killed", 4)
	}

	// And another daemon goes on where the rules are by then.
	r.start(inside, plan)
	if err := r.refused(r.Client, 4); err != nil {
		t.Errorf("after a new start: %v", err)
	}
	before, left = r.level("users", "alice", "quota_remaining")
	r.must("dictctl", "quota", "top-up", "user", "alice", "2MB")
	r.waitsAt("after a new start and a top-up", conn, before, left+2*mega)
}
