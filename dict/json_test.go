// SPDX-License-Identifier: MIT

package dict_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nftdict/dict"
)

func TestRowJSON(t *testing.T) {
	users, free := usersTable(), dict.Table{Name: "free", Key: dict.KeyString, Open: true}
	k, err := dict.StringKey(`a"l`)
	if err != nil {
		t.Fatal(err)
	}
	r := dict.Row{Key: k, TTL: time.Minute, Cells: []dict.Cell{
		{Field: "usergroups", Value: dict.MustString("a<b>\n")}, {Field: "quota_exceeded", Value: dict.BoolValue(true)},
		{Field: "port", Value: dict.IntValue(-5)}, {Field: "quota", Value: dict.Int64Value(math.MaxInt64)}, {Field: "addr", Value: dict.AddrValue(netipAddr("::1"))},
	}}
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"schema", users.AppendRowJSON(nil, r), `{"key":"a\"l","ttl":60,"cells":{"usergroups":"a<b>\n","quota_exceeded":true,"port":-5,"quota":9223372036854775807,"addr":"::1"}}`},
		{"open", free.AppendRowJSON(nil, r), `{"key":"a\"l","ttl":60,"cells":{"usergroups":"a<b>\n","quota_exceeded":true,"port":{"type":"int","value":-5},"quota":{"type":"int64","value":9223372036854775807},"addr":{"type":"ipv6_addr","value":"::1"}}}`},
		{"empty", users.AppendRowJSON(nil, dict.Row{Key: dict.CtID(5)}), `{"key":5,"cells":{}}`},
	} {
		if string(c.got) != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, c.got, c.want)
		}
	}
	alone, err := json.Marshal([]dict.Row{r, {}})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(alone), `[{"key":{"type":"string","value":"a\"l"},"ttl":60,"cells":{`) || !strings.HasSuffix(string(alone), `,{"key":null,"cells":{}}]`) {
		t.Errorf("without a schema: %s", alone)
	}
	var back []dict.Row
	if err := json.Unmarshal(alone, &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]dict.Row{r, {}}, back, equate()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	spread := `
	{ "cells" : { "quota" : 9007199254740993 , "port" : { "value" : 1, "type" : "int" } } ,
	  "key" : "al" }`
	got, err := users.ParseRowJSON([]byte(spread))
	if err != nil || string(users.AppendRowJSON(nil, got)) != `{"key":"al","cells":{"quota":9007199254740993,"port":1}}` {
		t.Errorf("spread over lines: %s, %v", users.AppendRowJSON(nil, got), err)
	}
	if got, err = users.ParseRowJSON([]byte(`{"key":"al"}`)); err != nil || got.Key.Str() != "al" || len(got.Cells) != 0 {
		t.Errorf("without cells: %v, %v", got, err)
	}
	change, err := json.Marshal(dict.Change{Table: "users", Kind: dict.Deleted, Row: dict.Row{Key: dict.CtID(5), Cells: []dict.Cell{{Field: "port"}}}})
	if want := `{"table":"users","kind":"deleted","row":{"key":{"type":"ct_id","value":5},"cells":{"port":null}}}`; err != nil || string(change) != want {
		t.Errorf("change:\n got %s\nwant %s", change, want)
	}
	var c dict.Change
	if err := json.Unmarshal(change, &c); err != nil || c.Kind != dict.Deleted || c.Row.Key != dict.CtID(5) || len(c.Row.Cells) != 1 {
		t.Errorf("change: got %+v, %v", c, err)
	}
	if err := json.Unmarshal([]byte(`{"kind":"gone"}`), &c); !errors.Is(err, dict.ErrInvalid) {
		t.Errorf("an unknown kind: %v", err)
	}
}

func TestRowJSONErrors(t *testing.T) {
	users, free := usersTable(), dict.Table{Name: "free", Key: dict.KeyCtID, Open: true}
	for text, want := range map[string]error{
		``:                                       dict.ErrInvalid,
		`null`:                                   dict.ErrInvalid,
		`5`:                                      dict.ErrInvalid,
		`{}`:                                     dict.ErrInvalid,
		`{"key":"al"} {}`:                        dict.ErrInvalid,
		`{"key":"al","kells":{}}`:                dict.ErrInvalid,
		`{"key":5}`:                              dict.ErrType,
		`{"key":null}`:                           dict.ErrType,
		`{"key":["al"]}`:                         dict.ErrType,
		`{"key":""}`:                             dict.ErrInvalid,
		`{"key":"al","ttl":-1}`:                  dict.ErrRange,
		`{"key":"al","ttl":1.5}`:                 dict.ErrInvalid,
		`{"key":"al","ttl":9223372036854775807}`: dict.ErrRange,
		`{"key":"al","cells":[]}`:                dict.ErrInvalid,
		`{"key":"al","cells":null}`:              dict.ErrInvalid,
		`{"key":"al","cells":{"nosuch":1}}`:      dict.ErrNotExist,
		`{"key":"al","cells":{"port":"5"}}`:      dict.ErrType,
		`{"key":"al","cells":{"port":5.0}}`:      dict.ErrInvalid,
		`{"key":"al","cells":{"port":1e3}}`:      dict.ErrInvalid,
		`{"key":"al","cells":{"port":3000000000}}`:                               dict.ErrRange,
		`{"key":"al","cells":{"port":true}}`:                                     dict.ErrType,
		`{"key":"al","cells":{"port":null}}`:                                     dict.ErrInvalid,
		`{"key":"al","cells":{"port":[5]}}`:                                      dict.ErrType,
		`{"key":"al","cells":{"port":{"type":"int64","value":5}}}`:               dict.ErrType,
		`{"key":"al","cells":{"port":{"type":"flot","value":5}}}`:                dict.ErrInvalid,
		`{"key":"al","cells":{"port":{"value":5}}}`:                              dict.ErrInvalid,
		`{"key":"al","cells":{"port":{"type":"int"}}}`:                           dict.ErrInvalid,
		`{"key":"al","cells":{"quota_exceeded":1}}`:                              dict.ErrType,
		`{"key":"al","cells":{"addr":"10.0.0.0/8"}}`:                             dict.ErrInvalid,
		`{"key":"al","cells":{"usergroups":"\u0000"}}`:                           dict.ErrInvalid,
		`{"key":"al","cells":{"usergroups":"\ud800"}}`:                           dict.ErrInvalid,
		"{\"key\":\"al\",\"cells\":{\"usergroups\":\"\xff\"}}":                   dict.ErrInvalid,
		`{"key":"al","cells":{"usergroups":"` + strings.Repeat("a", 129) + `"}}`: dict.ErrTooLong,
	} {
		r, err := users.ParseRowJSON([]byte(text))
		if !errors.Is(err, want) || !strings.HasPrefix(err.Error(), "row users") {
			t.Errorf("%s:\n got %v, %v\nwant %v", text, r, err, want)
		}
	}
	for text, want := range map[string]error{
		`{"key":5,"cells":{"a":5}}`:     dict.ErrType,
		`{"key":5,"cells":{"a b":"x"}}`: dict.ErrInvalid,
		`{"key":-5}`:                    dict.ErrRange,
		`{"key":"5"}`:                   dict.ErrType,
	} {
		if r, err := free.ParseRowJSON([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%s:\n got %v, %v\nwant %v", text, r, err, want)
		}
	}
}

func TestTableJSON(t *testing.T) {
	users := usersTable()
	data, err := json.Marshal(users)
	want := `{"name":"users","key":"string","limit":100,"timeout":300,"fields":[{"name":"usergroups","type":"long_string","aliases":["user_group"]},{"name":"quota_exceeded","type":"bool","default":false},{"name":"port","type":"int"},{"name":"quota","type":"int64"},{"name":"ttl","type":"int"},{"name":"addr","type":"address"}]}`
	if err != nil || string(data) != want {
		t.Errorf("%v\n got %s\nwant %s", err, data, want)
	}
	all := append(dict.Standard(7), users, dict.Table{Name: "free", Key: dict.KeyMark, Limit: 5, Open: true, Fields: []dict.Field{{Name: "a", Aliases: []string{"b"}}}},
		dict.Table{Name: "def", Key: dict.KeyInt, Limit: 5, Fields: []dict.Field{{Name: "a", Type: dict.Address, Default: dict.AddrValue(netipAddr("10.0.0.1"))}, {Name: "s", Type: dict.String, Default: dict.MustString("")}}})
	data, err = json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	var back []dict.Table
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(all, back, equate()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for text, want := range map[string]error{
		`{"name":"t"}`:                                                                             dict.ErrInvalid,
		`{"name":"t","key":"flot"}`:                                                                dict.ErrInvalid,
		`{"name":"a b","key":"int"}`:                                                               dict.ErrInvalid,
		`{"name":"t","key":"int","size":5}`:                                                        dict.ErrInvalid,
		`{"name":"t","key":"int","limit":-5}`:                                                      dict.ErrRange,
		`{"name":"t","key":"int","timeout":-5}`:                                                    dict.ErrRange,
		`{"name":"t","key":"int","timeout":9e18}`:                                                  dict.ErrInvalid,
		`{"name":"t","key":"int","fields":[{"name":"a"}]}`:                                         dict.ErrInvalid,
		`{"name":"t","key":"int","fields":[{"name":"a","type":"int","default":"5"}]}`:              dict.ErrType,
		`{"name":"t","key":"int","fields":[{"name":"a","type":"int","default":3000000000}]}`:       dict.ErrRange,
		`{"name":"t","key":"int","fields":[{"name":"a","type":"int"},{"name":"a","type":"bool"}]}`: dict.ErrExist,
	} {
		tab := dict.Table{Name: "before"}
		if err := json.Unmarshal([]byte(text), &tab); !errors.Is(err, want) || tab.Name != "before" {
			t.Errorf("%s: got %v, %v, want %v", text, tab, err, want)
		}
	}
}
