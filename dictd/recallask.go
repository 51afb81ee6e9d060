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
func (d *Daemon) recallLate(looks []*look) (int, error) {
	if len(looks) == 0 {
		return 0, nil
	}
	offload.Settle()
	d.recall.mu.Lock()
	defer d.recall.mu.Unlock()
	n, err := d.recallThose(looks...)
	if err != nil {
		d.recall.again(looks...)
	}
	return n, err
}

// maxLate is how many looks wait to be done once more; where that cannot be done there is
// one for all in their place.
const maxLate = 64

// again has looks done once more, when the recall is roused.
func (r *recall) again(looks ...*look) {
	r.asking.Lock()
	defer r.asking.Unlock()
	if r.late = append(r.late, looks...); len(r.late) > maxLate {
		r.late = []*look{newLook(offload.NewAffected(nil, offload.Whom{Kind: offload.All}))}
	}
}

// maxAsked is how many names wait; where there are more, all connections are meant.
const maxAsked = 1 << 16

// ask notes what is asked for.
func (r *recall) ask(whom []offload.Whom) {
	r.asking.Lock()
	defer r.asking.Unlock()
	for _, w := range whom {
		r.asked[w] = struct{}{}
	}
	if len(r.asked) > maxAsked {
		r.askAll()
	}
}

// askAll notes all connections in place of what is noted. The asking is locked.
func (r *recall) askAll() {
	r.asked = map[offload.Whom]struct{}{{Kind: offload.All}: {}}
	r.named = make(map[string]struct{})
}

// takeLate returns the looks that are to be done once more, and forgets them.
func (r *recall) takeLate() []*look {
	r.asking.Lock()
	defer r.asking.Unlock()
	late := r.late
	r.late = nil
	return late
}

// takeAsked returns what is asked for, and forgets it.
func (r *recall) takeAsked() []offload.Whom {
	r.asking.Lock()
	defer r.asking.Unlock()
	asked := r.asked
	r.asked = make(map[offload.Whom]struct{})
	return slices.Collect(maps.Keys(asked))
}

// Recalls that somebody asks for again and again, as by taking on other stations' addresses
// all the time, take half of a processor; recallCredit is what can be saved for those that
// come seldom, which never wait, nor do those behind one that takes long.
const (
	recallShare  = 2
	recallCredit = 2 * time.Second
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

// runRecall takes back what is asked for until ctx ends. What is looked at once more does
// not rest.
func (d *Daemon) runRecall(ctx context.Context) error {
	charging := make(chan struct{})
	defer func() { <-charging }()
	go func() {
		defer close(charging)
		d.chargeMoved(ctx)
	}()
	r := &d.recall
	told := ""
	var timer <-chan time.Time
	effort, rests := effort{recallCredit, time.Now()}, time.Time{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.wake:
		case <-timer:
		}
		begin := time.Now()
		var errs []error
		late, rested := r.takeLate(), rests.Before(begin)
		var whom []offload.Whom
		if rested {
			whom = r.takeAsked()
		}
		if len(whom) > 0 {
			if _, err := d.recallSoon(whom); err != nil {
				r.ask(whom)
				errs = append(errs, err)
			}
		}
		if _, err := d.recallLate(late); err != nil {
			errs = append(errs, err)
		}
		if rested && len(whom) == 0 {
			errs = append(errs, d.recallNamed())
		}
		end, next := time.Now(), time.Duration(0)
		if rest := effort.spent(begin, end); rest > 0 {
			rests, next = end.Add(rest), rest
		}
		err := errors.Join(errs...)
		text := ""
		if err != nil {
			text, next = err.Error(), max(next, recallAgain)
		}
		if text != told && text != "" {
			d.o.Log.Error("connections stay in a flowtable that should not, it is tried again", "err", err)
		}
		if told, timer = text, nil; next > 0 || end.Before(rests) {
			timer = time.After(max(next, rests.Sub(end)))
		}
	}
}

// chargeMoved has charged what connections moved in a flowtable that are back, before the
// rules charge the rest.
func (d *Daemon) chargeMoved(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.recall.moved:
		}
		if d.account.Ledger == nil {
			continue
		}
		if err := d.account.Poll(); err != nil {
			d.o.Log.Error("what moved in a flowtable is not charged yet", "err", err)
		}
	}
}
