// SPDX-License-Identifier: MIT

package nftext

import "nftdict/dict"

// suggest returns `, is "application" meant?` for a name that is close to one
// of the table's, else "".
func suggest(t *dict.Table, name string) string {
	best, text := 3, "" // more edits than two are another word
	for _, f := range t.Fields {
		for _, n := range append([]string{f.Name}, f.Aliases...) {
			if d := distance(dict.Name(name), n); d < best {
				best, text = d, ", is "+dict.Quote(n)+" meant?"
			}
		}
	}
	return text
}

// distance is the number of bytes to insert, delete or replace to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost = 1 + min(last, row[j], row[j+1])
			}
			last, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
