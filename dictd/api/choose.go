// SPDX-License-Identifier: MIT

package api

import (
	"cmp"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"nftdict/dict"
	"nftdict/dictd/session"
)

// totalHeader says of how many elements an answer is a part.
const totalHeader = "X-Total-Count"

// choice is which sessions are asked for, and in which order.
type choice struct {
	page
	skip        int
	application string
	user        string
	host        netip.Addr
	search      string // in small letters
	after       int64
	order       func(*Session) (text string, number int64) // nil: by their numbers
	sorted      bool
}

// SessionSorts returns what sessions can be sorted by. By what is text those come last
// of which it is not known.
func SessionSorts() []string {
	return []string{"number", "newest", "application", "category", "user", "client", "server", "name"}
}

// orders are how.
func orderOf(sort string) func(*Session) (string, int64) {
	address := func(a netip.Addr) string { b := a.As16(); return string(b[:]) }
	switch sort {
	case "newest":
		return func(s *Session) (string, int64) { return "", -s.SessionID }
	case "application":
		return func(s *Session) (string, int64) { return s.Application, s.SessionID }
	case "category":
		return func(s *Session) (string, int64) { return s.Category, s.SessionID }
	case "user":
		return func(s *Session) (string, int64) { return s.Username, s.SessionID }
	case "client":
		return func(s *Session) (string, int64) { return address(s.Client), s.SessionID }
	case "server":
		return func(s *Session) (string, int64) { return address(s.Server), s.SessionID }
	case "name":
		return func(s *Session) (string, int64) { return cmp.Or(s.SNI, s.Hint, s.ServerReverse), s.SessionID }
	}
	return nil
}

// parseChoice reads the parameters of a list of sessions.
func parseChoice(query url.Values, p page) (*choice, error) {
	c := &choice{page: p, application: query.Get("application"), user: query.Get("user"), search: strings.ToLower(query.Get("search")), after: -1}
	var err error
	if text := query.Get("host"); text != "" {
		if c.host, err = parseAddr(text); err != nil {
			return nil, err
		}
	}
	if p.after != "" {
		if c.after, err = strconv.ParseInt(p.after, 10, 64); err != nil || c.after < 0 {
			return nil, fmt.Errorf("after %s: %w: give the session_id of the last of the page before", dict.Quote(p.after), dict.ErrInvalid)
		}
	}
	if c.skip, err = parseSkip(query); err != nil {
		return nil, err
	}
	sort := query.Get("sort")
	if sort != "" && !slices.Contains(SessionSorts(), sort) {
		return nil, fmt.Errorf("sort %s: %w: want %s", dict.Quote(sort), dict.ErrInvalid, strings.Join(SessionSorts(), ", "))
	}
	c.order = orderOf(sort)
	c.sorted = sort != "" || c.skip > 0 || c.after >= 0 || p.limit >= 0
	if c.after >= 0 && c.order != nil {
		return nil, fmt.Errorf("after: %w: goes with the order of numbers alone; give skip", dict.ErrInvalid)
	}
	return c, nil
}

// parseSkip reads how many elements are left out before the first.
func parseSkip(query url.Values) (int, error) {
	text := query.Get("skip")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("skip %s: %w: give a number", dict.Quote(text), dict.ErrInvalid)
	}
	return int(n), nil
}

// fits reports whether a session is one of those that are asked for.
func (c *choice) fits(s *Session) bool {
	return s.SessionID > c.after &&
		(c.application == "" || strings.EqualFold(c.application, s.Application)) &&
		(c.user == "" || c.user == s.Username) &&
		(!c.host.IsValid() || c.host == s.Client.Unmap() || c.host == s.Server.Unmap()) &&
		(c.search == "" || c.finds(s))
}

// finds looks for the text in what is told of a session.
func (c *choice) finds(s *Session) bool {
	for _, text := range [...]string{
		s.Application, s.Category, s.Protocol, s.Chain, s.Detail, s.SNI, s.Hint, s.Username, s.Hostname, s.ServerReverse, s.ClientReverse, s.ServerCountry,
	} {
		if len(text) >= len(c.search) && strings.Contains(strings.ToLower(text), c.search) {
			return true
		}
	}
	var buf [64]byte
	for _, addr := range [...]netip.Addr{s.Client, s.Server} {
		if strings.Contains(string(addr.AppendTo(buf[:0])), c.search) {
			return true
		}
	}
	for _, n := range [...]uint64{uint64(s.CtID), uint64(s.ClientPort), uint64(s.ServerPort)} {
		if string(strconv.AppendUint(buf[:0], n, 10)) == c.search {
			return true
		}
	}
	return false
}

// placed is a session with its place in an order.
type placed struct {
	one    *session.Session
	text   string
	number int64
}

// choose returns the sessions that fit, in their order, and how many of them there are
// without skip and limit.
func (c *choice) choose(all []*session.Session) ([]placed, int) {
	found := make([]placed, 0, min(len(all), 4096))
	for _, one := range all {
		if !one.Lock() {
			continue
		}
		d := Describe(one)
		one.Unlock()
		if !c.fits(&d) {
			continue
		}
		p := placed{one: one, number: d.SessionID}
		if c.order != nil {
			p.text, p.number = c.order(&d)
		}
		found = append(found, p)
	}
	slices.SortFunc(found, func(a, b placed) int {
		// What is not known comes last, but for numbers, which all have.
		return cmp.Or(cmp.Compare(unknown(a.text), unknown(b.text)), cmp.Compare(a.text, b.text), cmp.Compare(a.number, b.number))
	})
	total := len(found)
	found = found[min(c.skip, total):]
	if c.limit >= 0 {
		found = found[:min(c.limit, len(found))]
	}
	return found, total
}

func unknown(text string) int {
	if text == "" {
		return 1
	}
	return 0
}

// sessions lists them: as they come, or the part and the order that are asked for.
func (s *Server) sessions(w http.ResponseWriter, r *http.Request) {
	query, p, ok := parsePage(w, r, "application", "user", "host", "search", "sort", "skip")
	if !ok {
		return
	}
	c, err := parseChoice(query, p)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error(), "see GET /v1/openapi.json")
		return
	}
	all := s.src.Sessions()
	if !c.sorted {
		list := newArray(w)
		defer list.end()
		for _, one := range all {
			if !one.Lock() {
				continue
			}
			d := Describe(one)
			one.Unlock()
			if c.fits(&d) && !list.add(&d) {
				return
			}
		}
		return
	}
	found, total := c.choose(all)
	w.Header().Set(totalHeader, strconv.Itoa(total))
	list := newArray(w)
	defer list.end()
	for _, p := range found {
		if !p.one.Lock() { // it has ended since
			continue
		}
		d := Describe(p.one)
		p.one.Unlock()
		if !list.add(&d) {
			return
		}
	}
}
