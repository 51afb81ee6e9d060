// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"nftdict/internal/lab"
)

// forbidden is the site whose application the rule names.
const forbidden = "www.netflix.com"

// netflix lets a rule reject an application and looks at what the server gets.
func (st *stage) netflix(ctx context.Context) error {
	st.say("The rule names the application; addresses and ports do not matter. TCP gets a reset, the rest an ICMP error.")
	err := st.gateway(ctx,
		"dictctl nft add table inet filter",
		"dictctl nft 'add chain inet filter forward { type filter hook forward priority 0; }'",
		"dictctl nft add rule inet filter forward meta l4proto tcp dict sessions ct id application NETFLIX reject with tcp reset",
		"dictctl nft add rule inet filter forward dict sessions ct id application NETFLIX reject",
	)
	if err != nil {
		return err
	}
	wire, err := st.Internet.Capture("eth0")
	if err != nil {
		return err
	}
	defer wire.Close()

	st.say("NETFLIX by every way in; each must fail:")
	for _, line := range []string{
		"curl -4sS --max-time 3 https://www.netflix.com/",
		"curl -6sS --max-time 3 https://www.netflix.com/",
		"curl -4sS --max-time 3 https://www.netflix.com:8443/",
		"curl -4sS --max-time 3 http://www.netflix.com/",
	} {
		_, passed := st.visit(ctx, st.Client, line)
		st.claim(!passed, "refused")
	}
	got, err := st.arrived(wire)
	if err != nil {
		return err
	}
	st.claim(got == 0, "refused at once: of all four, the server got %d packets with any content", got)

	for _, way := range []struct {
		text string
		set  func(*lab.Browser)
		most int // packets with content that may reach the server
		tell string
	}{
		{
			"a post-quantum ClientHello in two segments, the name in the first",
			func(*lab.Browser) {}, 0,
			"acted on at that segment: the server got %d",
		},
		{
			"a ClientHello cut right behind the name, the rest later",
			func(b *lab.Browser) { b.Cut, b.Gap = lab.CutAfter(forbidden), 50*time.Millisecond }, 0,
			"acted on at that segment: the server got %d",
		},
		{
			"a ClientHello cut in the middle of the name",
			func(b *lab.Browser) { b.Cut, b.Gap = lab.CutInside(forbidden), 50*time.Millisecond }, 1,
			"half a name says nothing yet: the server got %d segment, and not the second",
		},
		{
			"QUIC, a post-quantum ClientHello in two datagrams",
			func(b *lab.Browser) { b.HTTP3 = true }, 1,
			"acted on when the name was whole: the server got %d datagram, and not the second",
		},
	} {
		if err := st.refused(ctx, way.text, way.set, way.most, way.tell); err != nil {
			return err
		}
	}

	site, _ := st.Site(forbidden)
	told, err := wire.Segments(func(s lab.Segment) bool {
		return s.Dst.Port() != 53 && strings.Contains(string(s.Payload), forbidden)
	})
	if err != nil {
		return err
	}
	st.claim(len(told) == 0 && st.Hits(forbidden) == 0,
		"the capture at the servers never holds the name %s, and %s got %d requests", forbidden, site.Addr4, st.Hits(forbidden))

	st.say("Everything else passes, names that only look like it included:")
	for _, line := range []string{
		"curl -4sS --max-time 3 https://example.org/",
		"curl -4sS --max-time 3 https://notnetflix.com/",
		"curl -6sS --max-time 3 https://netflix.com.example.net/",
	} {
		_, passed := st.visit(ctx, st.Client, line)
		st.claim(passed, "passed")
	}
	return nil
}

// refused makes one attempt with a browser of the demo's own; at most so many
// packets with content may reach the server.
func (st *stage) refused(ctx context.Context, text string, set func(*lab.Browser), most int, tell string) error {
	wire, err := st.Internet.Capture("eth0")
	if err != nil {
		return err
	}
	defer wire.Close()
	b := st.Browser()
	b.Timeout = 1500 * time.Millisecond
	set(b)
	st.command(prompt(st.Client), fmt.Sprintf("(browser) https://%s/  [%s]", forbidden, text))
	body, err := b.Get(ctx, "https://"+forbidden+"/")
	if ctx.Err() != nil {
		return ctx.Err()
	}
	passed := err == nil
	if passed {
		st.output(body, 1)
	}
	st.claim(!passed, "refused")
	got, err := st.arrived(wire)
	if err != nil {
		return err
	}
	st.claim(got <= most, tell, got)
	return nil
}

// arrived counts the packets with content that reached the forbidden site.
func (st *stage) arrived(wire *lab.Capture) (int, error) {
	site, _ := st.Site(forbidden)
	got, err := wire.Segments(func(s lab.Segment) bool {
		return len(s.Payload) > 0 && (s.Dst.Addr() == site.Addr4 || s.Dst.Addr() == site.Addr6)
	})
	return len(got), err
}
