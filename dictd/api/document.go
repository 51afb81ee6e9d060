// SPDX-License-Identifier: MIT

package api

import (
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
)

// The parts of the document: base.json has what is everybody's, each other file the
// paths, and schemas, of one subject.
//
//go:embed openapi/*.json
var parts embed.FS

// Document returns the description of the API in the form of OpenAPI 3.1: all
// paths, methods, answers and schemas. It fails only if two of its parts tell of
// the same thing.
func Document() ([]byte, error) {
	var whole map[string]any
	files, err := parts.ReadDir("openapi")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		text, err := parts.ReadFile("openapi/" + f.Name())
		if err != nil {
			return nil, err
		}
		var part map[string]any
		if err := json.Unmarshal(text, &part); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name(), err)
		}
		if whole == nil {
			whole = part
			continue
		}
		if err := join(whole, part, 2); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name(), err)
		}
	}
	return json.Marshal(whole)
}

// join adds the members of from to those of into: objects are joined to a depth,
// lists are put together, and anything else must not be there twice.
func join(into, from map[string]any, depth int) error {
	for _, key := range slices.Sorted(maps.Keys(from)) {
		old, there := into[key]
		if !there {
			into[key] = from[key]
			continue
		}
		switch old := old.(type) {
		case map[string]any:
			if more, ok := from[key].(map[string]any); ok && depth > 0 {
				if err := join(old, more, depth-1); err != nil {
					return fmt.Errorf("%s: %w", key, err)
				}
				continue
			}
		case []any:
			if more, ok := from[key].([]any); ok {
				into[key] = append(old, more...)
				continue
			}
		}
		return fmt.Errorf("%s: in another part, too", key)
	}
	return nil
}

func (s *Server) handleDocument(mux *router) {
	document := sync.OnceValues(Document)
	mux.HandleFunc("GET /v1/openapi.json", func(w http.ResponseWriter, r *http.Request) {
		if _, ok := parseQuery(w, r); !ok {
			return
		}
		text, err := document()
		if err != nil {
			refuse(w, http.StatusInternalServerError, err.Error(), "")
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(text) // the client is gone, if it fails
	})
}
