// SPDX-License-Identifier: MIT

package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"nftdict/dict"
)

// parsePeriod reads what says when budgets begin anew.
func (p *Plan) parsePeriod(s *Spec, d Defaults) error {
	c := &p.Calendar
	i := slices.Index(periodNames[:], s.Period)
	if i < 0 {
		return fmt.Errorf("period %s: %w: want %s", dict.Quote(s.Period), dict.ErrInvalid, strings.Join(periodNames[:], ", "))
	}
	c.Every, c.Zone, c.Weekday, c.Day = Period(i), d.Zone, time.Monday, 1
	if s.Reset != "" {
		at, err := time.Parse("15:04", s.Reset)
		if err != nil || c.Every < Day {
			return fmt.Errorf("reset %s: %w: want HH:MM, of a day, week or month", dict.Quote(s.Reset), dict.ErrInvalid)
		}
		c.Hour, c.Minute = at.Hour(), at.Minute()
	}
	if s.Zone != "" {
		zone, err := time.LoadLocation(s.Zone)
		if err != nil {
			return fmt.Errorf("zone %s: %w: want one such as \"Europe/Berlin\"", dict.Quote(s.Zone), dict.ErrInvalid)
		}
		c.Zone = zone
	}
	if s.Day == "" {
		return nil
	}
	switch c.Every {
	case Week:
		for day := range time.Saturday + 1 {
			if strings.EqualFold(day.String(), s.Day) {
				c.Weekday = day
				return nil
			}
		}
	case Month:
		if n, err := strconv.Atoi(s.Day); err == nil && n >= 1 && n <= 31 {
			c.Day = n
			return nil
		}
	}
	return fmt.Errorf("day %s: %w: want the name of a weekday for weeks, 1 to 31 for months", dict.Quote(s.Day), dict.ErrInvalid)
}

// parseEnd reads what is said of the end of a budget.
func (p *Plan) parseEnd(s *Spec, d Defaults) error {
	p.Warn = slices.Clone(s.Warn)
	slices.Sort(p.Warn)
	for _, percent := range p.Warn {
		if percent < 1 || percent > 99 {
			return fmt.Errorf("warn %d: %w: want percents, 1 to 99", percent, dict.ErrRange)
		}
	}
	switch word, number, _ := strings.Cut(s.Then, " "); word {
	case "", "block":
		if number == "" {
			return nil
		}
	case "reset":
		if p.Then = Reset; number == "" {
			return nil
		}
	case "drop":
		if p.Then = Drop; number == "" {
			return nil
		}
	case "throttle":
		p.Then, p.Mark = Throttle, d.Throttle
		if number == "" {
			return nil
		}
	case "class":
		mark, err := strconv.ParseUint(number, 0, 32)
		if err == nil && mark != 0 {
			p.Then, p.Mark = Class, uint32(mark)
			return nil
		}
	}
	return fmt.Errorf("then %s: %w: want block, reset, drop, throttle, or class with a mark that is not 0", dict.Quote(s.Then), dict.ErrInvalid)
}
