// SPDX-License-Identifier: MIT

package api

import (
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"nftdict/dict"
)

// Tables are the dictionaries as they are read: a part of dict.Store.
type Tables interface {
	Tables() ([]dict.Table, error)
	Table(name string) (dict.Table, error)
	Rows(table string) iter.Seq2[dict.Row, error]
	Stats(table string) (dict.Stats, error)
}

// TableFigures is a table with its figures.
type TableFigures struct {
	Table dict.Table `json:"table"`
	Stats dict.Stats `json:"stats"`
}

// maxSorted is the number of rows up to which a table is listed in order: what is
// sorted is held in memory.
const maxSorted = 65536

// handleTables adds what is about dictionaries.
func (s *Server) handleTables(mux *router) {
	mux.HandleFunc("GET /v1/tables", func(w http.ResponseWriter, r *http.Request) {
		if _, ok := parseQuery(w, r); !ok {
			return
		}
		tables, err := s.src.Tables().Tables()
		list := make([]TableFigures, 0, len(tables))
		for _, t := range tables {
			var stats dict.Stats
			if err == nil {
				if stats, err = s.src.Tables().Stats(t.Name); errors.Is(err, dict.ErrNotExist) { // deleted since
					err = nil
					continue
				}
			}
			list = append(list, TableFigures{t, stats})
		}
		done(w, err, list)
	})
	mux.HandleFunc("GET /v1/tables/{table}/rows", s.rows)
}

// rows lists the rows of a table in the order of their keys, or of the store where
// there are many.
func (s *Server) rows(w http.ResponseWriter, r *http.Request) {
	query, ok := parseQuery(w, r, "limit", "skip", "search")
	if !ok {
		return
	}
	limit := -1
	skip, err := parseSkip(query)
	if text := query.Get("limit"); text != "" && err == nil {
		var n uint64
		if n, err = strconv.ParseUint(text, 10, 31); err == nil {
			limit = int(n)
		}
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error(), "give a number")
		return
	}
	tables := s.src.Tables()
	table, err := tables.Table(r.PathValue("table"))
	var stats dict.Stats
	if err == nil {
		stats, err = tables.Stats(table.Name)
	}
	if err != nil {
		if errors.Is(err, dict.ErrNotExist) {
			refuse(w, http.StatusNotFound, err.Error(), "GET /v1/tables lists those there are")
			return
		}
		done(w, err, nil)
		return
	}
	rows := found{table: &table, search: strings.ToLower(query.Get("search")), sort: stats.Rows <= maxSorted, skip: skip, limit: limit}
	if err := rows.read(tables); err != nil {
		done(w, err, nil)
		return
	}
	w.Header().Set(totalHeader, strconv.Itoa(rows.total))
	list := newArray(w)
	defer list.end()
	var buf []byte
	for _, row := range rows.part() {
		buf = table.AppendRowJSON(buf[:0], row)
		if !list.add(json.RawMessage(buf)) {
			return
		}
	}
}

// found are rows that are looked for.
type found struct {
	table       *dict.Table
	search      string // in small letters, in the text of a row
	sort        bool
	skip, limit int // limit -1: all

	rows  []dict.Row
	total int
}

// read goes through all rows. Of those that are not sorted only the part that is asked
// for is kept.
func (f *found) read(tables Tables) error {
	var buf []byte
	for row, err := range tables.Rows(f.table.Name) {
		if err != nil {
			return err
		}
		if f.search != "" {
			buf = dict.AppendRow(buf[:0], f.table, row)
			if !strings.Contains(strings.ToLower(string(buf)), f.search) {
				continue
			}
		}
		f.total++
		if f.sort || f.total > f.skip && (f.limit < 0 || f.total <= f.skip+f.limit) {
			f.rows = append(f.rows, row)
		}
	}
	return nil
}

// part returns what is asked for.
func (f *found) part() []dict.Row {
	if !f.sort {
		return f.rows
	}
	slices.SortFunc(f.rows, func(a, b dict.Row) int { return a.Key.Compare(b.Key) })
	rows := f.rows[min(f.skip, len(f.rows)):]
	if f.limit >= 0 {
		rows = rows[:min(f.limit, len(rows))]
	}
	return rows
}
