// SPDX-License-Identifier: MIT

package dict

import (
	"fmt"
	"strconv"
	"time"
)

// ttlUnits are the units of a time span, longest first.
var ttlUnits = [...]struct {
	word byte
	span time.Duration
}{{'d', 24 * time.Hour}, {'h', time.Hour}, {'m', time.Minute}, {'s', time.Second}}

// FormatTTL returns whole seconds as nft writes time spans: 1d2h3m4s, 0s.
// ParseTTL reads it.
func FormatTTL(d time.Duration) string {
	if d < time.Second {
		return "0s"
	}
	var b []byte
	for _, u := range ttlUnits {
		if n := d / u.span; n > 0 {
			b = append(strconv.AppendInt(b, int64(n), 10), u.word)
			d -= n * u.span
		}
	}
	return string(b)
}

// ParseTTL reads a time span: numbers with the units d, h, m and s, each at
// most once and in this order, or a number of seconds. The error wraps
// ErrInvalid or ErrRange (over MaxTTL) and names the text.
func ParseTTL(text string) (time.Duration, error) {
	bad := func(err error) (time.Duration, error) {
		return 0, fmt.Errorf("time %s: %w: want a span like 1h30m or 90s, at most %s", brief(text), err, FormatTTL(MaxTTL))
	}
	rest, units := text, ttlUnits[:]
	var sum time.Duration
	for first := true; first || rest != ""; first = false {
		n := 0
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		if n == 0 {
			return bad(ErrInvalid)
		}
		num, err := strconv.ParseInt(rest[:n], 10, 64)
		if err != nil || num > int64(MaxTTL/time.Second) {
			return bad(ErrRange)
		}
		if rest = rest[n:]; rest == "" {
			if !first {
				return bad(ErrInvalid)
			}
			rest = "s"
		}
		for len(units) > 0 && units[0].word != rest[0] {
			units = units[1:]
		}
		if len(units) == 0 {
			return bad(ErrInvalid)
		}
		if num > int64((MaxTTL-sum)/units[0].span) {
			return bad(ErrRange)
		}
		sum += time.Duration(num) * units[0].span
		rest, units = rest[1:], units[1:]
	}
	return sum, nil
}
