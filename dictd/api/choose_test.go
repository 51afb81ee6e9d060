// SPDX-License-Identifier: MIT

package api

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"testing"

	"nftdict/dict"
)

// askAll asks as root, and returns how many there are of what is asked for.
func askAll(t *testing.T, s *Server, path string, into any) (total string) {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "http://dictd"+path, nil)
	s.handler().ServeHTTP(w, r.WithContext(withPeer(t.Context(), &Peer{})))
	if err := json.Unmarshal(w.Body.Bytes(), into); w.Code != 200 || err != nil {
		t.Fatalf("%s: %d %s %v", path, w.Code, w.Body, err)
	}
	return w.Header().Get(totalHeader)
}

func TestSessionsChosen(t *testing.T) {
	s := newServer(newSource(t, 10)) // every other one of DNS, ports from 0 on
	for _, c := range []struct {
		query, total string
		ports        []int
	}{
		{"sort=newest&limit=3", "10", []int{9, 8, 7}},
		{"sort=newest&skip=8", "10", []int{1, 0}},
		{"sort=number&skip=20", "10", nil},
		{"sort=application&limit=6", "10", []int{0, 2, 4, 6, 8, 1}}, // unknown ones last
		{"search=dNs&limit=2&skip=1", "5", []int{2, 4}},
		{"search=A.EXAMPLE&limit=9", "5", []int{0, 2, 4, 6, 8}},
		{"search=192.0.2.&sort=client&limit=1", "10", []int{0}},
		{"search=7&limit=10", "2", []int{6, 7}}, // an id and a port
		{"search=%3Cscript%3E&limit=10", "0", nil},
		{"host=192.0.2.1&limit=1", "10", []int{0}},
		{"host=192.0.2.9&limit=1", "0", nil},
		{"user=bob&limit=1", "0", nil},
		{"limit=0", "10", nil},
	} {
		var all []Session
		total := askAll(t, s, "/v1/sessions?"+c.query, &all)
		var ports []int
		for _, one := range all {
			ports = append(ports, one.ClientPort)
		}
		if total != c.total || fmt.Sprint(ports) != fmt.Sprint(c.ports) {
			t.Errorf("%s: %v of %s, want %v of %s", c.query, ports, total, c.ports, c.total)
		}
	}
	for _, bad := range []string{"sort=x", "skip=-1", "after=1&sort=newest", "host=x", "after=x"} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "http://dictd/v1/sessions?"+bad, nil)
		s.handler().ServeHTTP(w, r.WithContext(withPeer(t.Context(), &Peer{})))
		if w.Code != 400 {
			t.Errorf("%s: %d %s", bad, w.Code, w.Body)
		}
	}
}

func TestTables(t *testing.T) {
	s := newServer(newSource(t, 0))
	var tables []TableFigures
	askAll(t, s, "/v1/tables", &tables)
	var names []string
	for _, one := range tables {
		names = append(names, fmt.Sprint(one.Table.Name, one.Stats.Rows))
	}
	if fmt.Sprint(names) != "[devices0 groups0 hosts1 sessions0 users0]" {
		t.Errorf("tables %v", names)
	}
	type row struct {
		Key   string
		Cells map[string]string
	}
	for query, want := range map[string]string{
		"": "1 [{10.0.0.9 map[hostname:<b>printer</b>]}]", "?search=PRINTER&limit=5": "1 [{10.0.0.9 map[hostname:<b>printer</b>]}]",
		"?search=none": "0 []", "?skip=1": "1 []", "?limit=0": "1 []",
	} {
		var rows []row
		total := askAll(t, s, "/v1/tables/hosts/rows"+query, &rows)
		if got := fmt.Sprint(total, " ", rows); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	// A table that is too large to be sorted is read once, and only the part is kept.
	dic := s.src.Tables().(dict.Store)
	big := found{table: &tables[2].Table, skip: 0, limit: 0}
	if err := big.read(dic); err != nil || big.total != 1 || len(big.part()) != 0 {
		t.Errorf("%+v, %v", big, err)
	}
}
