// SPDX-License-Identifier: MIT

package doctor

import (
	"context"
	"encoding/binary"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// The part of nfnetlink_queue's protocol that golang.org/x/sys does not name.
const (
	queueConfig   = 2 // NFQNL_MSG_CONFIG
	queueCmd      = 1 // NFQA_CFG_CMD
	queueMask     = 4 // NFQA_CFG_MASK
	queueFlags    = 5 // NFQA_CFG_FLAGS
	queueBind     = 1 // NFQNL_CFG_CMD_BIND
	queueWithCt   = 2 // NFQA_CFG_F_CONNTRACK
	probeQueue    = 0
	xtQueueBypass = 1 // NFQ_FLAG_BYPASS
)

func tryQueue(context.Context) (string, error) {
	c, err := bindQueue()
	if err != nil {
		return "", err
	}
	return "", c.Close()
}

func tryQueueCt(context.Context) (string, error) {
	c, err := bindQueue()
	if err != nil {
		return "", err
	}
	defer c.Close()
	flag := binary.BigEndian.AppendUint32(nil, queueWithCt)
	return "", configure(c, netlink.Attribute{Type: queueMask, Data: flag}, netlink.Attribute{Type: queueFlags, Data: flag})
}

// bindQueue returns a socket that a queue of the scratch namespace is bound to.
func bindQueue() (*netlink.Conn, error) {
	c, err := netlink.Dial(unix.NETLINK_NETFILTER, nil)
	if err != nil {
		return nil, err
	}
	if err := configure(c, netlink.Attribute{Type: queueCmd, Data: []byte{queueBind, 0, 0, 0}}); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// configure sends one configuration message and waits for the answer.
func configure(c *netlink.Conn, attrs ...netlink.Attribute) error {
	body, err := netlink.MarshalAttributes(attrs)
	if err != nil {
		return err
	}
	_, err = c.Execute(netlink.Message{
		Header: netlink.Header{Type: unix.NFNL_SUBSYS_QUEUE<<8 | queueConfig, Flags: netlink.Request | netlink.Acknowledge},
		Data:   append([]byte{unix.AF_UNSPEC, unix.NFNETLINK_V0, 0, probeQueue}, body...),
	})
	return err
}

func tryQueueExpr(context.Context) (string, error) {
	return "", tryRule(chain(nftables.ChainHookPrerouting), &expr.Queue{Num: probeQueue, Total: 1, Flag: expr.QueueFlagBypass})
}

func tryQueueTarget(context.Context) (string, error) {
	// struct xt_NFQ_info_v3: queuenum, queues_total, flags.
	info := binary.NativeEndian.AppendUint16(nil, probeQueue)
	info = binary.NativeEndian.AppendUint16(info, 1)
	info = binary.NativeEndian.AppendUint16(info, xtQueueBypass)
	info = append(info, 0, 0)
	data := xt.Unknown(info)
	return "", tryRule(chain(nftables.ChainHookPrerouting), &expr.Target{Name: "NFQUEUE", Rev: 3, Info: &data})
}

func trySecmark(context.Context) (string, error) {
	return "", tryRule(chain(nftables.ChainHookPrerouting),
		&expr.Ct{Key: unix.NFT_CT_ID, Register: 1},
		&expr.Meta{Key: expr.MetaKeySECMARK, SourceRegister: true, Register: 1})
}
