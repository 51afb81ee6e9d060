// SPDX-License-Identifier: MIT

package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// eventWait is how long the probe waits for an event of its own connection.
const eventWait = time.Second

// Attributes of conntrack messages: the one that carries the id (CTA_ID), and
// the bits that are the type in an attribute's type (NLA_TYPE_MASK).
const (
	ctaID    = 12
	typeMask = 0x3fff
)

func tryCtID(context.Context) (string, error) {
	return "", tryRule(chain(nftables.ChainHookPrerouting), &expr.Ct{Key: unix.NFT_CT_ID, Register: 1})
}

func tryLabels(context.Context) (string, error) {
	return "", tryRule(chain(nftables.ChainHookPrerouting), &expr.Ct{Key: expr.CtKeyLABELS, Register: 1})
}

func tryAcct(context.Context) (string, error)      { return sysctl("nf_conntrack_acct") }
func tryTimestamp(context.Context) (string, error) { return sysctl("nf_conntrack_timestamp") }

// sysctl tells of a switch of conntrack: there or not.
func sysctl(name string) (string, error) {
	if _, err := os.Stat("/proc/sys/net/netfilter/" + name); err != nil {
		return "no sysctl net.netfilter." + name, err
	}
	return "sysctl net.netfilter." + name, nil
}

// tryEvents listens for new connections, makes one on the loopback, and wants
// its event with an id.
func tryEvents(context.Context) (string, error) {
	c, err := nftables.New()
	if err != nil {
		return "", err
	}
	// A rule that asks for the state turns conntrack on in the namespace.
	table := c.AddTable(&nftables.Table{Name: tableName + "-ct", Family: nftables.TableFamilyINet})
	hook := chain(nftables.ChainHookOutput)
	hook.Name, hook.Table = "probe", table
	c.AddChain(hook)
	c.AddRule(&nftables.Rule{Table: table, Chain: hook, Exprs: []expr.Any{&expr.Ct{Key: expr.CtKeySTATE, Register: 1}}})
	if err := c.Flush(); err != nil {
		return "", err
	}

	events, err := netlink.Dial(unix.NETLINK_NETFILTER, nil)
	if err != nil {
		return "", err
	}
	defer events.Close()
	if err := events.JoinGroup(unix.NFNLGRP_CONNTRACK_NEW); err != nil {
		return "", fmt.Errorf("subscribe: %w", err)
	}
	if err := events.SetReadDeadline(time.Now().Add(eventWait)); err != nil {
		return "", err
	}
	if err := sendToSelf(); err != nil {
		return "", err
	}
	messages, err := events.Receive()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return "", errors.New("a new connection gave no event")
	}
	if err != nil {
		return "", err
	}
	for _, m := range messages {
		if len(m.Data) < 4 {
			continue
		}
		attrs, err := netlink.UnmarshalAttributes(m.Data[4:])
		if err != nil {
			return "", err
		}
		for _, a := range attrs {
			if a.Type&typeMask == ctaID {
				return "a new connection gave an event with its id", nil
			}
		}
	}
	return "", errors.New("events carry no id")
}

// sendToSelf makes a connection of one datagram on the loopback.
func sendToSelf() error {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.WriteTo([]byte{0}, conn.LocalAddr())
	return err
}
