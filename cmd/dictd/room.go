// SPDX-License-Identifier: MIT

package main

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// roomEvery is how often the collector's room is looked at.
const roomEvery = 10 * time.Second

// room keeps the memory that waits to be collected in proportion. With few
// sessions it may be as much as what lives, and collecting is rare; of a million
// sessions it would be most of a gigabyte.
type room struct {
	percent int // set last; 0: the environment's GOGC decides
}

func newRoom() *room {
	if os.Getenv("GOGC") != "" {
		return &room{}
	}
	return &room{percent: 100}
}

// adjust sets the room after what lives.
func (r *room) adjust() {
	if r.percent == 0 {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	if metrics.Read(live); live[0].Value.Kind() != metrics.KindUint64 {
		return
	}
	if p := roomFor(live[0].Value.Uint64()); p != r.percent {
		r.percent = p
		debug.SetGCPercent(p)
	}
}

// roomFor returns the room in percent of what lives, in bytes: all of it up to
// 128 MiB, a quarter from 512 MiB on, in steps.
func roomFor(live uint64) int {
	switch mib := live >> 20; {
	case mib < 128:
		return 100
	case mib < 256:
		return 75
	case mib < 512:
		return 50
	}
	return 25
}
