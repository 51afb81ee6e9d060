// SPDX-License-Identifier: MIT

package web

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// texts are what the pages say in one language, by key.
type texts map[string]string

// reference is the language that says which keys there are.
const reference = "en"

// readTexts reads a file of texts, and refuses keys that are missing or not known.
func readTexts(name string, file []byte, like texts) (texts, error) {
	var t texts
	if err := toml.Unmarshal(file, &t); err != nil {
		var at *toml.DecodeError
		if errors.As(err, &at) {
			line, _ := at.Position()
			return nil, fmt.Errorf("%s:%d: %w", name, line, err)
		}
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if like == nil {
		return t, nil
	}
	for _, key := range slices.Sorted(maps.Keys(t)) {
		if _, ok := like[key]; !ok {
			return nil, fmt.Errorf("%s:%d: %s: there is no such text", name, lineOf(file, key), key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(like)) {
		if t[key] == "" {
			return nil, fmt.Errorf("%s:1: %s: missing", name, key)
		}
	}
	return t, nil
}

// lineOf finds the line that begins with a key.
func lineOf(file []byte, key string) int {
	n := 0
	for line := range strings.Lines(string(file)) {
		n++
		if strings.HasPrefix(strings.TrimSpace(line), key) {
			return n
		}
	}
	return 1
}

// say returns a text with what belongs into it: pairs of a name, which stands in
// braces in the text, and its value.
func (t texts) say(key string, pairs ...string) (string, error) {
	text, ok := t[key]
	if !ok {
		return "", fmt.Errorf("text %q: does not exist", key)
	}
	if len(pairs)%2 != 0 {
		return "", fmt.Errorf("text %q: a name without a value", key)
	}
	if len(pairs) == 0 {
		return text, nil
	}
	filled := make([]string, len(pairs))
	for i := 0; i < len(pairs); i += 2 {
		filled[i], filled[i+1] = "{"+pairs[i]+"}", pairs[i+1]
	}
	return strings.NewReplacer(filled...).Replace(text), nil
}
