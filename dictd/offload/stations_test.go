// SPDX-License-Identifier: MIT

package offload

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// stationsRun are Stations that run, with what they have asked for.
type stationsRun struct {
	*Stations
	mu       sync.Mutex
	recalled []string
	renewed  int
}

func (r *stationsRun) take() (recalled []string, renewed int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	recalled, renewed = r.recalled, r.renewed
	r.recalled, r.renewed = nil, 0
	return recalled, renewed
}

func runStations(t *testing.T) *stationsRun {
	r := &stationsRun{}
	r.Stations = NewStations(StationsConfig{
		Known: func(mac [6]byte) bool { return mac[0] == 2 },
		Recall: func(whom ...Whom) {
			r.mu.Lock()
			defer r.mu.Unlock()
			for _, w := range whom {
				r.recalled = append(r.recalled, w.String())
			}
		},
		Renew: func() { r.mu.Lock(); defer r.mu.Unlock(); r.renewed++ },
	})
	done := make(chan error, 1)
	go func() { done <- r.Run(t.Context()) }()
	t.Cleanup(func() {
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return r
}

// Whoever moves is taken back at once, and less and less often where he does not cease
// to; others do not wait for him. Of whom nothing is known, or where many move, all are
// asked about.
func TestStations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runStations(t)
		r.Moved([][6]byte{{2, 1}, {2, 2}}, false)
		time.Sleep(2 * atOnce)
		recalled, renewed := r.take()
		slices.Sort(recalled)
		if want := []string{"device 02:01:00:00:00:00", "device 02:02:00:00:00:00"}; !slices.Equal(recalled, want) || renewed != 0 {
			t.Errorf("%v, %d", recalled, renewed)
		}
		for range 1000 { // 100 s
			r.Moved([][6]byte{{2, 1}}, false)
			time.Sleep(100 * time.Millisecond)
		}
		if recalled, _ := r.take(); len(recalled) < 5 || len(recalled) > 8 {
			t.Errorf("who moves all the time is taken back %d times", len(recalled))
		}
		r.Moved([][6]byte{{2, 1}, {2, 2}}, false)
		time.Sleep(2 * atOnce)
		if recalled, _ := r.take(); !slices.Equal(recalled, []string{"device 02:02:00:00:00:00"}) {
			t.Errorf("%v", recalled)
		}
		r.Moved([][6]byte{{4, 1}}, false)
		r.Moved(nil, true)
		time.Sleep(2 * atOnce)
		if recalled, renewed := r.take(); len(recalled) != 0 || renewed == 0 {
			t.Errorf("of unknown ones %v, %d", recalled, renewed)
		}
		storm := func() (n int, renewed int) {
			for i := range 4 * fewStations {
				r.Moved([][6]byte{{2, 9, byte(i >> 8), byte(i)}}, false)
			}
			time.Sleep(2 * atOnce)
			recalled, renewed := r.take()
			return len(recalled), renewed
		}
		if n, renewed := storm(); n > fewStations || n < fewStations-2 || renewed == 0 {
			t.Errorf("in a storm %d, %d", n, renewed)
		}
		time.Sleep(3 * most)
		r.take()
		if n, _ := storm(); n < fewStations-2 {
			t.Errorf("after a storm %d", n)
		}
	})
}
