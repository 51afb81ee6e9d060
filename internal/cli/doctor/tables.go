// SPDX-License-Identifier: MIT

package doctor

import (
	"context"
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// tableName is the table that probes make in the scratch namespace.
const tableName = "doctor"

// tryRule loads one rule of the expressions into a chain and takes it all away
// again.
func tryRule(chain *nftables.Chain, exprs ...expr.Any) error {
	c, err := nftables.New()
	if err != nil {
		return err
	}
	table := c.AddTable(&nftables.Table{Name: tableName, Family: nftables.TableFamilyINet})
	chain.Name, chain.Table = "probe", table
	c.AddChain(chain)
	if len(exprs) > 0 {
		c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: exprs})
	}
	if err := c.Flush(); err != nil {
		return err
	}
	c.DelTable(table)
	return c.Flush()
}

// chain returns a chain of the filter type at a hook.
func chain(hook *nftables.ChainHook) *nftables.Chain {
	return &nftables.Chain{Type: nftables.ChainTypeFilter, Hooknum: hook, Priority: nftables.ChainPriorityMangle}
}

func tryTables(context.Context) (string, error) {
	return "", tryRule(chain(nftables.ChainHookPrerouting))
}

func tryReject(context.Context) (string, error) {
	return "", tryRule(chain(nftables.ChainHookForward), &expr.Reject{Type: unix.NFT_REJECT_ICMPX_UNREACH, Code: unix.NFT_REJECT_ICMPX_PORT_UNREACH})
}

func tryNat(context.Context) (string, error) {
	nat := &nftables.Chain{Type: nftables.ChainTypeNAT, Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityNATDest}
	return "", tryRule(nat,
		&expr.Immediate{Register: 1, Data: []byte{127, 0, 0, 1}},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1})
}

func tryRedirect(context.Context) (string, error) {
	nat := &nftables.Chain{Type: nftables.ChainTypeNAT, Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityNATDest}
	return "", tryRule(nat, &expr.Redir{})
}

// Flags of a table that golang.org/x/sys does not name.
const (
	tableOwner   = 0x2
	tablePersist = 0x4
)

func tryOwner(context.Context) (string, error) {
	c, err := netlink.Dial(unix.NETLINK_NETFILTER, nil)
	if err != nil {
		return "", err
	}
	defer c.Close() // the table goes, or is an orphan of a namespace that goes
	body, err := netlink.MarshalAttributes([]netlink.Attribute{
		{Type: unix.NFTA_TABLE_NAME, Data: []byte(tableName + "-owned\x00")},
		{Type: unix.NFTA_TABLE_FLAGS, Data: binaryutil.BigEndian.PutUint32(tableOwner | tablePersist)},
	})
	if err != nil {
		return "", err
	}
	const subsys = unix.NFNL_SUBSYS_NFTABLES
	batch := func(t netlink.HeaderType) netlink.Message {
		return netlink.Message{
			Header: netlink.Header{Type: t, Flags: netlink.Request},
			Data:   []byte{unix.AF_UNSPEC, unix.NFNETLINK_V0, 0, subsys},
		}
	}
	sent, err := c.SendMessages([]netlink.Message{
		batch(unix.NFNL_MSG_BATCH_BEGIN),
		{
			Header: netlink.Header{Type: subsys<<8 | unix.NFT_MSG_NEWTABLE, Flags: netlink.Request | netlink.Acknowledge | netlink.Create},
			Data:   append([]byte{unix.NFPROTO_INET, unix.NFNETLINK_V0, 0, 0}, body...),
		},
		batch(unix.NFNL_MSG_BATCH_END),
	})
	if err != nil {
		return "", err
	}
	_, err = c.Receive()
	if err != nil {
		return "", fmt.Errorf("table with owner and persist (%d messages): %w", len(sent), err)
	}
	return "", nil
}

func tryFlowtable(context.Context) (string, error) {
	c, err := nftables.New()
	if err != nil {
		return "", err
	}
	table := c.AddTable(&nftables.Table{Name: tableName + "-flow", Family: nftables.TableFamilyINet})
	c.AddFlowtable(&nftables.Flowtable{
		Table: table, Name: "probe",
		Hooknum: nftables.FlowtableHookIngress, Priority: nftables.FlowtablePriorityFilter,
		Devices: []string{"lo"},
	})
	return "", c.Flush()
}
