// SPDX-License-Identifier: MIT

package api

import (
	"errors"
	"iter"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nftdict/dictd/conntrack"
	"nftdict/dictd/ledger"
)

// Usage implements Source: one period, of which the query is not asked; hours are
// not kept.
func (s source) Usage(q ledger.Query) iter.Seq2[ledger.Uses, error] {
	if q.Period == ledger.Hour {
		return func(yield func(ledger.Uses, error) bool) { yield(ledger.Uses{}, ErrNoLedger) }
	}
	use := func(addr, user, app string, in uint64) ledger.KeyUse {
		return ledger.KeyUse{
			Key: ledger.Key{Address: netip.MustParseAddr(addr), MAC: [6]byte{2, 0, 0, 0, 0, 9}, User: user, Application: app},
			Use: ledger.Use{In: conntrack.Counter{Packets: 1, Bytes: in}, Connections: 1},
		}
	}
	return func(yield func(ledger.Uses, error) bool) {
		if !yield(ledger.Uses{Start: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), End: time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC), Uses: []ledger.KeyUse{
			use("10.0.0.9", "bob", "VIDEO", 10), use("10.0.0.9", "bob", "DNS", 1), use("10.0.0.8", "eve", "VIDEO", 100), use("10.0.0.7", "", "", 5),
		}}, nil) {
			return
		}
		if q.Since.Equal(time.Unix(7, 0)) {
			yield(ledger.Uses{}, errors.New("the disk is broken"))
		}
	}
}

func TestUsage(t *testing.T) {
	c := NewClient(serve(t, 0))
	of := func(name string, in, n uint64) UsageOf {
		return UsageOf{Name: name, In: Traffic{Bytes: in, Packets: n}, Connections: n}
	}
	for _, x := range []struct {
		q    UsageQuery
		want []UsageOf
		in   uint64
	}{
		{UsageQuery{}, []UsageOf{of("10.0.0.8", 100, 1), of("10.0.0.9", 11, 2), of("10.0.0.7", 5, 1)}, 116},
		{UsageQuery{By: "user", Limit: 2}, []UsageOf{of("eve", 100, 1), of("bob", 11, 2)}, 116},
		{UsageQuery{By: "application", User: "bob"}, []UsageOf{of("VIDEO", 10, 1), of("DNS", 1, 1)}, 11},
		{UsageQuery{By: "device", Host: "10.0.0.8"}, []UsageOf{of("02:00:00:00:00:09", 100, 1)}, 100},
		{UsageQuery{By: "host", Device: "02:00:00:00:00:01"}, []UsageOf{}, 0},
		{UsageQuery{By: "host", Application: "DNS", Since: time.Unix(0, 0), Till: time.Unix(1, 0)}, []UsageOf{of("10.0.0.9", 1, 1)}, 1},
	} {
		all, err := c.Usage(t.Context(), x.q)
		if err != nil || len(all) != 1 {
			t.Fatalf("%+v: %d periods, %v", x.q, len(all), err)
		}
		if diff := cmp.Diff(x.want, all[0].Uses); diff != "" || all[0].Total.In.Bytes != x.in {
			t.Errorf("%+v (-want +got): total %+v\n%s", x.q, all[0].Total, diff)
		}
		if !all[0].End.Equal(time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("the day ends %s", all[0].End)
		}
	}
	for _, q := range []UsageQuery{{By: "colour"}, {Period: "week"}, {Host: "nobody"}, {Device: "1"}} {
		var refused *Error
		if _, err := c.Usage(t.Context(), q); !errors.As(err, &refused) || refused.Status != 400 {
			t.Errorf("%+v: %v", q, err)
		}
	}
	if all, err := c.Usage(t.Context(), UsageQuery{Since: time.Unix(7, 0)}); err == nil {
		t.Errorf("a list that breaks off looks whole: %+v", all)
	}
	var refused *Error
	if _, err := c.Usage(t.Context(), UsageQuery{Period: "hour"}); !errors.As(err, &refused) || refused.Status != 404 || refused.Remedy == "" {
		t.Errorf("without a ledger: %v", err)
	}
}
