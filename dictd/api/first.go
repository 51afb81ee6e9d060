// SPDX-License-Identifier: MIT

package api

import "slices"

// first keeps the first n of many in an order, and no more than twice as many.
type first[T any] struct {
	n     int
	order func(a, b T) int
	all   []T
}

func (f *first[T]) add(one *T) {
	if f.all = append(f.all, *one); len(f.all) >= 2*f.n+64 {
		f.list()
	}
}

// list returns them in their order.
func (f *first[T]) list() []T {
	slices.SortFunc(f.all, f.order)
	if len(f.all) > f.n {
		clear(f.all[f.n:]) // what they hold can go
		f.all = f.all[:f.n]
	}
	return f.all
}
