// SPDX-License-Identifier: MIT

package portal

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"

	"nftdict/dictd/boltfile"
)

// store is the file of what has to last. What a method writes is on the disk when it
// returns.
type store struct {
	db     *boltfile.File
	key    []byte // of the hashes of vouchers' codes
	broken error  // why a file of before is not used
	unread []error
}

// Buckets of the file.
var (
	bucketMeta     = []byte("meta")     // the key of vouchers, and numbers
	bucketSessions = []byte("sessions") // by id
	bucketEnded    = []byte("ended")    // by id: those whose end a Follower has still to be told
	bucketAccounts = []byte("accounts") // by name
	bucketBatches  = []byte("batches")  // by name
	bucketVouchers = []byte("vouchers") // by number
	bucketCodes    = []byte("codes")    // hash of a code to the number
)

var buckets = [][]byte{bucketMeta, bucketSessions, bucketEnded, bucketAccounts, bucketBatches, bucketVouchers, bucketCodes}

// lockPatience is how long another process may have the file.
const lockPatience = time.Second

// openStore opens the file of a directory, or makes it. One that is damaged is set
// aside: nobody is let in by what it said, and whoever needs none of it can come in.
func openStore(dir string) (*store, error) {
	if dir == "" {
		temporary, err := os.MkdirTemp("", "portal")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(temporary) // the open file needs no name
		dir = temporary
	}
	path := filepath.Join(dir, "portal.db")
	options := bbolt.Options{Timeout: lockPatience}
	s := &store{}
	var err error
	s.db, err = boltfile.Open(path, options)
	if errors.Is(err, boltfile.ErrDamaged) {
		s.broken = fmt.Errorf("state of the portal %s: %w: kept as portal.db.broken", path, err)
		if err = boltfile.SetAside(path); err == nil {
			s.db, err = boltfile.Open(path, options)
		}
	}
	if err == nil {
		if err = s.prepare(); err != nil {
			err = errors.Join(err, s.db.Close())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("state of the portal %s: %w", path, err)
	}
	return s, nil
}

// keyName is the key in bucketMeta of the key of vouchers.
var keyName = []byte("vouchers")

// prepare makes what every file has.
func (s *store) prepare() error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		for _, name := range buckets {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		meta := tx.Bucket(bucketMeta)
		if key := meta.Get(keyName); len(key) == 32 {
			s.key = append([]byte(nil), key...)
			return nil
		}
		s.key = make([]byte, 32)
		rand.Read(s.key)     // does not fail
		if s.broken != nil { // who is in goes on, and shares no volume with a voucher of his number
			if err := tx.Bucket(bucketVouchers).SetSequence(uint64(time.Now().Unix())); err != nil {
				return err
			}
		}
		return meta.Put(keyName, s.key)
	})
}

func (s *store) close() error { return s.db.Close() }

// put writes something as JSON.
func put(tx *bbolt.Tx, bucket []byte, key string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return tx.Bucket(bucket).Put([]byte(key), text)
}

// get reads something, and reports whether it is there.
func get(tx *bbolt.Tx, bucket []byte, key string, v any) (bool, error) {
	text := tx.Bucket(bucket).Get([]byte(key))
	if text == nil {
		return false, nil
	}
	return true, json.Unmarshal(text, v)
}

// each calls a function for all of a bucket, in the order of their keys.
func each[T any](tx *bbolt.Tx, bucket []byte, f func(key string, v *T) error) error {
	return tx.Bucket(bucket).ForEach(func(k, text []byte) error {
		v := new(T)
		if err := json.Unmarshal(text, v); err != nil {
			return fmt.Errorf("%s %q: %w", bucket, k, err)
		}
		return f(string(k), v)
	})
}

// sessions returns those that were in, and those whose end is still to be told. What is
// not sound is left out, and noted.
func (s *store) sessions() (in, ended []*session, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		for bucket, list := range map[string]*[]*session{string(bucketSessions): &in, string(bucketEnded): &ended} {
			err := tx.Bucket([]byte(bucket)).ForEach(func(k, text []byte) error {
				one := &session{}
				err := json.Unmarshal(text, one)
				if err == nil {
					err = one.sound()
				}
				if err != nil {
					s.unread = append(s.unread, fmt.Errorf("session %q: %w", k, err))
					return nil
				}
				*list = append(*list, one)
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return in, ended, err
}

// save writes sessions.
func (s *store) save(all ...*session) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		for _, one := range all {
			if err := put(tx, bucketSessions, one.ID, one); err != nil {
				return err
			}
		}
		return nil
	})
}

// end takes a session out; where told, its end is remembered until forget.
func (s *store) end(one *session, told bool) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		if told {
			if err := put(tx, bucketEnded, one.ID, one); err != nil {
				return err
			}
		}
		return tx.Bucket(bucketSessions).Delete([]byte(one.ID))
	})
}

// forget forgets an end.
func (s *store) forget(id string) error {
	return s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucketEnded).Delete([]byte(id)) })
}
