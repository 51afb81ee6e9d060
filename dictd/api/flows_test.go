// SPDX-License-Identifier: MIT

package api

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
)

// crowd is a Source of very many connections, or of an error after some.
type crowd struct {
	Source
	n   int
	err error
}

func (c crowd) Flows(f func(*Flow) bool) error {
	for i := range c.n {
		if !f(&Flow{Connection: Connection{CtID: uint32(i)}, In: Traffic{Bytes: uint64(rand.N(1000))}, State: FlowStates()[i%3]}) {
			break
		}
	}
	return c.err
}

// Of very many connections the first of an order are told, and all as they are found; an
// answer that breaks off does not look whole.
func TestFlowsMany(t *testing.T) {
	ask := func(c crowd, query string) (list []Flow, status int) {
		t.Helper()
		mux := http.NewServeMux()
		(&Server{src: c}).handleFlows(&router{mux: mux, may: func(*Peer, bool) bool { return true }})
		server := httptest.NewServer(mux)
		defer server.Close()
		answer, err := http.Get(server.URL + "/v1/flows" + query)
		if err != nil {
			return nil, 0
		}
		defer answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			if err := decodeInto(&list)(answer.Body); err != nil {
				return list, -1
			}
		}
		return list, answer.StatusCode
	}
	many := crowd{n: 3 * MaxFlows}
	for _, c := range []struct {
		query        string
		want         int
		sorted, only bool
	}{
		{"", many.n, false, false}, {"?state=software", many.n / 3, false, true}, {"?sort=bytes", MaxFlows, true, false},
		{"?limit=100", 100, true, false}, {"?limit=0", 0, true, false}, {"?limit=1000000&state=software", MaxFlows, true, true},
	} {
		list, status := ask(many, c.query)
		if status != http.StatusOK || len(list) != c.want {
			t.Errorf("%s: status %d, %d connections", c.query, status, len(list))
		}
		for i := range list {
			if c.sorted && i > 0 && list[i].bytes() > list[i-1].bytes() || c.only && list[i].State != FlowSoftware {
				t.Fatalf("%s: %+v after %+v", c.query, list[i], list[max(i-1, 0)])
			}
		}
	}
	for n, want := range map[int]int{0: http.StatusInternalServerError, 10_000: -1} {
		if _, status := ask(crowd{n: n, err: errors.New("no")}, ""); status != want {
			t.Errorf("an error after %d: status %d, want %d", n, status, want)
		}
	}
}
