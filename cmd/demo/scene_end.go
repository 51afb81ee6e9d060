// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"strings"

	"nftdict/internal/lab"
)

// listings shows rules and dictionaries as they were written.
func (st *stage) listings(ctx context.Context) error {
	st.say("nft's own listing, with the dict conditions as they were written:")
	var rules string
	for _, table := range []string{"inet filter", "ip nat"} {
		out, err := st.do(ctx, st.Gateway, 0, st.dictctl()+" nft list table "+table)
		if err != nil {
			return err
		}
		rules += out
	}
	for _, part := range []string{"application", "NETFLIX", "quota", "captive", "dnat to 127.0.0.1:80", "reject with tcp reset"} {
		if !strings.Contains(rules, part) {
			st.claim(false, "the listing holds %q", part)
			return nil
		}
	}
	st.claim(strings.Count(rules, "dict ") == 5 && !strings.Contains(rules, "xt match"), "four rules, five lookups, all shown as text")

	st.say("The dictionaries, in a form that `dictctl -f` reads back:")
	if err := st.gateway(ctx, "dictctl list users", "dictctl list hosts"); err != nil {
		return err
	}
	quota := st.field(ctx, "users", "alice", "quota_exceeded")
	st.claim(quota == "false", "users alice quota_exceeded is false%s", unless(quota == "false", quota))
	login := st.field(ctx, "hosts", lab.Client4.String(), "captive_portal_authenticated")
	st.claim(login == "true", "hosts %s captive_portal_authenticated is true%s", lab.Client4, unless(login == "true", login))
	return nil
}

// crash kills the daemon and shows that the kernel goes on without it.
func (st *stage) crash(ctx context.Context) error {
	st.say("Rules and dictionaries are the kernel's. Traffic waits for nobody:")
	if err := st.killDaemon(ctx); err != nil {
		return err
	}
	got, passed := st.visit(ctx, st.Client, "curl -4sS --max-time 3 https://www.google.com/")
	st.claim(passed, "traffic passes%s", unless(passed, got))
	got, _ = st.visit(ctx, st.Guest, "curl -4sS --max-time 3 http://example.org/")
	st.claim(got == portalPage, "the portal still catches the guest%s", unless(got == portalPage, got))
	if err := st.gateway(ctx, "dictctl get users alice quota-exceeded"); err != nil {
		return err
	}
	if err := st.startDaemon(ctx); err != nil {
		return err
	}
	_, passed = st.visit(ctx, st.Client, "curl -4sS --max-time 3 https://www.netflix.com/")
	st.claim(!passed, "started again, dictd goes on: NETFLIX is refused")
	return nil
}
