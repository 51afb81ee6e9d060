// SPDX-License-Identifier: MIT

package boltfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

// options keep no list of free pages: the library then walks through the file in a
// goroutine of its own, where nobody can catch what it panics of.
var options = bbolt.Options{Timeout: 10 * time.Millisecond, NoFreelistSync: true}

// write makes a file with more pages than one, and a bucket in a bucket.
func write(t *testing.T, path string) {
	t.Helper()
	f, err := Open(path, options)
	if err != nil {
		t.Fatal(err)
	}
	err = f.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket([]byte("outer"))
		if err != nil {
			return err
		}
		if b, err = b.CreateBucket([]byte("inner")); err != nil {
			return err
		}
		for i := range 64 {
			if err := b.Put([]byte{byte(i)}, make([]byte, 1000)); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestDamage(t *testing.T) {
	page := os.Getpagesize()
	for what, damage := range map[string]func([]byte) []byte{
		"of another kind":   func([]byte) []byte { return []byte("no file of this kind at all") },
		"cut to its head":   func(b []byte) []byte { return b[:2*page] },
		"cut in the middle": func(b []byte) []byte { return b[:len(b)/2] },
		"heads overwritten": func(b []byte) []byte { clear(b[:2*page]); return b },
		"pages overwritten": func(b []byte) []byte {
			for i := 2 * page; i < len(b); i++ {
				b[i] = 0xff
			}
			return b
		},
		"pages of zeros": func(b []byte) []byte { clear(b[2*page:]); return b },
	} {
		path := filepath.Join(t.TempDir(), "state", "file.db")
		write(t, path)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, damage(b), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, options); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", what, err)
		}
		if err := SetAside(path); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		write(t, path)
		if _, err := os.Stat(path + ".broken"); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.db")
	f, err := Open(path, options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, options); !errors.Is(err, ErrInUse) {
		t.Errorf("a second opened: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	write(t, path)
}

// What cannot be opened now is not damaged, and stays.
func TestUnreadable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.db")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, options); err == nil || errors.Is(err, ErrDamaged) {
		t.Errorf("a directory: %v", err)
	}
}

// A panic within a transaction undoes it, and the file is as good as before.
func TestPanicWithin(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.db")
	f, err := Open(path, options)
	if err != nil {
		t.Fatal(err)
	}
	err = f.Update(func(tx *bbolt.Tx) error {
		if _, err := tx.CreateBucket([]byte("half")); err != nil {
			return err
		}
		panic("a page that is not sound")
	})
	if !errors.Is(err, ErrDamaged) {
		t.Errorf("a panic: %v", err)
	}
	err = f.View(func(tx *bbolt.Tx) error {
		if tx.Bucket([]byte("half")) != nil {
			return errors.New("half of it was done")
		}
		return nil
	})
	if err := errors.Join(err, f.Close()); err != nil {
		t.Error(err)
	}
}
