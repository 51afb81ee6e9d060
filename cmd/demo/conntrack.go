// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"nftdict/internal/lab"
)

// connection is one line of `conntrack -L -o id`.
type connection struct {
	id       uint32
	protocol string // "tcp", "udp"
	src, dst netip.AddrPort
	state    string // of TCP
}

// connections returns what the gateway's kernel tracks, both families.
func (st *stage) connections(ctx context.Context) ([]connection, error) {
	var all []connection
	for _, family := range []string{"ipv4", "ipv6"} {
		ctx, cancel := context.WithTimeout(ctx, commandTimeout)
		defer cancel()
		out, err := st.shell(ctx, st.Gateway, "conntrack -L -o id -f "+family).Output()
		if err != nil {
			return nil, fmt.Errorf("conntrack -L: %w", err)
		}
		all = append(all, parseConnections(string(out))...)
	}
	return all, nil
}

var (
	tuplePattern = regexp.MustCompile(`src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+)`)
	idPattern    = regexp.MustCompile(` id=(\d+)`)
)

// parseConnections reads the original tuple and the id of each TCP and UDP
// line, and leaves other lines out.
func parseConnections(text string) (all []connection) {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		tuple, id := tuplePattern.FindStringSubmatch(line), idPattern.FindStringSubmatch(line)
		if len(words) < 4 || tuple == nil || id == nil {
			continue
		}
		n, err := strconv.ParseUint(id[1], 10, 32)
		if err != nil {
			continue
		}
		c := connection{id: uint32(n), protocol: words[0]}
		if c.protocol == "tcp" {
			c.state = words[3]
		}
		if c.src, err = netip.ParseAddrPort(net.JoinHostPort(tuple[1], tuple[3])); err != nil {
			continue
		}
		if c.dst, err = netip.ParseAddrPort(net.JoinHostPort(tuple[2], tuple[4])); err != nil {
			continue
		}
		all = append(all, c)
	}
	return all
}

// to returns the connections to a site's port over a protocol.
func to(all []connection, site lab.Site, protocol string, port uint16) (found []connection) {
	for _, c := range all {
		if c.protocol == protocol && c.dst.Port() == port && (c.dst.Addr() == site.Addr4 || c.dst.Addr() == site.Addr6) {
			found = append(found, c)
		}
	}
	return found
}
