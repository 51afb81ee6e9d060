// SPDX-License-Identifier: MIT

package dicttest

import (
	"errors"
	"fmt"
	"testing"

	"nftdict/dict"
)

// twins returns the schema of rows whose cells always say the same.
func twins() dict.Table {
	return dict.Table{Name: "twins", Key: dict.KeyInt, Limit: 1000, Fields: []dict.Field{
		{Name: "a", Type: dict.Int64}, {Name: "s", Type: dict.String}, {Name: "b", Type: dict.Int64}, {Name: "t", Type: dict.String}, {Name: "c", Type: dict.Int64},
	}}
}

// twin returns a row of twins that says n.
func twin(k uint32, n int64) dict.Row {
	text := str(fmt.Sprintf("%0100d", n))
	return row(dict.IntKey(k), "a", num(n), "s", text, "b", num(n), "t", text, "c", num(n))
}

// checkTwin returns an error unless the row is one that twin made.
func checkTwin(r dict.Row) error {
	a, _ := r.Get("a")
	want := twin(r.Key.Uint32(), a.Int64())
	whole := len(r.Cells) == len(want.Cells)
	for i := 0; whole && i < len(r.Cells); i++ {
		whole = r.Cells[i] == want.Cells[i]
	}
	if !whole {
		return fmt.Errorf("row %s is not whole: %v", r.Key.Text(), r.Cells)
	}
	return nil
}

// readTwins reads all twins until stop is closed; each must be whole.
func readTwins(t testing.TB, s dict.Store, keys uint32, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		for k := range keys {
			r, err := s.Get("twins", dict.IntKey(k))
			if errors.Is(err, dict.ErrNotExist) {
				continue
			}
			if err == nil {
				err = checkTwin(r)
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
		for r, err := range s.Rows("twins") {
			if err == nil {
				err = checkTwin(r)
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	}
}
