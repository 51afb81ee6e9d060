// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"fmt"
	"strings"

	"nftdict/internal/lab"
)

// curtain introduces the place and starts the daemon.
func (st *stage) curtain(ctx context.Context) error {
	st.say("Four network namespaces: two clients, a gateway, and an internet of real servers.")
	st.output(fmt.Sprintf(`client %s --+
                      +-- gateway: dictd, nft -- internet: %d names, each with its address,
guest  %s --+                             TLS, HTTP, QUIC, DNS, SSH, NTP`,
		lab.Client4, len(st.Sites), lab.Guest4), 0)
	if err := st.startDaemon(ctx); err != nil {
		return err
	}
	// A connection that ends with a reset is forgotten after 10 s; the audience
	// may read more slowly.
	if err := st.Gateway.Sysctl("net.netfilter.nf_conntrack_tcp_timeout_close", "120"); err != nil {
		return err
	}
	return st.gateway(ctx, "dictctl status")
}

// seen is one connection that the sessions scene makes, and what dictd must
// say of it.
type seen struct {
	site        string
	protocol    string
	port        uint16
	application string
}

// sessions makes connections of many kinds and asks for their applications.
func (st *stage) sessions(ctx context.Context) error {
	st.say("The client looks around: curl, openssl, a browser whose post-quantum ClientHello takes two segments,\n" +
		"   and one over QUIC, whose ClientHello takes two datagrams.")
	for _, line := range []string{
		"curl -4sS https://www.youtube.com/",
		"curl -6sS https://en.wikipedia.org/",
		"curl -4sS http://example.org:8080/",
		"openssl s_client -connect www.facebook.com:443 -servername www.facebook.com </dev/null 2>&1 | grep -m1 Verify",
	} {
		if out, ok := st.visit(ctx, st.Client, line); !ok {
			return fmt.Errorf("%s: %s", line, out)
		}
	}
	for _, b := range []struct {
		url   string
		http3 bool
	}{
		{"https://web.whatsapp.com/", false},
		{"https://www.google.com/", true},
	} {
		browser := st.Browser()
		browser.HTTP3 = b.http3
		if err := st.browse(ctx, browser, b.url); err != nil {
			return err
		}
	}

	st.say("What each connection is, dictd has written into the dictionary \"sessions\", under the connection's ct id:")
	if err := st.gateway(ctx, "dictctl sessions"); err != nil {
		return err
	}
	var last connection
	for _, want := range []seen{
		{"www.youtube.com", "tcp", lab.HTTPSPort, "YOUTUBE"},
		{"en.wikipedia.org", "tcp", lab.HTTPSPort, "WIKIPEDIA"},
		{"example.org", "tcp", lab.HTTPAltPort, "HTTP"},
		{"www.facebook.com", "tcp", lab.HTTPSPort, "FACEBOOK"},
		{"web.whatsapp.com", "tcp", lab.HTTPSPort, "WHATSAPP"},
		{"www.google.com", "udp", lab.HTTPSPort, "GOOGLE"},
	} {
		site, _ := st.Site(want.site)
		var got string
		held := st.eventually(ctx, func() bool {
			all, err := st.connections(ctx)
			if err != nil {
				return false
			}
			for _, c := range to(all, site, want.protocol, want.port) {
				last = c
				if got = st.field(ctx, "sessions", fmt.Sprint(c.id), "application"); got == want.application {
					return true
				}
			}
			return false
		})
		st.claim(held, "%s to %s is %s%s", want.protocol, want.site, want.application, unless(held, got))
	}
	if st.failed > 0 {
		return ctx.Err()
	}
	st.say("A whole row, as rules see it, and why dictd thinks so:")
	return st.gateway(ctx,
		fmt.Sprintf("dictctl get sessions %d", last.id),
		fmt.Sprintf("dictctl why %d", last.id))
}

// unless tells what was found instead, if the claim does not hold.
func unless(held bool, got string) string {
	if held {
		return ""
	}
	return fmt.Sprintf(" (found %q)", got)
}

// field returns a field of a row as plain text, "" where there is none.
func (st *stage) field(ctx context.Context, table, key, field string) string {
	out, err := st.try(ctx, st.Gateway, strings.Join([]string{st.dictctl(), "get", table, key, field}, " "))
	if err != nil {
		return ""
	}
	return strings.Trim(strings.TrimSpace(out), `"`)
}

// browse visits a page with a browser of the demo's own.
func (st *stage) browse(ctx context.Context, b *lab.Browser, url string) error {
	over := "TLS, X25519MLKEM768"
	if b.HTTP3 {
		over = "HTTP/3, X25519MLKEM768"
	}
	st.command(prompt(b.From), fmt.Sprintf("(browser) %s  [%s]", url, over))
	body, err := b.Get(ctx, url)
	if err != nil {
		st.output(err.Error(), 0)
		return err
	}
	st.output(body, 1)
	return nil
}
