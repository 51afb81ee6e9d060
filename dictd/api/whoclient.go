// SPDX-License-Identifier: MIT

package api

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"

	"nftdict/dictd/identity"
)

// Hosts returns the hosts that are known, by address.
func (c *Client) Hosts(ctx context.Context) (hosts []identity.Host, err error) {
	return hosts, c.get(ctx, "/v1/hosts", nil, decodeInto(&hosts))
}

// HostWhy returns what led to what is known of an address. It is an *Error with
// Status 404 if that is nothing.
func (c *Client) HostWhy(ctx context.Context, addr netip.Addr) (*identity.Why, error) {
	var w identity.Why
	return &w, c.get(ctx, "/v1/hosts/"+url.PathEscape(addr.String())+"/why", nil, decodeInto(&w))
}

// Devices returns the devices that are known, by MAC.
func (c *Client) Devices(ctx context.Context) (devices []identity.Device, err error) {
	return devices, c.get(ctx, "/v1/devices", nil, decodeInto(&devices))
}

// Users returns the users, by name.
func (c *Client) Users(ctx context.Context) (users []identity.User, err error) {
	return users, c.get(ctx, "/v1/users", nil, decodeInto(&users))
}

// SetUser makes a user, or gives him other groups, nil for none.
func (c *Client) SetUser(ctx context.Context, name string, groups []string) error {
	if groups == nil {
		groups = []string{}
	}
	return c.do(ctx, http.MethodPut, "/v1/users/"+url.PathEscape(name), nil, UserGroups{groups}, decodeInto(&struct{}{}))
}

// DeleteUser forgets a user. It is an *Error with Status 404 if there is none.
func (c *Client) DeleteUser(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodDelete, "/v1/users/"+url.PathEscape(name), nil, nil, decodeInto(&struct{}{}))
}

// Bind gives a device, named by its MAC or an address that it has, to a user.
func (c *Client) Bind(ctx context.Context, device, name string) (Bound, error) {
	var b Bound
	return b, c.do(ctx, http.MethodPut, "/v1/devices/"+url.PathEscape(device)+"/user", nil, DeviceUser{name}, decodeInto(&b))
}

// Unbind takes a device from its user.
func (c *Client) Unbind(ctx context.Context, device string) (Bound, error) {
	var b Bound
	return b, c.do(ctx, http.MethodDelete, "/v1/devices/"+url.PathEscape(device)+"/user", nil, nil, decodeInto(&b))
}
