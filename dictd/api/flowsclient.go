// SPDX-License-Identifier: MIT

package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
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

// Flows returns the connections that conntrack has. Where the daemon does not bring that
// many into an order they are brought into it here.
func (c *Client) Flows(ctx context.Context, f FlowFilter) (list []Flow, err error) {
	order, err := flowOrder(f.Sort)
	if err != nil {
		return nil, err
	}
	all := f.Limit <= 0 || f.Limit > MaxFlows
	query := url.Values{}
	for name, text := range map[string]string{
		"application": f.Application, "category": f.Category, "user": f.User, "host": f.Host, "state": f.State, "sort": f.Sort,
	} {
		if text != "" && !(all && name == "sort") {
			query.Set(name, text)
		}
	}
	if !all {
		query.Set("limit", strconv.Itoa(f.Limit))
	}
	if err := c.get(ctx, "/v1/flows", query, decodeInto(&list)); err != nil || !all {
		return list, err
	}
	slices.SortFunc(list, order)
	if f.Limit > 0 && len(list) > f.Limit {
		list = list[:f.Limit]
	}
	return list, nil
}

// Recall takes connections out of the flowtables, and returns how many were there.
func (c *Client) Recall(ctx context.Context, w offload.Whom) (int, error) {
	var a Recalled
	return a.Recalled, c.do(ctx, http.MethodPost, "/v1/recall", nil, RecallBody{w.Kind.String(), w.Name}, decodeInto(&a))
}
