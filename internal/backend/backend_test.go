// SPDX-License-Identifier: MIT

package backend

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/genl"
)

func TestOpenRefuses(t *testing.T) {
	for _, kind := range []string{"tape", ""} {
		_, err := Open(kind, Options{})
		if !errors.Is(err, dict.ErrInvalid) || !strings.Contains(err.Error(), "backend") {
			t.Errorf("%q: %v, want %v", kind, err, dict.ErrInvalid)
		}
	}
}

// TestOpenKmod: what is asked for by name is had, or not had for a reason that
// says what to do.
func TestOpenKmod(t *testing.T) {
	b, err := Open(Kmod, Options{})
	switch {
	case err == nil:
		if b.Kind != Kmod {
			t.Errorf("asked for %s, got %s", Kmod, b.Kind)
		}
		if err := b.Store.Close(); err != nil {
			t.Error(err)
		}
	case errors.Is(err, genl.ErrAbsent):
		if !errors.Is(err, dict.ErrNotSupported) || !strings.Contains(err.Error(), genl.Remedy) {
			t.Errorf("%v: does not say that %v, and what to do", err, dict.ErrNotSupported)
		}
	case !errors.Is(err, dict.ErrPermission):
		t.Error(err)
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
	want := map[string]int{dict.Sessions: 77, dict.Hosts: 65536, dict.Devices: 65536, dict.Groups: 65536, dict.Users: dict.DefaultLimit}
	if diff := cmp.Diff(want, limits); diff != "" {
		t.Errorf("limits (-want +got)\n%s", diff)
	}
	if _, err := m.Get(dict.Users, key(t, "bob")); err != nil {
		t.Errorf("a row went: %v", err)
	}
}

// Tables of an older version, and fields that a user was first to name, are told.
func TestDifferences(t *testing.T) {
	m := dicttest.NewMem(nil)
	for _, old := range []dict.Table{
		{Name: dict.Sessions, Key: dict.KeyCtID, Fields: []dict.Field{
			{Name: "application", Type: dict.String}, {Name: "application_id", Type: dict.Int}, {Name: "ja4", Type: dict.Int},
			{Name: "dns_request", Type: dict.String},
		}},
		{Name: dict.Hosts, Key: dict.KeyAddress, Fields: []dict.Field{{Name: "captive_portal_authenticated", Type: dict.Bool}}},
		{Name: dict.Devices, Key: dict.KeyString},
		{Name: dict.Users, Key: dict.KeyString, Fields: []dict.Field{{Name: "own", Type: dict.Int}}},
		{Name: dict.Groups, Key: dict.KeyString, Open: true},
	} {
		if err := m.AddTable(old); err != nil {
			t.Fatal(err)
		}
	}
	if err := addStandard(m, 0); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, err := range Differences(m) {
		got = append(got, strings.Split(err.Error(), "\n")...)
	}
	want := []string{
		"table sessions: application_id is no name of field application",
		"field ja4 is int, not long_string",
		"there is no field server_dns_hint, and one of its names is another's",
		"table hosts: field captive_portal_authenticated is bool, not bool default false",
		"table devices: its key is string, not ether_addr",
		"table groups: it is open",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differences (-want +got)\n%s", diff)
	}
	fresh := dicttest.NewMem(nil)
	if err := addStandard(fresh, 0); err != nil {
		t.Fatal(err)
	}
	if all := Differences(fresh); len(all) > 0 {
		t.Errorf("fresh tables: %v", all)
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
