// SPDX-License-Identifier: MIT

package quota

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"

	"go.etcd.io/bbolt"
)

// keepHistory is how long the history of a budget is kept that has got no period
// since: hosts come and go.
const keepHistory = 400 * 24 * time.Hour

// ageEvery is how often all of it is looked through.
const ageEvery = 24 * time.Hour

// latestOf returns when the last of some periods ended, zero if there are none.
func latestOf(over []past) (end time.Time) {
	if len(over) > 0 {
		end = over[len(over)-1].End
	}
	return end
}

// old reports whether history is to be looked through.
func (s *state) old(now time.Time) bool {
	since := now.Sub(s.aged)
	return !now.IsZero() && (since >= ageEvery || since < 0)
}

// age forgets the budgets whose last period ended before t.
func age(history *bbolt.Bucket, t time.Time) error {
	var old [][]byte
	err := history.ForEachBucket(func(name []byte) error {
		_, text := history.Bucket(name).Cursor().Last()
		var last Past
		if err := json.Unmarshal(text, &last); err != nil || last.End.Before(t) {
			old = append(old, bytes.Clone(name))
		}
		return nil
	})
	for _, name := range old {
		err = errors.Join(err, history.DeleteBucket(name))
	}
	return err
}

// remember writes a period, and forgets the oldest beyond the bound.
func remember(history *bbolt.Bucket, p past) error {
	of, err := history.CreateBucketIfNotExists(p.id.name())
	if err != nil {
		return err
	}
	text, err := json.Marshal(p.Past)
	if err != nil {
		return err
	}
	if err := of.Put(binary.BigEndian.AppendUint64(nil, uint64(p.Start.Unix())), text); err != nil {
		return err
	}
	c := of.Cursor()
	for extra := of.Stats().KeyN + 1 - maxHistory; extra > 0; extra-- {
		if k, _ := c.First(); k == nil {
			break
		}
		if err := c.Delete(); err != nil {
			return err
		}
	}
	return nil
}

// past returns the periods of a budget that are over, the oldest first.
func (s *state) past(i id) (list []Past, err error) {
	if s.db == nil {
		return append(list, s.history[i]...), nil
	}
	err = s.db.View(func(tx *bbolt.Tx) error {
		history := tx.Bucket(bucketHistory)
		if history == nil {
			return nil
		}
		of := history.Bucket(i.name())
		if of == nil {
			return nil
		}
		return of.ForEach(func(_, v []byte) error {
			var p Past
			if err := json.Unmarshal(v, &p); err != nil {
				return err
			}
			list = append(list, p)
			return nil
		})
	})
	return list, err
}
