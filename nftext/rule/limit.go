// SPDX-License-Identifier: MIT

package rule

import (
	"fmt"
	"time"

	"github.com/google/nftables/expr"

	"nftdict/dict"
)

// Limit holds while packets, or bytes, do not come faster than Rate in Per; with
// Over it holds for those that come faster. It can also be kept for each element
// of a set (DynSet).
type Limit struct {
	Rate  uint64
	Per   time.Duration // a second, minute, hour, day (24 h) or week; 0 is a second
	Burst uint32        // how many more at once; 0 is nft's 5 packets, or no bytes
	Bytes bool          // Rate and Burst are bytes
	Over  bool
}

const (
	day  = 24 * time.Hour
	week = 7 * day
)

func (l Limit) unit() (expr.LimitTime, string) {
	switch l.Per {
	case 0, time.Second:
		return expr.LimitTimeSecond, "second"
	case time.Minute:
		return expr.LimitTimeMinute, "minute"
	case time.Hour:
		return expr.LimitTimeHour, "hour"
	case day:
		return expr.LimitTimeDay, "day"
	case week:
		return expr.LimitTimeWeek, "week"
	}
	return 0, l.Per.String()
}

// nftBurst is what nft takes where no burst of packets is named.
const nftBurst = 5

// String returns the statement as nft writes it.
func (l Limit) String() string {
	over := ""
	if l.Over {
		over = "over "
	}
	_, unit := l.unit()
	if !l.Bytes {
		return fmt.Sprintf("limit rate %s%d/%s burst %d packets", over, l.Rate, unit, l.burst())
	}
	text := fmt.Sprintf("limit rate %s%s/%s", over, size(l.Rate), unit)
	if l.Burst != 0 {
		text += " burst " + size(uint64(l.Burst))
	}
	return text
}

func (l Limit) burst() uint32 {
	if l.Burst == 0 && !l.Bytes {
		return nftBurst
	}
	return l.Burst
}

// size writes a number of bytes as nft does.
func size(n uint64) string {
	const kilo, mega = 1 << 10, 1 << 20
	switch {
	case n != 0 && n%mega == 0:
		return fmt.Sprintf("%d mbytes", n/mega)
	case n != 0 && n%kilo == 0:
		return fmt.Sprintf("%d kbytes", n/kilo)
	}
	return fmt.Sprintf("%d bytes", n)
}

func (Limit) remedy() string { return "the kernel refuses rates and bursts that it cannot count" }

func (l Limit) build(b *builder) error {
	e, err := l.stateful()
	if err == nil {
		b.add(e)
	}
	return err
}

func (l Limit) stateful() (expr.Any, error) {
	unit, word := l.unit()
	switch {
	case unit == 0:
		return nil, fmt.Errorf("per %s: %w: want a second, minute, hour, day or week", word, dict.ErrInvalid)
	case l.Rate == 0:
		return nil, fmt.Errorf("%w: a rate of 0 lets nothing through: use drop", dict.ErrInvalid)
	}
	typ := expr.LimitTypePkts
	if l.Bytes {
		typ = expr.LimitTypePktBytes
	}
	return &expr.Limit{Type: typ, Rate: l.Rate, Over: l.Over, Unit: unit, Burst: l.burst()}, nil
}

// Quota holds until Bytes have passed it; with Over it holds from then on.
type Quota struct {
	Bytes uint64
	Used  uint64 // bytes that count as passed
	Over  bool
}

// String returns the statement as nft writes it.
func (q Quota) String() string {
	text := "quota "
	if q.Over {
		text += "over "
	}
	text += size(q.Bytes)
	if q.Used != 0 {
		text += " used " + size(q.Used)
	}
	return text
}

func (q Quota) build(b *builder) error {
	e, err := q.stateful()
	if err == nil {
		b.add(e)
	}
	return err
}

func (q Quota) stateful() (expr.Any, error) {
	if q.Bytes == 0 {
		return nil, fmt.Errorf("%w: a quota of 0 bytes", dict.ErrInvalid)
	}
	return &expr.Quota{Bytes: q.Bytes, Consumed: q.Used, Over: q.Over}, nil
}

// Counter counts packets and bytes, from those named on.
type Counter struct{ Packets, Bytes uint64 }

// String returns the statement as nft writes it.
func (c Counter) String() string {
	return fmt.Sprintf("counter packets %d bytes %d", c.Packets, c.Bytes)
}

func (c Counter) build(b *builder) error {
	b.add(&expr.Counter{Packets: c.Packets, Bytes: c.Bytes})
	return nil
}

func (c Counter) stateful() (expr.Any, error) {
	return &expr.Counter{Packets: c.Packets, Bytes: c.Bytes}, nil
}

// Connections holds while there are at most Count connections; with Over it
// holds when there are more. It is most often kept for each element of a set.
type Connections struct {
	Count uint32
	Over  bool
}

// String returns the statement as nft writes it.
func (c Connections) String() string {
	if c.Over {
		return fmt.Sprintf("ct count over %d", c.Count)
	}
	return fmt.Sprintf("ct count %d", c.Count)
}

func (Connections) remedy() string { return "ct count needs a kernel with CONFIG_NFT_CONNLIMIT" }

func (c Connections) build(b *builder) error {
	e, err := c.stateful()
	if err == nil {
		b.add(e)
	}
	return err
}

func (c Connections) stateful() (expr.Any, error) {
	e := &expr.Connlimit{Count: c.Count}
	if c.Over {
		e.Flags = expr.NFT_CONNLIMIT_F_INV
	}
	return e, nil
}
