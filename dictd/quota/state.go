// SPDX-License-Identifier: MIT

package quota

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"

	"nftdict/dictd/boltfile"
	"nftdict/dictd/quota/plan"
)

// state is the file of what survives a restart; without a path, the memory of
// this process.
type state struct {
	db      *boltfile.File // nil: nothing is kept
	history map[id][]Past
	broken  error     // why a file of before is not used
	aged    time.Time // when history was looked through for what is old
}

// Buckets of the file: budgets, by id; history, by id and start.
var (
	bucketBudgets = []byte("budgets")
	bucketHistory = []byte("history")
)

// maxHistory is how many periods of a budget are kept.
const maxHistory = 370

// lockPatience is how long another process may have the file.
const lockPatience = time.Second

// Past is a period that is over, of a budget.
type Past struct {
	Plan     string     `json:"plan"`
	Unit     string     `json:"unit"`
	Start    time.Time  `json:"start"`
	End      time.Time  `json:"end"`
	Size     int64      `json:"size"`
	Used     int64      `json:"used"`
	Exceeded *time.Time `json:"exceeded,omitempty"`
}

// openState opens the file of a directory, or makes it; "" keeps all in memory.
func openState(dir string) (*state, error) {
	s := &state{history: make(map[id][]Past)}
	if dir == "" {
		return s, nil
	}
	path := filepath.Join(dir, "quota.db")
	options := bbolt.Options{Timeout: lockPatience}
	db, err := boltfile.Open(path, options)
	if errors.Is(err, boltfile.ErrDamaged) {
		// Quotas go on: rows are the truth, and what is not there begins anew. Nothing
		// is lost that somebody may want to look at.
		s.broken = fmt.Errorf("quota state %s: %w: kept as quota.db.broken", path, err)
		if err = boltfile.SetAside(path); err == nil {
			db, err = boltfile.Open(path, options)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("quota state %s: %w", path, err)
	}
	s.db = db
	return s, nil
}

func (s *state) close() error {
	if s.db == nil {
		return nil
	}
	return s.db.Close()
}

// name is the id in the file: kind, fields, subject, with NUL between, which no
// name has.
func (i id) name() []byte {
	return fmt.Appendf(nil, "%s\x00%s\x00%s", i.subject.Kind, i.fields, i.subject.Name)
}

func parseID(name []byte) (i id, err error) {
	var parts [3]string
	n := 0
	for _, c := range name {
		if c == 0 && n < 2 {
			n++
			continue
		}
		parts[n] += string([]byte{c})
	}
	kind, err := plan.ParseKind(parts[0])
	if err != nil || n != 2 {
		return id{}, fmt.Errorf("budget %q: not sound", name)
	}
	i.subject, err = plan.ParseSubject(kind, parts[2])
	i.fields = parts[1]
	return i, err
}

// read returns the records. What is not sound is left out, and told.
func (s *state) read() (map[id]record, error) {
	all := make(map[id]record)
	if s.db == nil {
		return all, nil
	}
	var errs []error
	err := s.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketBudgets)
		if b == nil {
			return nil
		}
		return b.ForEach(func(k, v []byte) error {
			i, err := parseID(k)
			var r record
			if err == nil {
				err = json.Unmarshal(v, &r)
			}
			if err != nil {
				errs = append(errs, err)
				return nil
			}
			all[i] = r
			return nil
		})
	})
	return all, errors.Join(append(errs, err, s.broken)...)
}

// past is a period to be remembered.
type past struct {
	id id
	Past
}

// save writes records and periods that are over, and forgets budgets, where true with
// their history, in one transaction; it is on the disk when save returns.
func (s *state) save(records map[id]record, over []past, gone map[id]bool) error {
	if s.db == nil {
		for _, p := range over {
			list := s.history[p.id]
			if n := len(list); n > 0 && list[n-1].Start.Equal(p.Start) { // it was told before
				list = list[:n-1]
			}
			list = append(list, p.Past)
			s.history[p.id] = list[max(0, len(list)-maxHistory):]
		}
		for i, whole := range gone {
			if whole {
				delete(s.history, i)
			}
		}
		if now := latestOf(over); s.old(now) {
			s.aged = now
			maps.DeleteFunc(s.history, func(_ id, list []Past) bool { return list[len(list)-1].End.Before(now.Add(-keepHistory)) })
		}
		return nil
	}
	err := s.db.Update(func(tx *bbolt.Tx) error { return s.write(tx, records, over, gone) })
	if now := latestOf(over); err == nil && s.old(now) {
		s.aged = now
	}
	return err
}

func (s *state) write(tx *bbolt.Tx, records map[id]record, over []past, gone map[id]bool) error {
	budgets, err := tx.CreateBucketIfNotExists(bucketBudgets)
	if err != nil {
		return err
	}
	history, err := tx.CreateBucketIfNotExists(bucketHistory)
	if err != nil {
		return err
	}
	for i, r := range records {
		text, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if err := budgets.Put(i.name(), text); err != nil {
			return err
		}
	}
	for i, whole := range gone {
		err := budgets.Delete(i.name())
		if err == nil && whole && history.Bucket(i.name()) != nil {
			err = history.DeleteBucket(i.name())
		}
		if err != nil {
			return err
		}
	}
	for _, p := range over {
		if err := remember(history, p); err != nil {
			return err
		}
	}
	if now := latestOf(over); s.old(now) {
		return age(history, now.Add(-keepHistory))
	}
	return nil
}
