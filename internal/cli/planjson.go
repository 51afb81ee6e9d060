// SPDX-License-Identifier: MIT

package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"nftdict/dict"
)

// isJSON reports whether a text is what `list` prints with -j: no statement
// begins with a brace.
func isJSON(text []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) }

// readJSON reads what `list` prints with -j and returns all its faults, in
// order; text that is not JSON is the last of them.
func (p *plan) readJSON(text []byte) (faults []error) {
	fault := func(offset int64, err error) {
		faults = append(faults, placed(position(text, offset), err))
	}
	d := json.NewDecoder(bytes.NewReader(text))
	for _, want := range []json.Token{json.Delim('{'), "dict", json.Delim('[')} {
		if got, err := d.Token(); err != nil || got != want {
			fault(d.InputOffset(), fmt.Errorf(`%w: want {"dict":[...]}`, dict.ErrInvalid))
			return faults
		}
	}
	for d.More() {
		at := d.InputOffset()
		var item json.RawMessage
		if err := d.Decode(&item); err != nil {
			fault(at, invalidJSON(err))
			return faults
		}
		at = d.InputOffset() - int64(len(item))
		if err := p.addJSON(position(text, at), item); err != nil {
			fault(at, err)
			continue
		}
		p.statements++
	}
	for _, want := range []json.Token{json.Delim(']'), json.Delim('}'), nil} {
		if got, err := d.Token(); got != want || err != nil && err != io.EOF {
			fault(d.InputOffset(), fmt.Errorf("%w: want the end of the listing", dict.ErrInvalid))
			break
		}
	}
	return faults
}

// addJSON checks one item of a listing and adds what is to be done.
func (p *plan) addJSON(at dict.Pos, raw []byte) error {
	var item struct {
		Table *dict.Table
		Row   *struct {
			Table string          `json:"table"`
			Key   json.RawMessage `json:"key,omitempty"`
			TTL   json.RawMessage `json:"ttl,omitempty"`
			Cells json.RawMessage `json:"cells,omitempty"`
		}
	}
	if err := strictJSON(raw, &item); err != nil {
		return err
	}
	switch {
	case item.Table != nil && item.Row == nil:
		t, err := p.table(item.Table.Name)
		if err != nil {
			return err
		}
		return p.addTable(at, t, *item.Table)
	case item.Row == nil || item.Table != nil:
		return fmt.Errorf("%w: want a table or a row", dict.ErrInvalid)
	}
	t, err := p.table(item.Row.Table)
	if err != nil {
		return err
	}
	if t == nil {
		return &dict.At{Op: "set", Table: item.Row.Table, Err: dict.ErrNotExist}
	}
	// What is left without the table's name is a row of that table.
	rest, err := json.Marshal(map[string]json.RawMessage{"key": orNull(item.Row.Key), "ttl": orNull(item.Row.TTL), "cells": orNull(item.Row.Cells)})
	if err != nil {
		return err
	}
	row, err := t.ParseRowJSON(rest)
	if err != nil {
		return err
	}
	return p.put(at, t, row, false)
}

// orNull stands in for a member that is not there.
func orNull(raw json.RawMessage) json.RawMessage {
	if raw == nil {
		return json.RawMessage("null")
	}
	return raw
}

// strictJSON takes no members that it does not know.
func strictJSON(raw []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return invalidJSON(d.Decode(to))
}

// invalidJSON makes an error of encoding/json one of ours.
func invalidJSON(err error) error {
	var ours *dict.At
	if err == nil || errors.As(err, &ours) || errors.Is(err, dict.ErrInvalid) {
		return err
	}
	return fmt.Errorf("%w: %w", dict.ErrInvalid, err)
}

// position returns where in a text an offset is, blanks and commas aside.
func position(text []byte, offset int64) dict.Pos {
	n := min(int(offset), len(text))
	for n < len(text) && bytes.IndexByte([]byte(" \t\r\n,"), text[n]) >= 0 {
		n++
	}
	before := text[:n]
	return dict.Pos{
		Line:   1 + bytes.Count(before, []byte("\n")),
		Column: 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]),
	}
}
