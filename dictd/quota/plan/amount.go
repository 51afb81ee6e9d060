// SPDX-License-Identifier: MIT

package plan

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"nftdict/dict"
)

// Unit is what a budget counts.
type Unit uint8

// The units.
const (
	Bytes   Unit = iota // of forwarded IP packets
	Seconds             // in which something moved
)

// String returns "bytes" or "seconds".
func (u Unit) String() string {
	if u == Seconds {
		return "seconds"
	}
	return "bytes"
}

// multiples of a byte, the longest endings first.
var multiples = []struct {
	ending string
	bytes  float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"PiB", 1 << 50},
	{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"PB", 1e15}, {"EB", 1e18}, {"B", 1}, {"", 1},
}

// maxAmount is the most that a budget may have, 1 EB: sums of several stay within an
// int64.
const maxAmount = 1e18

// ParseAmount reads an amount: "20MB" and "5GiB" are bytes, "2h" and "1h30m" are
// time. A number alone is bytes. The error wraps dict.ErrInvalid or
// dict.ErrRange.
func ParseAmount(text string) (int64, Unit, error) {
	if d, err := time.ParseDuration(text); err == nil && text != "0" {
		if d < 0 || d%time.Second != 0 {
			return 0, 0, fmt.Errorf("time %s: %w: want whole seconds, at least none", dict.Quote(text), dict.ErrRange)
		}
		return int64(d / time.Second), Seconds, nil
	}
	n, err := parseBytes(text)
	return n, Bytes, err
}

func parseBytes(text string) (int64, error) {
	for _, m := range multiples {
		digits, ok := strings.CutSuffix(text, m.ending)
		if !ok {
			continue
		}
		digits = strings.TrimSuffix(digits, " ")
		if n, err := strconv.ParseInt(digits, 10, 64); err == nil && n >= 0 && float64(n)*m.bytes <= maxAmount {
			return n * int64(m.bytes), nil
		}
		if strings.Trim(digits, "0123456789.") != "" {
			break
		}
		f, err := strconv.ParseFloat(digits, 64)
		switch {
		case err != nil:
			return 0, fmt.Errorf("amount %s: %w: want one such as 20MB, 1.5GiB or 2h", dict.Quote(text), dict.ErrInvalid)
		case f*m.bytes > maxAmount:
			return 0, fmt.Errorf("amount %s: %w", dict.Quote(text), dict.ErrRange)
		}
		return int64(f * m.bytes), nil
	}
	return 0, fmt.Errorf("amount %s: %w: want one such as 20MB, 1.5GiB or 2h", dict.Quote(text), dict.ErrInvalid)
}

// FormatAmount writes an amount for people: "1.5 GB", "1h30m".
func FormatAmount(n int64, u Unit) string {
	if u == Seconds {
		text := (time.Duration(n) * time.Second).String()
		if strings.HasSuffix(text, "m0s") {
			text = strings.TrimSuffix(text, "0s")
		}
		if strings.HasSuffix(text, "h0m") {
			text = strings.TrimSuffix(text, "0m")
		}
		return text
	}
	size, unit := math.Abs(float64(n)), 0
	for size >= 999.95 && unit < len(scale)-1 {
		size /= 1000
		unit++
	}
	text := strconv.FormatFloat(size, 'f', 1, 64)
	text = strings.TrimSuffix(text, ".0") + " " + scale[unit]
	if n < 0 {
		return "-" + text
	}
	return text
}

var scale = [...]string{"B", "kB", "MB", "GB", "TB", "PB", "EB"}
