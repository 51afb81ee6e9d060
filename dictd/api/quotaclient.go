// SPDX-License-Identifier: MIT

package api

import (
	"context"
	"net/http"
	"net/url"

	"nftdict/dictd/quota"
)

// Subject names who has a budget: kind (user, device, host, group) and name.
type Subject struct{ Kind, Name string }

func (s Subject) path(rest string) string {
	return "/v1/quotas/" + url.PathEscape(s.Kind) + "/" + url.PathEscape(s.Name) + rest
}

// Quotas returns all budgets.
func (c *Client) Quotas(ctx context.Context) (list []quota.Budget, err error) {
	return list, c.get(ctx, "/v1/quotas", nil, decodeInto(&list))
}

// QuotasOf returns the budgets of a subject. It is an *Error with Status 404 if
// there is none.
func (c *Client) QuotasOf(ctx context.Context, s Subject) (list []quota.Budget, err error) {
	return list, c.get(ctx, s.path(""), nil, decodeInto(&list))
}

// QuotaHistory returns the periods of a budget that are over, the oldest first; plan
// may be "" where the subject has one budget.
func (c *Client) QuotaHistory(ctx context.Context, s Subject, plan string) (list []quota.Past, err error) {
	return list, c.get(ctx, s.path("/history"), url.Values{"plan": {plan}}, decodeInto(&list))
}

// TopUpQuota gives a budget more for its period.
func (c *Client) TopUpQuota(ctx context.Context, s Subject, a QuotaAmount) (b quota.Budget, err error) {
	return b, c.do(ctx, http.MethodPost, s.path("/top-up"), nil, a, decodeInto(&b))
}

// SetQuota gives a budget a size of its own.
func (c *Client) SetQuota(ctx context.Context, s Subject, a QuotaAmount) (b quota.Budget, err error) {
	return b, c.do(ctx, http.MethodPut, s.path("/size"), nil, a, decodeInto(&b))
}

// UnsetQuota gives a budget the size of its plan.
func (c *Client) UnsetQuota(ctx context.Context, s Subject, plan string) (b quota.Budget, err error) {
	return b, c.do(ctx, http.MethodPost, s.path("/unset"), nil, QuotaChoice{plan}, decodeInto(&b))
}

// ResetQuota begins the period of a budget anew.
func (c *Client) ResetQuota(ctx context.Context, s Subject, plan string) (b quota.Budget, err error) {
	return b, c.do(ctx, http.MethodPost, s.path("/reset"), nil, QuotaChoice{plan}, decodeInto(&b))
}
