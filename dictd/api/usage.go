// SPDX-License-Identifier: MIT

package api

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"nftdict/dict"
	"nftdict/dictd/ledger"
)

// ErrNoLedger says that the daemon keeps no ledger.
var ErrNoLedger = errors.New("no ledger is kept")

// Usage is what passed in one period.
type Usage struct {
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	Period string    `json:"period"` // "hour", "day" or "recent"
	By     string    `json:"by"`
	Total  UsageOf   `json:"total"` // of all that fits; its name is empty
	Uses   []UsageOf `json:"uses"`  // the most first
}

// UsageOf is what passed for somebody or of something.
type UsageOf struct {
	Name        string  `json:"name"`     // address, MAC, user or application; "" where that is not known
	Hostname    string  `json:"hostname"` // of a host or a device; "" if it has none
	In          Traffic `json:"in"`
	Out         Traffic `json:"out"`
	Connections uint64  `json:"connections"` // that began
}

// Traffic is what passed in one direction: whole IP packets.
type Traffic struct {
	Bytes   uint64 `json:"bytes"`
	Packets uint64 `json:"packets"`
}

// usageQuery is what GET /v1/usage is asked.
type usageQuery struct {
	ledger.Query
	by     ledger.By
	name   string // of by
	filter ledger.Filter
	limit  int
}

// Names of what uses are summed up by, and over.
var (
	usageBy      = []string{ledger.ByHost: "host", ledger.ByDevice: "device", ledger.ByUser: "user", ledger.ByApplication: "application"}
	usagePeriods = []string{ledger.Hour: "hour", ledger.Day: "day", ledger.Recent: "recent"}
)

func (s *Server) handleUsage(mux *router) {
	mux.HandleFunc("GET /v1/usage", func(w http.ResponseWriter, r *http.Request) {
		values, ok := parseQuery(w, r, "by", "period", "since", "till", "host", "device", "user", "application", "limit")
		if !ok {
			return
		}
		q, err := parseUsage(values)
		if err != nil {
			refuse(w, http.StatusBadRequest, err.Error(), "see dictctl usage --help")
			return
		}
		s.usage(w, &q)
	})
}

// usage writes the periods, each as it is read.
func (s *Server) usage(w http.ResponseWriter, q *usageQuery) {
	var list *array
	var names map[string]string
	for one, err := range s.src.Usage(q.Query) {
		switch {
		case err != nil && list != nil:
			panic(http.ErrAbortHandler) // a list that breaks off must not look whole
		case errors.Is(err, ErrNoLedger):
			refuse(w, http.StatusNotFound, err.Error(), "set ledger.period in dictd.toml")
			return
		case err != nil:
			refuse(w, http.StatusInternalServerError, err.Error(), "")
			return
		case list == nil:
			list, names = newArray(w), s.hostNames(q.by)
		}
		if !list.add(usageOf(&one, q, names)) {
			return
		}
	}
	if list == nil {
		list = newArray(w)
	}
	list.end()
}

// hostNames returns the host names of addresses or devices as they are called in
// answers.
func (s *Server) hostNames(by ledger.By) map[string]string {
	names := make(map[string]string)
	switch by {
	case ledger.ByHost:
		for _, h := range s.src.Directory().Hosts() {
			names[h.Address.String()] = h.Hostname
		}
	case ledger.ByDevice:
		for _, d := range s.src.Directory().Devices() {
			names[d.MAC] = d.Hostname
		}
	}
	return names
}

// parseUsage reads the parameters. Without since the present period alone is meant, or
// all that is recent.
func parseUsage(v url.Values) (q usageQuery, err error) {
	word := func(name, otherwise string, words []string) int {
		text := cmp.Or(v.Get(name), otherwise)
		i := slices.Index(words, text)
		if i < 0 && err == nil {
			err = fmt.Errorf("%s %s: unknown: there are %s", name, dict.Quote(text), strings.Join(words, ", "))
		}
		return max(i, 0)
	}
	at := func(name string) (t time.Time) {
		if text := v.Get(name); text != "" && err == nil {
			if t, err = time.Parse(time.RFC3339, text); err != nil {
				err = fmt.Errorf("%s %s: no time such as 2026-01-31T00:00:00Z", name, dict.Quote(text))
			}
		}
		return t
	}
	q.by = ledger.By(word("by", "host", usageBy))
	q.name = usageBy[q.by]
	q.Period = ledger.Period(word("period", "day", usagePeriods))
	q.Since, q.Till = at("since"), at("till")
	if q.Since.IsZero() && q.Period != ledger.Recent {
		q.Since = q.Period.Start(time.Now())
	}
	q.filter.User, q.filter.Application = v.Get("user"), v.Get("application")
	if text := v.Get("host"); text != "" && err == nil {
		q.filter.Address, err = netip.ParseAddr(text)
	}
	if text := v.Get("device"); text != "" && err == nil {
		var k dict.Key
		if k, err = dict.ParseKey(dict.KeyEther, text); err == nil {
			q.filter.MAC = k.Ether()
		}
	}
	q.limit = -1
	if text := v.Get("limit"); text != "" && err == nil {
		n, bad := strconv.ParseUint(text, 10, 31)
		if bad != nil {
			err = fmt.Errorf("limit %s: no number", dict.Quote(text))
		}
		q.limit = int(n)
	}
	return q, err
}

// usageOf sums a period up.
func usageOf(u *ledger.Uses, q *usageQuery, hostnames map[string]string) *Usage {
	a := &Usage{Start: u.Start, End: u.End, Period: usagePeriods[q.Period], By: q.name, Uses: []UsageOf{}}
	for k, use := range u.Sum(q.by, q.filter) {
		one := UsageOf{In: Traffic{use.In.Bytes, use.In.Packets}, Out: Traffic{use.Out.Bytes, use.Out.Packets}, Connections: use.Connections}
		switch {
		case k.Address.IsValid():
			one.Name = k.Address.String()
		case k.MAC != [6]byte{}:
			one.Name = dict.EtherValue(k.MAC).String()
		default:
			one.Name = k.User + k.Application
		}
		one.Hostname = hostnames[one.Name]
		t := &a.Total
		t.In.Bytes, t.In.Packets = t.In.Bytes+one.In.Bytes, t.In.Packets+one.In.Packets
		t.Out.Bytes, t.Out.Packets = t.Out.Bytes+one.Out.Bytes, t.Out.Packets+one.Out.Packets
		t.Connections += one.Connections
		a.Uses = append(a.Uses, one)
	}
	slices.SortFunc(a.Uses, func(x, y UsageOf) int {
		return cmp.Or(cmp.Compare(y.In.Bytes+y.Out.Bytes, x.In.Bytes+x.Out.Bytes), cmp.Compare(x.Name, y.Name))
	})
	if q.limit >= 0 && len(a.Uses) > q.limit {
		a.Uses = a.Uses[:q.limit]
	}
	return a
}
