// SPDX-License-Identifier: MIT

package main

import (
	"bufio"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"nftdict/internal/lab"
)

// dripSite serves the downloads of the quota scene: a line every 100 ms.
const dripSite = "example.org"

// window is how long the lines of a download are counted.
const window = time.Second

// quota switches a user off and on while connections are open.
func (st *stage) quota(ctx context.Context) error {
	st.say("Two users download: one line every 100 ms, over connections that stay open all the time.")
	downloads := map[string]*download{}
	users := []struct {
		name string
		at   *lab.Namespace
	}{{"alice", st.Client}, {"bob", st.Guest}}
	for _, u := range users {
		d, err := st.download(ctx, u.at)
		if err != nil {
			return err
		}
		defer d.stop()
		downloads[u.name] = d
	}
	st.say("The rule follows a connection to its user and the user to the quota. A connection\n" +
		"   gets its user by its id, which conntrack shows:")
	err := st.gateway(ctx,
		"dictctl nft add rule inet filter forward dict users dict sessions ct id username long_string quota-exceeded bool true reject")
	if err != nil {
		return err
	}
	for _, u := range users {
		id, err := st.openConnection(ctx, u.at)
		if err != nil {
			return err
		}
		if err := st.gateway(ctx, fmt.Sprintf("dictctl set sessions %d username %s", id, u.name)); err != nil {
			return err
		}
	}
	count := func() (alice, bob int64) {
		return downloads["alice"].during(ctx, window), downloads["bob"].count()
	}

	alice, _ := count()
	st.claim(alice > 3, "alice got %d lines in a second", alice)
	if err := st.gateway(ctx, "dictctl set users alice quota-exceeded true"); err != nil {
		return err
	}
	alice, bob := count()
	st.claim(alice == 0, "alice got %d lines in a second", alice)
	st.claim(bob > 3, "bob got %d meanwhile", bob)
	if err := st.gateway(ctx, "dictctl set users alice quota-exceeded false"); err != nil {
		return err
	}
	before := downloads["alice"].lines.Load()
	start := time.Now()
	back := st.eventually(ctx, func() bool { return downloads["alice"].lines.Load() > before+3 })
	// TCP tries again at growing intervals, so it takes a moment.
	st.claim(back, "alice's same connection goes on, after %.1f s", time.Since(start).Seconds())
	for _, u := range users {
		st.claim(downloads[u.name].open(), "%s's connection was open all the time", u.name)
	}
	return ctx.Err()
}

// download is a running curl whose lines are counted.
type download struct {
	cmd    *lab.Cmd
	cancel context.CancelFunc
	lines  atomic.Int64
	last   int64 // lines at the last count
	ended  chan struct{}
}

// download starts a download on a client and waits for its first line.
func (st *stage) download(ctx context.Context, n *lab.Namespace) (*download, error) {
	line := "curl -4sSN https://" + dripSite + "/drip/600"
	st.command(prompt(n), line+" &")
	ctx, cancel := context.WithCancel(ctx)
	d := &download{cmd: st.shell(ctx, n, "exec "+line), cancel: cancel, ended: make(chan struct{})}
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		cancel()
		return nil, err
	}
	if err := d.cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	go func() {
		defer close(d.ended)
		for in := bufio.NewScanner(out); in.Scan(); {
			d.lines.Add(1)
		}
	}()
	if !st.eventually(ctx, func() bool { return d.lines.Load() > 0 }) {
		d.stop()
		return nil, fmt.Errorf("%s: nothing comes", line)
	}
	return d, nil
}

// during returns how many lines come in a stretch of time, after what is on
// its way has arrived.
func (d *download) during(ctx context.Context, stretch time.Duration) int64 {
	pause(ctx, stretch/10)
	d.count()
	pause(ctx, stretch)
	return d.count()
}

// count returns how many lines have come since the last call.
func (d *download) count() int64 {
	now := d.lines.Load()
	n := now - d.last
	d.last = now
	return n
}

// open reports whether the download is still going on.
func (d *download) open() bool {
	select {
	case <-d.ended:
		return false
	default:
		return true
	}
}

// stop ends the download.
func (d *download) stop() {
	d.cancel()
	<-d.ended
	d.cmd.Wait() // its error is the kill
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// openConnection shows a client's open connections and returns the ct id of
// its download.
func (st *stage) openConnection(ctx context.Context, n *lab.Namespace) (uint32, error) {
	from := lab.Client4
	if n == st.Guest {
		from = lab.Guest4
	}
	out, err := st.do(ctx, st.Gateway, 0,
		fmt.Sprintf("conntrack -L -o id -p tcp --state ESTABLISHED --src %s 2>/dev/null", from))
	if err != nil {
		return 0, err
	}
	site, _ := st.Site(dripSite)
	for _, c := range to(parseConnections(out), site, "tcp", lab.HTTPSPort) {
		return c.id, nil
	}
	return 0, fmt.Errorf("no open connection from %s to %s", from, site.Addr4)
}
