// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"fmt"
	"net/http"

	"nftdict/internal/lab"
)

// portalPage is what a host sees that has not logged in.
const portalPage = "Please log in first."

// portal catches hosts that have not logged in, by a dnat rule.
func (st *stage) portal(ctx context.Context) error {
	st.say("The portal's page is served at 127.0.0.1:80 on the gateway. A host that nobody has written about has\n" +
		"   not logged in: the field's default, false, answers for it.")
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, portalPage) })
	if err := st.ServeHTTP(ctx, st.Gateway, "127.0.0.1:80", page); err != nil {
		return err
	}
	err := st.gateway(ctx,
		"echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet",
		"dictctl nft add table ip nat",
		"dictctl nft 'add chain ip nat prerouting { type nat hook prerouting priority dstnat; }'",
		"dictctl nft add rule ip nat prerouting tcp dport 80 dict hosts ip saddr captive-portal-authenticated bool false dnat to 127.0.0.1:80",
	)
	if err != nil {
		return err
	}
	const visit = "curl -4sS --max-time 3 http://example.org/"
	const wanted = "hello from example.org"
	for _, n := range []*lab.Namespace{st.Client, st.Guest} {
		got, _ := st.visit(ctx, n, visit)
		st.claim(got == portalPage, "%s is caught%s", n.Name(), unless(got == portalPage, got))
	}
	if err := st.gateway(ctx, fmt.Sprintf("dictctl set hosts %s captive-portal-authenticated true", lab.Client4)); err != nil {
		return err
	}
	got, _ := st.visit(ctx, st.Client, visit)
	st.claim(got == wanted, "the client is let go%s", unless(got == wanted, got))
	got, _ = st.visit(ctx, st.Guest, visit)
	st.claim(got == portalPage, "the guest is still caught%s", unless(got == portalPage, got))
	return ctx.Err()
}
