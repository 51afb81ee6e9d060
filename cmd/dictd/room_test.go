// SPDX-License-Identifier: MIT

package main

import (
	"runtime/debug"
	"testing"
)

func TestRoom(t *testing.T) {
	for live, want := range map[uint64]int{0: 100, 100 << 20: 100, 200 << 20: 75, 300 << 20: 50, 700 << 20: 25} {
		if got := roomFor(live); got != want {
			t.Errorf("%d bytes: %d%%, want %d%%", live, got, want)
		}
	}
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	t.Setenv("GOGC", "")
	r := newRoom()
	r.percent = 25
	if r.adjust(); r.percent != 100 || debug.SetGCPercent(100) != 100 {
		t.Errorf("set to %d%%", r.percent)
	}
	t.Setenv("GOGC", "300")
	r = newRoom()
	if r.adjust(); r.percent != 0 {
		t.Error("GOGC of the environment is not left alone")
	}
}
