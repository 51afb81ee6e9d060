// SPDX-License-Identifier: MIT

package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// Portal returns how the portal is. It is an *Error with Status 404 if there is none.
func (c *Client) Portal(ctx context.Context) (p Portal, err error) {
	return p, c.get(ctx, "/v1/portal", nil, decodeInto(&p))
}

// PortalSessions returns the sessions that are in, by id.
func (c *Client) PortalSessions(ctx context.Context) (list []PortalSession, err error) {
	return list, c.get(ctx, "/v1/portal/sessions", nil, decodeInto(&list))
}

// KickPortal ends a session.
func (c *Client) KickPortal(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/v1/portal/sessions/"+url.PathEscape(id), nil, nil, nil)
}

// PortalAccounts returns the accounts by name.
func (c *Client) PortalAccounts(ctx context.Context) (list []PortalAccount, err error) {
	return list, c.get(ctx, "/v1/portal/accounts", nil, decodeInto(&list))
}

// SetPortalAccount makes an account, or has it be another way.
func (c *Client) SetPortalAccount(ctx context.Context, name string, a PortalAccountBody) error {
	return c.do(ctx, http.MethodPut, "/v1/portal/accounts/"+url.PathEscape(name), nil, a, nil)
}

// RemovePortalAccount forgets an account, and ends its sessions.
func (c *Client) RemovePortalAccount(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodDelete, "/v1/portal/accounts/"+url.PathEscape(name), nil, nil, nil)
}

// PortalBatches returns the batches of vouchers by name.
func (c *Client) PortalBatches(ctx context.Context) (list []PortalBatch, err error) {
	return list, c.get(ctx, "/v1/portal/batches", nil, decodeInto(&list))
}

// MakePortalVouchers makes a batch, and returns it with its codes.
func (c *Client) MakePortalVouchers(ctx context.Context, b PortalBatch) (made PortalMade, err error) {
	return made, c.do(ctx, http.MethodPost, "/v1/portal/batches", nil, b, decodeInto(&made))
}

// PortalVouchers returns the vouchers of a batch by number.
func (c *Client) PortalVouchers(ctx context.Context, batch string) (list []PortalVoucher, err error) {
	return list, c.get(ctx, "/v1/portal/batches/"+url.PathEscape(batch)+"/vouchers", nil, decodeInto(&list))
}

// RevokePortalVoucher takes a voucher back, and ends its sessions.
func (c *Client) RevokePortalVoucher(ctx context.Context, number uint64) error {
	return c.do(ctx, http.MethodPost, fmt.Sprintf("/v1/portal/vouchers/%d/revoke", number), nil, nil, nil)
}

// RevokePortalBatch takes all vouchers of a batch back.
func (c *Client) RevokePortalBatch(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodPost, "/v1/portal/batches/"+url.PathEscape(name)+"/revoke", nil, nil, nil)
}

// RemovePortalBatch forgets a batch and its vouchers.
func (c *Client) RemovePortalBatch(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodDelete, "/v1/portal/batches/"+url.PathEscape(name), nil, nil, nil)
}
