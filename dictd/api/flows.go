// SPDX-License-Identifier: MIT

package api

import (
	"cmp"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"nftdict/dict"
	"nftdict/dictd/offload"
)

// Flow is a connection as conntrack has it, with what its session says.
type Flow struct {
	Connection
	Application string  `json:"application"` // "" while it is not known
	Category    string  `json:"category"`
	Final       bool    `json:"final"`
	Hostname    string  `json:"client_hostname"`
	Username    string  `json:"username"`
	State       string  `json:"state"`       // which way its packets take: one of FlowStates
	Out         Traffic `json:"out"`         // from who opened it; zero where conntrack does not count
	In          Traffic `json:"in"`          // to him
	Age         float64 `json:"age_seconds"` // 0 where conntrack does not note it
}

// States of a Flow.
const (
	FlowSlow     = "slow"     // by all rules
	FlowSoftware = "software" // by a flowtable
	FlowHardware = "hardware" // by the devices
)

// FlowStates returns all of them.
func FlowStates() []string { return []string{FlowSlow, FlowSoftware, FlowHardware} }

// MaxFlows is how many flows are told in an order: the first of it. All there are are
// told as they are found.
const MaxFlows = 10_000

// FlowSorts returns what flows can be sorted by: the most, or the youngest, first.
func FlowSorts() []string { return []string{"bytes", "packets", "age", "application", "user"} }

// RecallBody is the body of POST /v1/recall: which connections.
type RecallBody struct {
	Kind string `json:"kind"` // of offload.Whom
	Name string `json:"name"`
}

// Recalled is its answer.
type Recalled struct {
	Recalled int `json:"recalled"` // connections that were in a flowtable, and are in none now
}

// FlowRecalled is the data of an event about a connection that was taken out of a
// flowtable. Where conntrack gave it a new id the event has the one before.
type FlowRecalled struct {
	Client      netip.Addr `json:"client_address"`
	Server      netip.Addr `json:"server_address"` // after translation
	Application string     `json:"application"`
	Category    string     `json:"category"`
	Username    string     `json:"username"`
}

// bytes returns what passed in both directions.
func (f *Flow) bytes() uint64 { return f.Out.Bytes + f.In.Bytes }

// handleFlows adds what is about connections in flowtables.
func (s *Server) handleFlows(mux *router) {
	mux.HandleFunc("GET /v1/flows", func(w http.ResponseWriter, r *http.Request) {
		query, p, ok := parsePage(w, r, "application", "category", "user", "host", "state", "sort")
		if !ok {
			return
		}
		if p.after != "" {
			refuse(w, http.StatusBadRequest, "after: flows come and go, and have no pages", "give a limit")
			return
		}
		fits, order, err := parseFlows(query)
		if err != nil {
			refuse(w, http.StatusBadRequest, err.Error(), "see dictctl flows --help")
			return
		}
		if query.Get("sort") == "" && p.limit < 0 {
			s.streamFlows(w, fits)
			return
		}
		if p.limit < 0 || p.limit > MaxFlows {
			p.limit = MaxFlows
		}
		all := first[Flow]{n: p.limit, order: order}
		err = s.src.Flows(func(f *Flow) bool {
			if fits(f) {
				all.add(f)
			}
			return true
		})
		if err != nil {
			refuse(w, http.StatusInternalServerError, err.Error(), "")
			return
		}
		list := newArray(w)
		defer list.end()
		for _, f := range all.list() {
			if !list.add(&f) {
				return
			}
		}
	})
	mux.HandleFunc("POST /v1/recall", func(w http.ResponseWriter, r *http.Request) {
		var body RecallBody
		if !take(w, r, &body) {
			return
		}
		whom, err := offload.ParseWhom(body.Kind, body.Name)
		if err != nil {
			refuse(w, http.StatusBadRequest, err.Error(), "see dictctl recall --help")
			return
		}
		n, err := s.src.Recall(whom)
		if err != nil {
			refuse(w, http.StatusInternalServerError, err.Error(), "GET /v1/status tells how the flowtable is")
			return
		}
		answer(w, http.StatusOK, &Recalled{n})
	})
}

// streamFlows writes connections as they are found.
func (s *Server) streamFlows(w http.ResponseWriter, fits func(*Flow) bool) {
	list := newArray(w)
	err := s.src.Flows(func(f *Flow) bool { return !fits(f) || list.add(f) })
	if err != nil && list.n == 0 {
		list.out.Reset(w) // nothing has gone out yet
		refuse(w, http.StatusInternalServerError, err.Error(), "")
		return
	}
	if err != nil {
		panic(http.ErrAbortHandler) // the reader is not to take a part for all
	}
	list.end()
}

// parseFlows reads which flows are asked for, and in which order.
func parseFlows(query url.Values) (fits func(*Flow) bool, order func(a, b Flow) int, err error) {
	application, category, user, state := query.Get("application"), query.Get("category"), query.Get("user"), query.Get("state")
	var host netip.Addr
	if text := query.Get("host"); text != "" {
		if host, err = netip.ParseAddr(text); err != nil {
			return nil, nil, fmt.Errorf("host %s: %w: want an address", dict.Quote(text), dict.ErrInvalid)
		}
		host = host.Unmap()
	}
	if state != "" && state != "offloaded" && !slices.Contains(FlowStates(), state) {
		return nil, nil, fmt.Errorf("state %s: %w: want %s, or offloaded", dict.Quote(state), dict.ErrInvalid, strings.Join(FlowStates(), ", "))
	}
	fits = func(f *Flow) bool {
		return (application == "" || strings.EqualFold(application, f.Application)) &&
			(category == "" || strings.EqualFold(category, f.Category)) &&
			(user == "" || user == f.Username) &&
			(!host.IsValid() || host == f.Client || host == f.Server) &&
			(state == "" || state == f.State || state == "offloaded" && f.State != FlowSlow)
	}
	order, err = flowOrder(query.Get("sort"))
	return fits, order, err
}

// flowOrder returns the order of a name, "" for the first.
func flowOrder(sort string) (order func(a, b Flow) int, err error) {
	var by func(a, b Flow) int
	switch sort {
	case "", "bytes":
		by = func(a, b Flow) int { return cmp.Compare(b.bytes(), a.bytes()) }
	case "packets":
		by = func(a, b Flow) int { return cmp.Compare(b.Out.Packets+b.In.Packets, a.Out.Packets+a.In.Packets) }
	case "age":
		by = func(a, b Flow) int { return cmp.Compare(a.Age, b.Age) }
	case "application":
		by = func(a, b Flow) int { return cmp.Compare(a.Application, b.Application) }
	case "user":
		by = func(a, b Flow) int { return cmp.Compare(a.Username, b.Username) }
	default:
		return nil, fmt.Errorf("sort %s: %w: want %s", dict.Quote(sort), dict.ErrInvalid, strings.Join(FlowSorts(), ", "))
	}
	return func(a, b Flow) int {
		return cmp.Or(by(a, b), cmp.Compare(b.bytes(), a.bytes()), cmp.Compare(a.CtID, b.CtID))
	}, nil
}
