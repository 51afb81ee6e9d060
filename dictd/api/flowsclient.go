// SPDX-License-Identifier: MIT

package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"nftdict/dictd/offload"
)

// FlowFilter chooses flows; the zero FlowFilter chooses all, the largest first.
type FlowFilter struct {
	Application, Category, User string
	Host                        string // address, of either side
	State                       string // one of FlowStates, or "offloaded"
	Sort                        string // one of FlowSorts; "" is "bytes"
	Limit                       int    // most; 0 means all
}

// Flows returns the connections that conntrack has.
func (c *Client) Flows(ctx context.Context, f FlowFilter) (list []Flow, err error) {
	query := url.Values{}
	for name, text := range map[string]string{
		"application": f.Application, "category": f.Category, "user": f.User, "host": f.Host, "state": f.State, "sort": f.Sort,
	} {
		if text != "" {
			query.Set(name, text)
		}
	}
	if f.Limit > 0 {
		query.Set("limit", strconv.Itoa(f.Limit))
	}
	return list, c.get(ctx, "/v1/flows", query, decodeInto(&list))
}

// Recall takes connections out of the flowtables, and returns how many were there.
func (c *Client) Recall(ctx context.Context, w offload.Whom) (int, error) {
	var a Recalled
	return a.Recalled, c.do(ctx, http.MethodPost, "/v1/recall", nil, RecallBody{w.Kind.String(), w.Name}, decodeInto(&a))
}
