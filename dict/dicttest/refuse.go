// SPDX-License-Identifier: MIT

package dicttest

import (
	"strings"
	"testing"
	"time"

	"nftdict/dict"
)

// refusals: every bad input has its error, and a refused call changes nothing.
func (x *suite) refusals(t *testing.T) {
	al, bo := key("al"), key("bo")
	free := dict.Table{Name: "free", Key: dict.KeyString, Open: true}
	s := x.with(t, people(), free)
	must(t, s.Put("people", dict.Row{Key: al, Cells: cells("quota", num(1), "age", dict.IntValue(2)), TTL: time.Hour}))
	must(t, s.Put("free", row(al, "f", num(1))))

	put := func(table string, r dict.Row) func() error {
		return func() error { return s.Put(table, r) }
	}
	add := func(table string, r dict.Row) func() error {
		return func() error { return s.Add(table, r) }
	}
	for name, c := range map[string]struct {
		f     func() error
		err   error
		parts []string
	}{
		"put, no table":          {put("nobody", row(al)), dict.ErrNotExist, []string{"nobody"}},
		"put, bad table name":    {put("no body\n", row(al)), dict.ErrNotExist, []string{`"no body\x0a"`}},
		"put, empty table name":  {put("", row(al)), dict.ErrNotExist, nil},
		"put, no field":          {put("people", row(al, "quota", num(5), "aplication", str("X"))), dict.ErrNotExist, []string{"people", `"al"`, `"aplication"`}},
		"put, new row, no field": {put("people", row(bo, "quota", num(5), "aplication", str("X"))), dict.ErrNotExist, []string{"people", `"bo"`, `"aplication"`}},
		"put, empty field name":  {put("people", row(al, "", num(5))), dict.ErrNotExist, []string{"people", `"al"`}},
		"put, string for int":    {put("people", row(al, "quota", num(5), "age", str("X"))), dict.ErrType, []string{"people", `"al"`, `"age"`, `"X"`, "int"}},
		"put, int for string":    {put("people", row(al, "quota", num(5), "groups", num(7))), dict.ErrType, []string{"people", `"al"`, `"groups"`, "7", "long_string"}},
		"put, int64 for int":     {put("people", row(al, "quota", num(5), "age", num(7))), dict.ErrType, []string{"people", `"al"`, `"age"`, "7", "int64"}},
		"put, int for bool":      {put("people", row(al, "quota", num(5), "quota_exceeded", num(1))), dict.ErrType, []string{"people", `"al"`, `"quota_exceeded"`, "bool"}},
		"put, v6 for v4":         {put("people", row(al, "quota", num(5), "address4", addr("::1"))), dict.ErrType, []string{"people", `"al"`, `"address4"`, "::1", "ipv4_addr"}},
		"put, mapped for v4":     {put("people", row(al, "quota", num(5), "address4", addr("::ffff:10.0.0.1"))), dict.ErrType, []string{"people", `"al"`, `"address4"`, "ipv4_addr"}},
		"put, ether for address": {put("people", row(al, "quota", num(5), "address", dict.EtherValue([6]byte{2}))), dict.ErrType, []string{"people", `"al"`, `"address"`}},
		"put, no value":          {put("people", row(al, "quota", num(5), "age", dict.Value{})), dict.ErrInvalid, []string{"people", `"al"`, `"age"`}},
		"put, no key":            {put("people", row(dict.Key{}, "quota", num(5))), dict.ErrType, []string{"people"}},
		"put, key of other type": {put("people", row(dict.CtID(77), "quota", num(5))), dict.ErrType, []string{"people", "77", "ct_id", "string"}},
		"put, negative ttl":      {put("people", dict.Row{Key: al, Cells: cells("quota", num(5)), TTL: -time.Second}), dict.ErrRange, []string{"people", `"al"`, "-1s"}},
		"put, ttl of half":       {put("people", dict.Row{Key: al, Cells: cells("quota", num(5)), TTL: 2500 * time.Millisecond}), dict.ErrInvalid, []string{"people", `"al"`, "2.5s"}},
		"put, ttl too long":      {put("people", dict.Row{Key: al, Cells: cells("quota", num(5)), TTL: dict.MaxTTL + time.Second}), dict.ErrRange, []string{"people", `"al"`}},
		"put, open, bad name":    {put("free", row(al, "f", num(5), "a b", num(5))), dict.ErrInvalid, []string{"free", `"al"`, `"a b"`}},
		"put, open, no name":     {put("free", row(al, "f", num(5), "", num(5))), dict.ErrInvalid, []string{"free", `"al"`}},
		"put, open, long name":   {put("free", row(al, "f", num(5), strings.Repeat("n", dict.MaxName+1), num(5))), dict.ErrTooLong, []string{"free", `"al"`}},
		"put, open, no value":    {put("free", row(al, "f", num(5), "g", dict.Value{})), dict.ErrInvalid, []string{"free", `"al"`, `"g"`}},
		"add, no table":          {add("nobody", row(al)), dict.ErrNotExist, []string{"nobody"}},
		"add, no field":          {add("people", row(al, "quota", num(5), "aplication", num(1))), dict.ErrNotExist, []string{"people", `"al"`, `"aplication"`}},
		"add, no number":         {add("people", row(al, "quota", num(5), "groups", str("5"))), dict.ErrType, []string{"people", `"al"`, `"groups"`, `"5"`}},
		"add, bool":              {add("people", row(al, "quota", num(5), "quota_exceeded", dict.BoolValue(true))), dict.ErrType, []string{"people", `"al"`, `"quota_exceeded"`}},
		"add, number for string": {add("people", row(al, "quota", num(5), "groups", num(1))), dict.ErrType, []string{"people", `"al"`, `"groups"`}},
		"add, new row, no type":  {add("people", row(bo, "quota", num(5), "groups", str("g"))), dict.ErrType, []string{"people", `"bo"`, `"groups"`}},
		"add, int64 for int":     {add("people", row(al, "quota", num(5), "age", num(7))), dict.ErrType, []string{"people", `"al"`, `"age"`, "7", "int64"}},
		"add, no amount":         {add("people", row(al, "quota", num(5), "age", dict.Value{})), dict.ErrInvalid, []string{"people", `"al"`, `"age"`}},
		"add, two amounts":       {add("people", row(al, "quota", num(5), "age", dict.IntValue(1), "quota", num(5))), dict.ErrInvalid, []string{"people", `"al"`, `"quota"`}},
		"add, no key":            {add("people", row(dict.Key{}, "quota", num(5))), dict.ErrType, []string{"people"}},
		"add, key of other type": {add("people", row(dict.CtID(77), "quota", num(5))), dict.ErrType, []string{"people", "77", "ct_id", "string"}},
		"add, negative ttl":      {add("people", dict.Row{Key: al, Cells: cells("quota", num(5)), TTL: -time.Second}), dict.ErrRange, []string{"people", `"al"`, "-1s"}},
		"add, open, bad name":    {add("free", row(al, "f", num(5), "a b", num(5))), dict.ErrInvalid, []string{"free", `"al"`, `"a b"`}},
		"add, open, no number":   {add("free", row(al, "f", num(5), "g", str("g"))), dict.ErrType, []string{"free", `"al"`, `"g"`}},
		"get, no table":          {func() error { _, err := s.Get("nobody", al); return err }, dict.ErrNotExist, []string{"nobody"}},
		"get, no row":            {func() error { _, err := s.Get("people", bo); return err }, dict.ErrNotExist, []string{"people", `"bo"`}},
		"get, other key":         {func() error { _, err := s.Get("people", dict.IntKey(77)); return err }, dict.ErrType, []string{"people", "77", "string"}},
		"get, no key":            {func() error { _, err := s.Get("people", dict.Key{}); return err }, dict.ErrType, []string{"people"}},
		"delete, no table":       {func() error { return s.Delete("nobody", al) }, dict.ErrNotExist, []string{"nobody"}},
		"delete, no row":         {func() error { return s.Delete("people", bo) }, dict.ErrNotExist, []string{"people", `"bo"`}},
		"delete, field, no row":  {func() error { return s.Delete("people", bo, "age") }, dict.ErrNotExist, []string{"people", `"bo"`}},
		"delete, no field":       {func() error { return s.Delete("people", al, "age", "aplication") }, dict.ErrNotExist, []string{"people", `"al"`, `"aplication"`}},
		"delete, empty field":    {func() error { return s.Delete("people", al, "groups") }, dict.ErrNotExist, []string{"people", `"al"`, `"groups"`}},
		"delete, open, no field": {func() error { return s.Delete("free", al, "f", "g") }, dict.ErrNotExist, []string{"free", `"al"`, `"g"`}},
		"delete, other key":      {func() error { return s.Delete("people", dict.IntKey(77)) }, dict.ErrType, []string{"people", "77"}},
		"renew, no table":        {func() error { _, err := s.Renew("nobody", 0, al); return err }, dict.ErrNotExist, []string{"nobody"}},
		"renew, other key":       {func() error { _, err := s.Renew("people", 0, al, dict.IntKey(77)); return err }, dict.ErrType, []string{"people", "77"}},
		"renew, negative":        {func() error { _, err := s.Renew("people", -time.Second, al); return err }, dict.ErrRange, []string{"people", "-1s"}},
		"renew, half":            {func() error { _, err := s.Renew("people", time.Second/2, al); return err }, dict.ErrInvalid, []string{"people", "500ms"}},
		"renew, too long":        {func() error { _, err := s.Renew("people", dict.MaxTTL+time.Second, al); return err }, dict.ErrRange, []string{"people"}},
		"rows, no table":         {func() error { return firstError(s, "nobody") }, dict.ErrNotExist, []string{"nobody"}},
		"stats, no table":        {func() error { _, err := s.Stats("nobody"); return err }, dict.ErrNotExist, []string{"nobody"}},
		"table, no table":        {func() error { _, err := s.Table("nobody"); return err }, dict.ErrNotExist, []string{"nobody"}},
		"delete no table":        {func() error { return s.DeleteTable("nobody") }, dict.ErrNotExist, []string{"nobody"}},
		"no field for no table":  {func() error { return s.AddFields("nobody") }, dict.ErrNotExist, []string{"nobody"}},
	} {
		before := dump(t, s)
		err := c.f()
		if err == nil {
			t.Fatalf("%s: no error", name)
		}
		refused(t, err, c.err, c.parts...)
		if strings.ContainsAny(err.Error(), "\n\x00") {
			t.Errorf("%s: error %q spans lines", name, err)
		}
		same(t, name+": state after the refusal", dump(t, s), before)
		r, err := s.Get("people", al)
		must(t, err)
		if r.TTL < 50*time.Minute || r.TTL > time.Hour+2*time.Second {
			t.Errorf("%s: the row now lives for %v, not an hour", name, r.TTL)
		}
	}
}

// firstError returns the first error of an iteration and checks that it ends
// there.
func firstError(s dict.Store, table string) error {
	var first error
	for _, err := range s.Rows(table) {
		if first != nil {
			return nil
		}
		first = err
	}
	return first
}
