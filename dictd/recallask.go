// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"nftdict/dictd/offload"
)

// AskRecall has connections taken back soon, and does not wait for it.
func (d *Daemon) AskRecall(whom ...offload.Whom) {
	d.recall.ask(whom)
	d.recall.rouse()
}

// rouse has runRecall look what there is to do.
func (r *recall) rouse() { rouse(r.wake) }

// rouse wakes who waits for it, now or the next time.
func rouse(wake chan<- struct{}) {
	select {
	case wake <- struct{}{}:
	default: // it is awake
	}
}

// recallLate takes back what a packet that was at rules when the rows were written has put
// into a flowtable behind a look.
func (d *Daemon) recallLate(looks []look) (int, error) {
	if len(looks) == 0 {
		return 0, nil
	}
	offload.Settle()
	d.recall.mu.Lock()
	defer d.recall.mu.Unlock()
	return d.recallThose(looks...)
}

// ask notes what is asked for.
func (r *recall) ask(whom []offload.Whom) {
	r.asking.Lock()
	defer r.asking.Unlock()
	for _, w := range whom {
		r.asked[w] = struct{}{}
	}
}

// Recalls that somebody asks for again and again, as by taking on other stations' addresses
// all the time, take half of a processor; recallCredit is what can be saved for those that
// come seldom, which never wait.
const (
	recallShare  = 2
	recallCredit = 300 * time.Millisecond
)

// effort is the time that work may take, which grows with time.
type effort struct {
	credit time.Duration
	at     time.Time // when it was that much
}

// spent takes off what was taken from begin to end, and returns how long to rest.
func (e *effort) spent(begin, end time.Time) time.Duration {
	e.credit = min(e.credit+end.Sub(e.at)/recallShare, recallCredit) - end.Sub(begin)
	e.at = end
	return max(0, -e.credit*recallShare)
}

// recallAgain is the time after which a recall that failed is tried again.
const recallAgain = time.Second

// runRecall takes back what is asked for until ctx ends.
func (d *Daemon) runRecall(ctx context.Context) error {
	r := &d.recall
	told := ""
	var again <-chan time.Time
	effort := effort{at: time.Now()}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.wake:
		case <-again:
		}
		begin := time.Now()
		r.asking.Lock()
		asked := r.asked
		late := r.late
		r.asked, r.late = make(map[offload.Whom]struct{}), nil
		r.asking.Unlock()
		whom := slices.Collect(maps.Keys(asked))
		var n int
		var err error
		if len(whom) > 0 {
			n, err = d.recallSoon(whom)
		}
		more, failed := d.recallLate(late)
		n, err = n+more, errors.Join(err, failed)
		again = nil
		if err != nil {
			if text := err.Error(); text != told {
				d.o.Log.Error("connections stay in a flowtable that should not, it is tried again", "err", err)
				told = text
			}
			r.ask(whom)
			r.asking.Lock()
			r.late = append(r.late, late...)
			r.asking.Unlock()
			again = time.After(recallAgain)
		} else {
			told = ""
		}
		if n > 0 && d.account.Ledger != nil {
			// What they moved up to now is charged before the rules charge the rest.
			if err := d.account.Poll(); err != nil {
				d.o.Log.Error("what moved in a flowtable is not charged yet", "err", err)
			}
		}
		if rest := effort.spent(begin, time.Now()); rest > 0 {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(rest):
			}
		}
	}
}
