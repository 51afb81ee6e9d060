// SPDX-License-Identifier: MIT

package api

import (
	"context"
	"net/url"
	"strconv"
	"time"
)

// UsageQuery asks for usage. What is zero is left to the daemon.
type UsageQuery struct {
	By, Period                      string
	Since, Till                     time.Time
	Host, Device, User, Application string
	Limit                           int // most of a period
}

// Usage returns what passed, by period.
func (c *Client) Usage(ctx context.Context, q UsageQuery) (all []Usage, err error) {
	v := make(url.Values)
	set := func(name, text string) {
		if text != "" {
			v.Set(name, text)
		}
	}
	set("by", q.By)
	set("period", q.Period)
	set("host", q.Host)
	set("device", q.Device)
	set("user", q.User)
	set("application", q.Application)
	if !q.Since.IsZero() {
		set("since", q.Since.Format(time.RFC3339))
	}
	if !q.Till.IsZero() {
		set("till", q.Till.Format(time.RFC3339))
	}
	if q.Limit > 0 {
		set("limit", strconv.Itoa(q.Limit))
	}
	return all, c.get(ctx, "/v1/usage", v, decodeInto(&all))
}
