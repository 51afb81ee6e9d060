// SPDX-License-Identifier: MIT

package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
)

// Addresses of a pair. The two hosts share one network.
var (
	PairClient4 = netip.MustParseAddr("192.0.2.10")
	PairClient6 = netip.MustParseAddr("2001:db8::10")
	PairServer4 = netip.MustParseAddr("192.0.2.20")
	PairServer6 = netip.MustParseAddr("2001:db8::20")
)

// Pair is two hosts and the link between them, both called eth0, and nothing
// else: no server runs in it. The caller owns it and must Close it.
type Pair struct {
	Client, Server *Namespace
}

// NewPair makes a pair. ctx covers the setting up only. The error wraps
// fs.ErrPermission without root.
func NewPair(ctx context.Context) (_ *Pair, err error) {
	p := &Pair{}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("lab: pair: %w", err), p.Close())
		}
	}()
	if p.Client, err = newNamespace("client"); err != nil {
		return nil, err
	}
	if p.Server, err = newNamespace("server"); err != nil {
		return nil, err
	}
	client := end{p.Client, "eth0", mac(ClientMAC), nets(PairClient4, PairClient6)}
	server := end{p.Server, "eth0", mac(GuestMAC), nets(PairServer4, PairServer6)}
	if err := connect(client, server); err != nil {
		return nil, err
	}
	if err := errors.Join(client.settle(), server.settle()); err != nil {
		return nil, err
	}
	for _, hop := range []struct {
		at  *Namespace
		via netip.Addr
	}{{p.Client, PairServer4}, {p.Client, PairServer6}, {p.Server, PairClient4}, {p.Server, PairClient6}} {
		if err := route(hop.at, netip.Prefix{}, hop.via); err != nil {
			return nil, err
		}
	}
	return p, ctx.Err()
}

// Close kills what still runs inside and removes the namespaces. Further calls
// do nothing.
func (p *Pair) Close() error {
	var errs []error
	for _, n := range []**Namespace{&p.Client, &p.Server} {
		if *n != nil {
			errs = append(errs, (*n).close())
			*n = nil
		}
	}
	return errors.Join(errs...)
}
