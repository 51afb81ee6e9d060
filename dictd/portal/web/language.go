// SPDX-License-Identifier: MIT

package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// maxAccept is how much of an Accept-Language is looked at.
const maxAccept = 256

// choose returns the language of a page: the one that was asked for by a link, now
// or earlier, else what the browser likes best of those that there are.
func choose(r *http.Request, have []string) string {
	for _, asked := range []string{r.URL.Query().Get("lang"), cookie(r, cookieLanguage)} {
		if slices.Contains(have, asked) {
			return asked
		}
	}
	return accepted(r.Header.Get("Accept-Language"), have)
}

// accepted returns which of some languages an Accept-Language prefers, the first if
// it names none. A region is looked at only where there is a text for it: who wants
// de-AT gets de. The library for that knows all languages of the world and how near
// they are to each other; the portal has a handful that have nothing in common.
func accepted(header string, have []string) string {
	best, bestQ := have[0], 0.0
	for part := range strings.SplitSeq(header[:min(len(header), maxAccept)], ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(v, 64); err != nil || !(q >= 0 && q <= 1) {
				continue
			}
		}
		for tag = strings.ToLower(tag); tag != ""; tag = tag[:max(strings.LastIndexByte(tag, '-'), 0)] {
			if i := slices.IndexFunc(have, func(h string) bool { return strings.EqualFold(h, tag) }); i >= 0 {
				if q > bestQ {
					best, bestQ = have[i], q
				}
				break
			}
		}
	}
	return best
}
