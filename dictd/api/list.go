// SPDX-License-Identifier: MIT

package api

import (
	"bufio"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// stallTimeout is how long an answer that is written piece by piece waits for a
// client that does not read.
const stallTimeout = 30 * time.Second

// patient is the answer to a client that may be slow, but must read.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
}

// patience returns w with a deadline that each Write puts off.
func patience(w http.ResponseWriter) *patient { return &patient{w, http.NewResponseController(w)} }

// Write implements io.Writer.
func (p *patient) Write(b []byte) (int, error) {
	// Where there is no deadline to put off, none cuts the answer short.
	_ = p.control.SetWriteDeadline(time.Now().Add(stallTimeout))
	return p.ResponseWriter.Write(b)
}

// array writes a JSON array, one element after the other: there may be many.
type array struct {
	out *bufio.Writer
	enc *json.Encoder
	n   int
}

func newArray(w http.ResponseWriter) *array {
	w.Header().Set("Content-Type", "application/json")
	out := bufio.NewWriterSize(patience(w), 32<<10)
	out.WriteByte('[')
	return &array{out: out, enc: json.NewEncoder(out)}
}

// add writes an element; false if the client is gone.
func (a *array) add(v any) bool {
	if a.n++; a.n > 1 {
		a.out.WriteByte(',')
	}
	return a.enc.Encode(v) == nil
}

// end writes what is left. A client that is gone does not matter.
func (a *array) end() {
	a.out.WriteString("]\n")
	_ = a.out.Flush()
}

// page is which part of a list is asked for.
type page struct {
	after string // the key of the last element of the page before; "" from the first on
	limit int    // most; -1 for all
}

// parsePage reads the parameters of a list: limit, after, and those that are named
// too. It refuses all others: one that is misspelt must not mean everything.
func parsePage(w http.ResponseWriter, r *http.Request, names ...string) (url.Values, page, bool) {
	query, ok := parseQuery(w, r, append(names, "limit", "after")...)
	p := page{after: query.Get("after"), limit: -1}
	if !ok {
		return nil, p, false
	}
	if text := query.Get("limit"); text != "" {
		n, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			refuse(w, http.StatusBadRequest, fmt.Sprintf("limit %q: invalid", text), "give a number")
			return nil, p, false
		}
		p.limit = int(n)
	}
	return query, p, true
}

// parseQuery reads the parameters of a request, and refuses others than those that
// are named.
func parseQuery(w http.ResponseWriter, r *http.Request, names ...string) (url.Values, bool) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		refuse(w, http.StatusBadRequest, "query: "+err.Error(), "escape it as in URLs")
		return nil, false
	}
	for name := range query {
		if !slices.Contains(names, name) {
			remedy := "leave it out"
			if len(names) > 0 {
				remedy = "there are " + strings.Join(names, ", ")
			}
			refuse(w, http.StatusBadRequest, fmt.Sprintf("parameter %q: unknown", name), remedy)
			return nil, false
		}
	}
	return query, true
}

// answerPage writes the part of a sorted list that is asked for. list returns the
// elements that come after a key, all of them after "".
func answerPage[T any](w http.ResponseWriter, r *http.Request, list func(after string) (iter.Seq[T], error)) {
	_, p, ok := parsePage(w, r)
	if !ok {
		return
	}
	all, err := list(p.after)
	if err != nil {
		refuse(w, http.StatusBadRequest, "after: "+err.Error(), "give what names the last of the page before")
		return
	}
	out := newArray(w)
	defer out.end()
	for one := range all {
		if out.n == p.limit || !out.add(one) {
			return
		}
	}
}

// filtered returns the elements of a list for which a function returns true.
func filtered[T any](all []T, wants func(T) bool) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, one := range all {
			if wants(one) && !yield(one) {
				return
			}
		}
	}
}
