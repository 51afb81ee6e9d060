// SPDX-License-Identifier: MIT

package dict_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nftdict/dict"
)

func TestNormal(t *testing.T) {
	in := dict.Table{Name: "a-b", Key: dict.KeyInt, Fields: []dict.Field{{Name: "x-y", Type: dict.Int64, Default: dict.IntValue(1), Aliases: []string{"z-z"}}}}
	out, err := in.Normal()
	if err != nil {
		t.Fatal(err)
	}
	want := dict.Table{Name: "a_b", Key: dict.KeyInt, Limit: dict.DefaultLimit, Fields: []dict.Field{{Name: "x_y", Type: dict.Int64, Default: dict.Int64Value(1), Aliases: []string{"z_z"}}}}
	if d := cmp.Diff(want, out, equate()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	again, err := out.Normal()
	if err != nil || !cmp.Equal(out, again, equate()) {
		t.Errorf("normal twice: %+v, %v", again, err)
	}
	out.Fields[0].Name, out.Fields[0].Aliases[0] = "altered", "altered"
	if in.Fields[0].Name != "x-y" || in.Fields[0].Aliases[0] != "z-z" || again.Fields[0].Aliases[0] != "z_z" {
		t.Error("the copy is not deep")
	}
}

func TestWithLeavesTheOriginal(t *testing.T) {
	a, err := dict.Table{Name: "t", Key: dict.KeyInt, Fields: []dict.Field{{Name: "f", Type: dict.Bool}}}.Normal()
	if err != nil {
		t.Fatal(err)
	}
	a.Fields = append(make([]dict.Field, 0, 10), a.Fields...)
	b, err := a.With(dict.Field{Name: "g", Type: dict.Bool})
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.With(dict.Field{Name: "h", Type: dict.Bool})
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Fields) != 1 || b.Fields[1].Name != "g" || c.Fields[1].Name != "h" {
		t.Errorf("%v %v %v share fields", a.Fields, b.Fields, c.Fields)
	}
	if _, err := a.With(dict.Field{Name: "x", Type: dict.Bool, Aliases: make([]string, dict.MaxAliases+1)}); !errors.Is(err, dict.ErrFull) {
		t.Errorf("too many aliases: %v", err)
	}
}

func TestField(t *testing.T) {
	sessions := dict.Standard(1)[0]
	for name, want := range map[string]string{
		"application": "application", "dns_request": "server_dns_hint", "dns-prediction": "server_dns_hint", "application-chain": "application_protochain",
		"category_inferred": "application_category_inferred", "server-cert-cn": "cert_dns_names", "user_group": "usergroups",
	} {
		f, err := sessions.Field(name)
		if err != nil || f.Name != want {
			t.Errorf("%s: got %v, %v, want %s", name, f, err, want)
		}
	}
	_, err := sessions.Field("aplication")
	if !errors.Is(err, dict.ErrNotExist) || err.Error() != `sessions: field "aplication": does not exist` {
		t.Errorf("an unknown field: %v", err)
	}
	if sessions.Index("") != -1 || sessions.Index("Application") != -1 {
		t.Error("fields that do not exist are found")
	}
	// A table that is not normal yet.
	raw := dict.Table{Fields: []dict.Field{{Name: "a", Aliases: []string{"b-c"}}, {Name: "b-d"}}}
	if raw.Index("b_c") != 0 || raw.Index("b_d") != 1 || raw.Index("b-d") != 1 {
		t.Error("a raw table's fields are not found in any spelling")
	}
}

func TestLife(t *testing.T) {
	for _, c := range []struct {
		table dict.Table
		ttl   time.Duration
		want  time.Duration
		err   error
	}{
		{dict.Table{}, 0, 0, nil},
		{dict.Table{}, time.Second, time.Second, nil},
		{dict.Table{Timeout: time.Minute}, 0, time.Minute, nil},
		{dict.Table{Timeout: time.Minute}, time.Hour, time.Hour, nil},
		{dict.Table{Bound: true}, 0, dict.Lease, nil},
		{dict.Table{Bound: true}, time.Second, time.Second, nil},
		{dict.Table{Bound: true, Timeout: time.Minute}, 0, time.Minute, nil},
		{dict.Table{}, dict.MaxTTL, dict.MaxTTL, nil},
		{dict.Table{}, dict.MaxTTL + time.Second, 0, dict.ErrRange},
		{dict.Table{}, -time.Second, 0, dict.ErrRange},
		{dict.Table{}, time.Millisecond, 0, dict.ErrInvalid},
	} {
		if got, err := c.table.Life("set", c.ttl); got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%+v, %v: got %v, %v, want %v, %v", c.table, c.ttl, got, err, c.want, c.err)
		}
	}
}

func TestCheckRow(t *testing.T) {
	users := usersTable()
	k, err := dict.StringKey("al")
	if err != nil {
		t.Fatal(err)
	}
	in := dict.Row{Key: k, TTL: time.Second, Cells: []dict.Cell{
		{Field: "quota", Value: dict.IntValue(1)}, {Field: "user-group", Value: dict.MustString("a")}, {Field: "usergroups", Value: dict.MustString("b")}, {Field: "quota", Value: dict.Int64Value(2)},
	}}
	want := dict.Row{Key: k, TTL: time.Second, Cells: []dict.Cell{{Field: "quota", Value: dict.Int64Value(2)}, {Field: "usergroups", Value: dict.MustString("b")}}}
	got, err := users.CheckRow("set", in)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, equate()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if in.Cells[0].Value != dict.IntValue(1) || in.Cells[1].Field != "user-group" {
		t.Error("the caller's row was altered")
	}
	if v, ok := got.Get("quota"); !ok || v != dict.Int64Value(2) {
		t.Errorf("Get: %v %v", v, ok)
	}
	if _, ok := got.Get("port"); ok {
		t.Error("Get finds a field that is not there")
	}
}

func TestStandard(t *testing.T) {
	want := map[string]dict.KeyType{"sessions": dict.KeyCtID, "hosts": dict.KeyAddress, "devices": dict.KeyEther, "users": dict.KeyString, "groups": dict.KeyString}
	for _, tab := range dict.Standard(12345) {
		n, err := tab.Normal()
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tab, n, equate()); d != "" {
			t.Errorf("%s is not in canonical form (-want +got):\n%s", tab.Name, d)
		}
		if want[tab.Name] != tab.Key || tab.Open {
			t.Errorf("%s: key type %s, open %v", tab.Name, tab.Key, tab.Open)
		}
		if tab.Bound != (tab.Name == dict.Sessions) || (tab.Limit == 12345) != tab.Bound {
			t.Errorf("%s: bound %v, limit %d", tab.Name, tab.Bound, tab.Limit)
		}
		delete(want, tab.Name)
		for _, f := range tab.Fields {
			if !f.Default.IsZero() && (tab.Name != dict.Hosts && tab.Name != dict.Devices || f.Name != "captive_portal_authenticated" || f.Default != dict.BoolValue(false)) {
				t.Errorf("%s %s has the default %s", tab.Name, f.Name, f.Default.Text())
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

func TestTTL(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "90": 90 * time.Second, "90s": 90 * time.Second, "1m30s": 90 * time.Second, "1d2h3m4s": 26*time.Hour + 3*time.Minute + 4*time.Second,
		"365d": dict.MaxTTL, "31536000": dict.MaxTTL, "1h5s": time.Hour + 5*time.Second,
	} {
		got, err := dict.ParseTTL(text)
		if err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", text, got, err, want)
		}
		if back, err := dict.ParseTTL(dict.FormatTTL(got)); err != nil || back != got {
			t.Errorf("%v is written %s and read %v, %v", got, dict.FormatTTL(got), back, err)
		}
	}
	for text, want := range map[string]error{
		"": dict.ErrInvalid, "s": dict.ErrInvalid, "-1s": dict.ErrInvalid, "1": nil, "1w": dict.ErrInvalid, "1s1m": dict.ErrInvalid, "1m1m": dict.ErrInvalid, "1m1": dict.ErrInvalid,
		"1ms": dict.ErrInvalid, "1.5s": dict.ErrInvalid, "366d": dict.ErrRange, "365d1s": dict.ErrRange, "31536001": dict.ErrRange, "99999999999999999999d": dict.ErrRange, "9223372036854775807d": dict.ErrRange,
	} {
		if _, err := dict.ParseTTL(text); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", text, err, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "0s", time.Second: "1s", time.Hour: "1h", 25 * time.Hour: "1d1h", 90 * time.Second: "1m30s"} {
		if got := dict.FormatTTL(d); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		}
	}
}
