// SPDX-License-Identifier: MIT

package config

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"
)

// leaves calls f for the keys of a configuration that have no keys below them;
// those of a table that may be there several times are called as those of one.
func leaves(v reflect.Value, prefix string, f func(key string, v reflect.Value, several bool)) {
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("toml")
		if name == "" {
			continue
		}
		key, one := prefix+name, v.Field(i)
		switch {
		case one.Kind() == reflect.Struct:
			leaves(one, key+".", f)
		case one.Kind() == reflect.Slice && one.Type().Elem().Kind() == reflect.Struct:
			leaves(reflect.New(one.Type().Elem()).Elem(), key+".", func(key string, v reflect.Value, _ bool) { f(key, v, true) })
		default:
			f(key, one, false)
		}
	}
}

// entry finds a key in the page: its name, default, unit, and when a change of it
// takes effect. Keys of tables that may be there several times have no default.
var entry = regexp.MustCompile("(?m)^- \\*\\*([a-z_.]+)\\*\\*(?: = `(.*)`(?: ([a-z]+))? \\((reload|restart)\\))?: ")

// TestPageHasAllKeys compares the keys and defaults that docs/config.md, and so
// dictd.conf(5), tells with those that there are, and with the example.
func TestPageHasAllKeys(t *testing.T) {
	page, err := os.ReadFile("../../docs/config.md")
	if err != nil {
		t.Fatal(err)
	}
	told := make(map[string][]string)
	for _, m := range entry.FindAllStringSubmatch(string(page), -1) {
		if told[m[1]] != nil {
			t.Errorf("%s is told twice", m[1])
		}
		told[m[1]] = m
	}
	c := Default()
	var keys []string
	leaves(reflect.ValueOf(c), "", func(key string, v reflect.Value, several bool) {
		keys = append(keys, key)
		m := told[key]
		switch {
		case m == nil:
			return
		case several:
			if m[4] != "" {
				t.Errorf("%s: has no default of its own", key)
			}
			return
		}
		var got map[string]any
		if err := toml.Unmarshal([]byte("v = "+m[2]), &got); err != nil {
			t.Errorf("%s = %s: %v", key, m[2], err)
			return
		}
		text, err := toml.Marshal(map[string]any{"v": v.Interface()})
		if err != nil {
			t.Fatal(err)
		}
		var want map[string]any
		if err := toml.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want["v"], got["v"]); diff != "" {
			t.Errorf("%s: default (-is +told):\n%s", key, diff)
		}
	})
	slices.Sort(keys)
	if diff := cmp.Diff(keys, slices.Sorted(maps.Keys(told))); diff != "" {
		t.Errorf("keys (-there +told in docs/config.md):\n%s", diff)
	}
	for _, key := range keys {
		if _, name := cut(key); !regexp.MustCompile(`(?m)^(# )?` + name + ` = |\b` + name + ` = `).MatchString(Example()) {
			t.Errorf("%s: not in dictd.toml", key)
		}
	}
}

// TestExampleMarksReloads compares what the example says of reloads with the page.
func TestExampleMarksReloads(t *testing.T) {
	page, err := os.ReadFile("../../docs/config.md")
	if err != nil {
		t.Fatal(err)
	}
	reload := make(map[string]bool)
	table, comment := "", ""
	var together []string // keys that one comment is about
	for line := range strings.Lines(Example()) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "["):
			table, comment = strings.Trim(line, "[]")+".", ""
		case strings.HasPrefix(line, "#"):
			if len(together) > 0 {
				comment, together = "", nil
			}
			comment += line
		case strings.Contains(line, " = "):
			name, _, _ := strings.Cut(line, " = ")
			together = append(together, name)
			reload[table+name] = strings.HasSuffix(comment, "(reload)")
		case line == "":
			comment, together = "", nil
		}
	}
	for _, m := range entry.FindAllStringSubmatch(string(page), -1) {
		if m[4] == "" || strings.HasPrefix(m[1], "quota.") { // marked as a whole
			continue
		}
		if reload[m[1]] != (m[4] == "reload") {
			t.Errorf("%s: %s in docs/config.md, (reload) %v in dictd.toml", m[1], m[4], reload[m[1]])
		}
	}
}

// cut splits a key into its table and its name.
func cut(key string) (table, name string) {
	i := strings.LastIndexByte(key, '.')
	return key[:i+1], key[i+1:]
}
