// SPDX-License-Identifier: MIT

package offload

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"nftdict/dict"
)

type recaller func([]uint32) ([]uint32, error)

func (r recaller) Recall(ids []uint32) ([]uint32, error) { return r(ids) }

func TestRecallers(t *testing.T) {
	broken := errors.New("broken")
	odd := recaller(func(ids []uint32) (missing []uint32, err error) {
		return slices.DeleteFunc(slices.Clone(ids), func(id uint32) bool { return id%2 == 0 }), nil
	})
	absent := recaller(func(ids []uint32) ([]uint32, error) { return ids, fmt.Errorf("too old: %w", dict.ErrNotSupported) })
	fails := recaller(func(ids []uint32) ([]uint32, error) { return ids, broken })
	all := recaller(func([]uint32) ([]uint32, error) { return nil, nil })
	for name, c := range map[string]struct {
		ways Recallers
		left []uint32
		err  error
	}{
		"none":            {nil, []uint32{1, 2, 3}, nil},
		"the first":       {Recallers{all, fails}, nil, nil},
		"what it leaves":  {Recallers{odd, all}, nil, nil},
		"left":            {Recallers{odd}, []uint32{1, 3}, nil},
		"too old":         {Recallers{absent, odd}, []uint32{1, 3}, nil},
		"after a failure": {Recallers{fails, all}, nil, broken},
	} {
		left, err := c.ways.Recall([]uint32{1, 2, 3})
		if !slices.Equal(left, c.left) || !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
			t.Errorf("%s: %v, %v, want %v, %v", name, left, err, c.left, c.err)
		}
	}
}
