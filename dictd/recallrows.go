// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"errors"
	"hash/maphash"
	"strings"
	"time"

	"nftdict/dict"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/offload"
	"nftdict/dictd/quota"
)

// Between two looks at rows: the least time, and how many times as long as a look took.
// To be told of changes would cost every packet that rules charge a message.
const (
	rowsEvery = time.Second
	rowsRest  = 19
)

// rowSums are sums of what rows say, by table and key.
type rowSums map[string]map[dict.Key]rowSum

// rowSum is what is kept of a row.
type rowSum struct {
	sum   uint64
	found bool // it says where somebody was seen: the daemon has found him, and written it
}

// watchRows takes back what belongs to whoever's row says something else, whoever has
// written it, as rules may read it: connections in flowtables, and their hosts, devices,
// users and groups.
func (d *Daemon) watchRows(ctx context.Context) error {
	seed, told := maphash.MakeSeed(), ""
	var known rowSums
	for pause := rowsEvery; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		if !d.carrying() {
			known, pause = nil, rowsEvery
			continue
		}
		begin := time.Now()
		now, err := d.sumRows(seed)
		pause = max(rowsEvery, rowsRest*time.Since(begin))
		if err != nil {
			if text := err.Error(); text != told {
				told = text
				d.o.Log.Error("rows that change take nothing out of flowtables, it is tried again", "err", err)
			}
			continue // what has changed meanwhile is seen the next time
		}
		told = ""
		if whom := changedRows(known, now); len(whom) > 0 {
			d.AskRecall(whom...)
		}
		known = now
	}
}

// carrying reports whether there may be a flowtable.
func (d *Daemon) carrying() bool {
	return d.config.Load().Offload.Enable || d.account.Ledger == nil || d.account.Besides()
}

// sumRows looks at all rows that matter.
func (d *Daemon) sumRows(seed maphash.Seed) (rowSums, error) {
	sums := make(rowSums)
	for _, table := range []string{dict.Hosts, dict.Devices, dict.Users, dict.Groups} {
		of := make(map[dict.Key]rowSum)
		for row, err := range d.o.Store.Rows(table) {
			if err != nil {
				return nil, err
			}
			of[row.Key] = sumRow(seed, &row)
		}
		sums[table] = of
	}
	of := make(map[dict.Key]rowSum)
	sums[dict.Sessions] = of
	err := d.recall.kernel.Offloaded(func(f *conntrack.Flow) { of[dict.CtID(f.ID)] = rowSum{} })
	if err != nil {
		return nil, err
	}
	for key := range of {
		switch row, err := d.o.Store.Get(dict.Sessions, key); {
		case err == nil:
			of[key] = sumRow(seed, &row)
		case !errors.Is(err, dict.ErrNotExist):
			return nil, err
		}
	}
	return sums, nil
}

// sumRow returns a sum of what a row says but for its figures: of budgets those who keep
// them take back what is near an end.
func sumRow(seed maphash.Seed, row *dict.Row) (s rowSum) {
	for _, c := range row.Cells {
		if strings.HasPrefix(c.Field, "quota_") || strings.HasSuffix(c.Field, "_rate") || c.Field == quota.NoOffload && !c.Value.Bool() {
			continue
		}
		s.found = s.found || c.Field == "mac_address" || c.Field == "interface"
		var h maphash.Hash
		h.SetSeed(seed)
		h.WriteString(c.Field)
		h.WriteByte(0)
		h.WriteString(c.Value.String())
		s.sum += h.Sum64() // in whatever order they come
	}
	return s
}

// changedRows returns whose connections rows are about that say something else now, or
// have come or gone. Before the first look nothing was known, nor was it of connections
// that were not in a flowtable then; and who has just been found has opened them since.
func changedRows(before, now rowSums) (whom []offload.Whom) {
	if before == nil {
		return nil
	}
	kinds := map[string]offload.WhomKind{
		dict.Sessions: offload.OfCt, dict.Hosts: offload.OfHost, dict.Devices: offload.OfDevice, dict.Users: offload.OfUser, dict.Groups: offload.OfGroup,
	}
	for table, kind := range kinds {
		for key, is := range now[table] {
			if was, ok := before[table][key]; was.sum != is.sum && (ok || kind != offload.OfCt && !is.found) {
				whom = append(whom, offload.Whom{Kind: kind, Name: key.String()})
			}
		}
		for key, was := range before[table] {
			if _, ok := now[table][key]; !ok && was.sum != 0 && kind != offload.OfCt {
				whom = append(whom, offload.Whom{Kind: kind, Name: key.String()})
			}
		}
	}
	return whom
}
