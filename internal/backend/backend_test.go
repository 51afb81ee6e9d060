// SPDX-License-Identifier: MIT

package backend

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nftdict/dict"
	"nftdict/dict/dicttest"
)

func TestOpenRefuses(t *testing.T) {
	for kind, want := range map[string]error{Kmod: dict.ErrNotSupported, "tape": dict.ErrInvalid, "": dict.ErrInvalid} {
		_, err := Open(kind, Options{})
		if !errors.Is(err, want) || !strings.Contains(err.Error(), "backend") {
			t.Errorf("%q: %v, want %v", kind, err, want)
		}
	}
}

func TestAddStandard(t *testing.T) {
	m := dicttest.NewMem(nil)
	old := dict.Table{Name: dict.Users, Key: dict.KeyString, Fields: []dict.Field{{Name: "quota_size", Type: dict.Int64}}}
	if err := m.AddTable(old); err != nil {
		t.Fatal(err)
	}
	if err := m.Put(dict.Users, dict.Row{Key: key(t, "bob")}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := addStandard(m, 77); err != nil {
			t.Fatal(err)
		}
	}
	tables, err := m.Tables()
	if err != nil {
		t.Fatal(err)
	}
	limits := map[string]int{}
	for _, table := range tables {
		limits[table.Name] = table.Limit
		if table.Name == dict.Users && (table.Index("quota_exceeded") < 0 || table.Index("usergroups") < 0) {
			t.Errorf("users has no more fields than before: %+v", table.Fields)
		}
	}
	want := map[string]int{dict.Sessions: 77, dict.Hosts: 65536, dict.Devices: 65536, dict.Users: dict.DefaultLimit}
	if diff := cmp.Diff(want, limits); diff != "" {
		t.Errorf("limits (-want +got)\n%s", diff)
	}
	if _, err := m.Get(dict.Users, key(t, "bob")); err != nil {
		t.Errorf("a row went: %v", err)
	}
}

func key(t *testing.T, s string) dict.Key {
	t.Helper()
	k, err := dict.StringKey(s)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
