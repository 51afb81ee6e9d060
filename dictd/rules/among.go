// SPDX-License-Identifier: MIT

package rules

import (
	"strings"

	"nftdict/dict"
	"nftdict/nftext"
)

// Among returns dict terms, one of which holds where a field, written with what
// comes before it in a term, is among some values: as many as their length needs.
func Among(field string, values []string) (terms []string) {
	const most = nftext.MaxText - 80 // leaves room for other spellings
	for len(values) > 0 {
		length, n := len(field), 0
		for n < len(values) && n < nftext.MaxItems {
			if length += len(dict.MustString(values[n]).Text()) + 2; length > most && n > 0 {
				break
			}
			n++
		}
		texts := make([]string, n)
		for i, v := range values[:n] {
			texts[i] = dict.MustString(v).Text()
		}
		if n == 1 {
			terms = append(terms, field+" "+texts[0])
		} else {
			terms = append(terms, field+" { "+strings.Join(texts, ", ")+" }")
		}
		values = values[n:]
	}
	return terms
}
