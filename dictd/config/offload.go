// SPDX-License-Identifier: MIT

package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"nftdict/dict"
	"nftdict/dictd/offload"
	"nftdict/nftext"
)

// Offload says which connections a flowtable carries past all rules.
type Offload struct {
	Enable   bool     `toml:"enable"`
	Devices  []string `toml:"devices"`  // names or patterns; none means all that can
	Hardware string   `toml:"hardware"` // auto, off or on
	Ingress  int      `toml:"ingress"`  // priority of the flowtable at the hook ingress
	Priority int      `toml:"priority"` // of the chain at the hook forward
	Keep     Keep     `toml:"keep"`     // what it does not carry
	Counts   bool     `toml:"hardware_counts"`
	Follow   bool     `toml:"follow"` // changes of others' rules and of routes
}

// Keep names connections that stay on the slow path.
type Keep struct {
	Applications []string `toml:"applications"`
	Categories   []string `toml:"categories"`
	Users        []string `toml:"users"`
	Marks        []string `toml:"marks"` // "0x10", or "0x10/0xf0" with a mask
}

func defaultOffload() Offload {
	return Offload{
		Devices: []string{}, Hardware: "auto", Priority: 300, Follow: true,
		Keep: Keep{Applications: []string{}, Categories: []string{}, Users: []string{}, Marks: []string{}},
	}
}

// Offloads returns what goes into the flowtable: what plans slow down by marks, and,
// where devices do not count, who has a budget, does not.
func (c *Config) Offloads() (offload.Config, error) {
	o := offload.Config{
		Enable: c.Offload.Enable, Devices: c.Offload.Devices, Ingress: int32(c.Offload.Ingress), Priority: int32(c.Offload.Priority),
		Keep:   offload.Keep{Applications: c.Offload.Keep.Applications, Categories: c.Offload.Keep.Categories, Users: c.Offload.Keep.Users},
		Counts: c.Offload.Counts, Follow: c.Offload.Follow, Metered: map[string][]string{},
	}
	var errs []error
	switch c.Offload.Hardware {
	case "auto":
	case "off":
		o.Hardware = offload.Off
	case "on":
		o.Hardware = offload.On
	default:
		errs = append(errs, fmt.Errorf("offload.hardware %s: %w: want auto, off, on", dict.Quote(c.Offload.Hardware), dict.ErrInvalid))
	}
	for _, text := range c.Offload.Keep.Marks {
		m, err := parseMark(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("offload.keep.marks %s: %w", dict.Quote(text), err))
		}
		o.Keep.Marks = append(o.Keep.Marks, m)
	}
	plans, err := c.QuotaPlans()
	errs = append(errs, err)
	o.Meter(plans)
	return o, errors.Join(errs...)
}

// parseMark reads a mark with or without a mask.
func parseMark(text string) (offload.Mark, error) {
	value, mask, masked := strings.Cut(text, "/")
	m := offload.Mark{Mask: 1<<32 - 1}
	n, err := strconv.ParseUint(value, 0, 32)
	m.Value = uint32(n)
	if err == nil && masked {
		n, err = strconv.ParseUint(mask, 0, 32)
		m.Mask = uint32(n)
	}
	if err != nil || m.Mask == 0 || m.Value&^m.Mask != 0 {
		return m, fmt.Errorf("%w: want a mark such as 0x10, or 0x10/0xf0 with a mask that has all its bits", dict.ErrInvalid)
	}
	return m, nil
}

// checkOffload refuses what cannot be kept.
func (c *Config) checkOffload() error {
	o, err := c.Offloads()
	errs := []error{err}
	for _, text := range o.Devices {
		errs = append(errs, offload.CheckPattern(text))
	}
	for _, names := range [][]string{o.Keep.Applications, o.Keep.Categories, o.Keep.Users} {
		for _, name := range names {
			if _, err := dict.StringKey(name); err != nil || name == "" {
				errs = append(errs, fmt.Errorf("offload.keep %s: %w: want names", dict.Quote(name), dict.ErrInvalid))
				continue
			}
			if _, _, err := nftext.Parse("dict sessions ct id application " + dict.MustString(name).Text()); err != nil {
				errs = append(errs, fmt.Errorf("offload.keep %s: %w", dict.Quote(name), err))
			}
		}
	}
	if o.Ingress < -1000 || o.Ingress > 1000 {
		errs = append(errs, fmt.Errorf("offload.ingress %d: %w: want -1000 to 1000", o.Ingress, dict.ErrRange))
	}
	if o.Priority <= int32(c.Quota.Priority) || o.Priority > 2000 {
		errs = append(errs, fmt.Errorf("offload.priority %d: %w: want more than quota.priority, which is %d, and 2000 at most", o.Priority, dict.ErrRange, c.Quota.Priority))
	}
	return errors.Join(errs...)
}
