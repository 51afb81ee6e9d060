// SPDX-License-Identifier: MIT

package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"

	"nftdict/dictd/boltfile"
)

// State is the file of what survives a restart: the periods that are over, and a
// journal of the hour under way and of what is billed of living connections.
type State struct {
	path string
	boot string
	db   *boltfile.File

	next  uint64 // number of the next write of the journal
	size  int    // bytes of the journal
	whole int    // of these, of its first write, which has all
}

var (
	bucketMeta    = []byte("meta")
	bucketJournal = []byte("journal")
	bucketHours   = []byte("hours")
	bucketDays    = []byte("days")
	keyBoot       = []byte("boot")
)

// How many periods are kept, of those in which something moved: their number
// decides and not their age, which a clock that is wrong for a while would make any.
const (
	keepHours = 8 * 24
	keepDays  = 400
)

// lockPatience is how long another daemon's end is waited for.
const lockPatience = 2 * time.Second

// OpenState opens the file ledger.db in a directory, which is made if need be. An error
// may be boltfile.ErrInUse, or one that IsBroken.
func OpenState(dir string) (*State, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	s := &State{path: filepath.Join(dir, "ledger.db"), boot: string(boot)}
	s.db, err = boltfile.Open(s.path, bbolt.Options{Timeout: lockPatience, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return nil, fmt.Errorf("ledger %s: %w", s.path, err)
	}
	err = s.db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{bucketMeta, bucketJournal, bucketHours, bucketDays} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("ledger %s: %w", s.path, err), s.db.Close())
	}
	return s, nil
}

// Close closes the file.
func (s *State) Close() error { return s.db.Close() }

// load returns what the journal says: hours by when they began, with their cells,
// and the connections. same says that it was written since the machine started.
func (s *State) load() (hours map[int64]cells, conns map[goneKey]*conn, same bool, err error) {
	hours, conns = make(map[int64]cells), make(map[goneKey]*conn)
	err = s.db.View(func(tx *bbolt.Tx) error {
		same = string(tx.Bucket(bucketMeta).Get(keyBoot)) == s.boot
		return tx.Bucket(bucketJournal).ForEach(func(k, v []byte) error {
			one, err := decode(v)
			if err != nil || len(k) != 8 {
				return errors.Join(err, errCorrupt)
			}
			s.next = binary.BigEndian.Uint64(k) + 1
			all := hours[one.hour.Unix()]
			if all == nil {
				all = make(cells)
				hours[one.hour.Unix()] = all
			}
			for _, c := range one.cells {
				all[c.key] = c
			}
			for _, c := range one.conns {
				k := goneKey{c.id, c.zone, c.orig, c.start}
				if conns[k] = c; c.over {
					delete(conns, k)
				}
			}
			return nil
		})
	})
	if err != nil {
		err = fmt.Errorf("ledger %s: %w", s.path, err)
	}
	return hours, conns, same, err
}

// write is a transaction: a part of the journal, all of it if whole, and periods
// that are over.
type write struct {
	part  []byte
	whole bool
	over  []closed
}

// wantsWhole reports whether the journal has grown so long that it is time to begin
// it anew.
func (s *State) wantsWhole() bool { return s.size > 3*s.whole+1<<20 }

// save puts a write on the disk.
func (s *State) save(w *write) error {
	err := s.db.Update(func(tx *bbolt.Tx) error {
		journal := tx.Bucket(bucketJournal)
		if w.whole {
			if err := tx.DeleteBucket(bucketJournal); err != nil {
				return err
			}
			var err error
			if journal, err = tx.CreateBucket(bucketJournal); err != nil {
				return err
			}
			if err := tx.Bucket(bucketMeta).Put(keyBoot, []byte(s.boot)); err != nil {
				return err
			}
		}
		if err := journal.Put(binary.BigEndian.AppendUint64(nil, s.next), w.part); err != nil {
			return err
		}
		for _, h := range w.over {
			if err := file(tx, h); err != nil {
				return err
			}
		}
		if len(w.over) == 0 {
			return nil
		}
		return errors.Join(age(tx.Bucket(bucketHours), keepHours), age(tx.Bucket(bucketDays), keepDays))
	})
	if err != nil {
		return fmt.Errorf("ledger %s: %w", s.path, err)
	}
	s.next++
	if w.whole {
		s.size, s.whole = 0, len(w.part)
	}
	s.size += len(w.part)
	return nil
}

// file puts an hour among those that are over, and into its day.
func file(tx *bbolt.Tx, h closed) error {
	for _, p := range []struct {
		bucket []byte
		start  time.Time
	}{{bucketHours, h.start}, {bucketDays, dayOf(h.start)}} {
		b, key := tx.Bucket(p.bucket), periodKey(p.start)
		all := h.cells
		if before := b.Get(key); before != nil {
			sum, err := decodeCells(before)
			if err != nil {
				sum = make(cells) // what cannot be read must not stop the rest
			}
			sum.merge(h.cells)
			all = sum
		}
		if err := b.Put(key, encodeCells(all)); err != nil {
			return err
		}
	}
	return nil
}

// periodKey orders periods by their beginning.
func periodKey(t time.Time) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(t.Unix()))
}

// age deletes all periods but so many, the last ones.
func age(b *bbolt.Bucket, keep int) error {
	c := b.Cursor()
	oldest, _ := c.Last()
	for range keep - 1 {
		if oldest == nil {
			return nil
		}
		oldest, _ = c.Prev()
	}
	first := string(oldest)
	for k, _ := c.First(); k != nil && string(k) < first; k, _ = c.First() {
		if err := c.Delete(); err != nil {
			return err
		}
	}
	return nil
}
