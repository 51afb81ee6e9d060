// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"strconv"
	"time"

	"nftdict/dictd/api"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/event"
)

// flowEvents notes which connections have come into flowtables, as the kernel does
// not tell, while somebody wants to know: what it costs is a look at all.
type flowEvents struct {
	d     *Daemon
	known map[uint32]string // states of those that were in a flowtable at the last look; nil before the first
	since uint64            // when nobody wanted to know, last; in nanoseconds of Unix time
}

// Between two looks: the least time, and how many times as long as a look took.
const (
	flowsEvery = time.Second
	flowsRest  = 19
)

func (e *flowEvents) run(ctx context.Context) error {
	for pause := flowsEvery; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		if !e.d.happened.Wants(event.FlowOffload) {
			e.known, e.since = nil, uint64(time.Now().UnixNano())
			continue
		}
		begin := time.Now()
		if err := e.look(); err != nil {
			e.d.o.Log.Warn("cannot see which connections are offloaded", "err", err)
		}
		pause = max(flowsEvery, flowsRest*time.Since(begin))
	}
}

// look tells of those that were not there at the last look, or are carried by devices
// since; at the first look, of connections that began since somebody wants to know.
func (e *flowEvents) look() error {
	now := make(map[uint32]string)
	var fresh []conntrack.Flow
	err := (*kernel)(e.d).Dump(func(f *conntrack.Flow) {
		if !f.Offloaded() {
			return
		}
		state := flowState(f)
		was := e.known[f.ID]
		now[f.ID] = state
		switch {
		case e.known == nil && f.Start < e.since: // nobody knows since when
		case was == "", was != state && state == api.FlowHardware:
			fresh = append(fresh, *f)
		}
	})
	if err != nil {
		return err
	}
	e.known = now
	at := uint64(time.Now().UnixNano())
	for i := range fresh {
		f := e.d.describe(&fresh[i], at)
		e.d.happened.Publish(event.Event{Kind: event.FlowOffload, Subject: strconv.FormatUint(uint64(f.CtID), 10), Data: f})
	}
	return nil
}
