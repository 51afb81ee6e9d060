// SPDX-License-Identifier: MIT

package quota

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"nftdict/dictd/quota/plan"
)

// state is the file of what survives a restart; without a path, the memory of
// this process.
type state struct {
	db      *bbolt.DB // nil: nothing is kept
	history map[id][]Past
	broken  error // why a file of before is not used
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
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("quota state: %w", err)
	}
	path := filepath.Join(dir, "quota.db")
	options := &bbolt.Options{Timeout: lockPatience}
	db, err := bbolt.Open(path, 0o600, options)
	if err != nil && !errors.Is(err, bolterrors.ErrTimeout) {
		// Quotas go on: rows are the truth, and what is not there begins anew. Nothing
		// is lost that somebody may want to look at.
		s.broken = fmt.Errorf("quota state %s: %w: kept as quota.db.broken", path, err)
		if err = os.Rename(path, path+".broken"); err == nil {
			db, err = bbolt.Open(path, 0o600, options)
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

// save writes records and periods that are over, and forgets budgets, in one
// transaction; it is on the disk when save returns.
func (s *state) save(records map[id]record, over []past, gone []id) error {
	if s.db == nil {
		for _, p := range over {
			list := s.history[p.id]
			if n := len(list); n > 0 && list[n-1].Start.Equal(p.Start) { // it was told before
				list = list[:n-1]
			}
			list = append(list, p.Past)
			s.history[p.id] = list[max(0, len(list)-maxHistory):]
		}
		return nil
	}
	return s.db.Update(func(tx *bbolt.Tx) error {
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
		for _, i := range gone {
			if err := budgets.Delete(i.name()); err != nil {
				return err
			}
		}
		for _, p := range over {
			if err := remember(history, p); err != nil {
				return err
			}
		}
		if len(over) == 0 {
			return nil
		}
		return age(history, over[len(over)-1].End.Add(-keepHistory))
	})
}

// keepHistory is how long the history of a budget is kept that has got no period
// since: hosts come and go.
const keepHistory = 400 * 24 * time.Hour

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
