// SPDX-License-Identifier: MIT

package dictd

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"nftdict/dictd/config"
	"nftdict/dictd/quota/plan"
)

// TestReloadTakesWhatItSays changes each key that docs/config.md tells of, and asks
// whether a reload takes it over.
func TestReloadTakesWhatItSays(t *testing.T) {
	page, err := os.ReadFile("../docs/config.md")
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, m := range regexp.MustCompile(`(?m)^- \*\*([a-z_.]+)\*\* = .* \((reload|restart)\): `).FindAllStringSubmatch(string(page), -1) {
		old, c := config.Default(), config.Default()
		change(t, reflect.ValueOf(&c).Elem(), m[1])
		if takes := reflect.DeepEqual(takenOver(&old, &c), c); takes != (m[2] == "reload") {
			t.Errorf("%s: told %s, a reload takes it: %v", m[1], m[2], takes)
		}
		tried++
	}
	if tried < 30 {
		t.Errorf("%d keys found", tried)
	}
	old, c := config.Default(), config.Default()
	if c.Plans = make([]plan.Spec, 1); !reflect.DeepEqual(takenOver(&old, &c), c) {
		t.Error("a reload does not take plans")
	}
}

// change gives another value to a key.
func change(t *testing.T, v reflect.Value, key string) {
	t.Helper()
	name, rest, more := strings.Cut(key, ".")
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("toml") != name {
			continue
		}
		switch f := v.Field(i); {
		case more:
			change(t, f, rest)
		case f.Kind() == reflect.String:
			f.SetString(f.String() + "x")
		case f.Kind() == reflect.Bool:
			f.SetBool(!f.Bool())
		case f.CanInt():
			f.SetInt(f.Int() + 1)
		case f.CanUint():
			f.SetUint(f.Uint() + 1)
		case f.CanFloat():
			f.SetFloat(f.Float() + 1)
		case f.Kind() == reflect.Slice:
			f.Set(reflect.Append(f, reflect.Zero(f.Type().Elem())))
		default:
			t.Fatalf("%s: %v", key, f.Kind())
		}
		return
	}
	t.Fatalf("%s: no such key", key)
}
