// SPDX-License-Identifier: MIT

package rule

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// Queue hands the packet to a program that reads the queues First to Last; a
// Last not above First is the one queue. Where the kernel has no queue of nf_tables'
// own (Features) it becomes the xt target NFQUEUE, which stock nft lists in
// other words.
type Queue struct {
	First, Last uint16
	Bypass      bool // packets pass while nobody reads the queue; else they are dropped
	Fanout      bool // spread by processor, not by addresses
}

// String returns the statement as nft writes it.
func (q Queue) String() string {
	var flags []string
	if q.Bypass {
		flags = append(flags, "bypass")
	}
	if q.Fanout {
		flags = append(flags, "fanout")
	}
	text := "queue"
	if flags != nil {
		text += " flags " + strings.Join(flags, ",")
	}
	text += fmt.Sprintf(" to %d", q.First)
	if q.Last > q.First {
		text += fmt.Sprintf("-%d", q.Last)
	}
	return text
}

func (Queue) remedy() string {
	return "queue needs a kernel with CONFIG_NFT_QUEUE, or with CONFIG_NETFILTER_XT_TARGET_NFQUEUE and CONFIG_NFT_COMPAT"
}

func (q Queue) build(b *builder) error {
	if q.Last != 0 && q.Last < q.First {
		return fmt.Errorf("%w: %d-%d is no range of queues", dict.ErrInvalid, q.First, q.Last)
	}
	if q.Fanout && q.Last <= q.First {
		return fmt.Errorf("%w: fanout needs more than one queue", dict.ErrInvalid)
	}
	if err := b.families(unix.NFPROTO_IPV4, unix.NFPROTO_IPV6, unix.NFPROTO_INET, unix.NFPROTO_BRIDGE); err != nil {
		return err
	}
	f, err := b.batch.features()
	if err != nil {
		return err
	}
	switch {
	case f.Queue:
		b.add(&expr.Queue{Num: q.First, Total: q.total(), Flag: expr.QueueFlag(q.flags())})
	case f.XTQueue && b.family != unix.NFPROTO_BRIDGE:
		b.add(q.target())
	default:
		return fmt.Errorf("%w here: %s", dict.ErrNotSupported, q.remedy())
	}
	b.ends(q.String())
	return nil
}

func (q Queue) total() uint16 { return max(q.Last, q.First) - q.First + 1 }

// flags are the same bits in both forms.
func (q Queue) flags() (flags uint16) {
	if q.Bypass {
		flags |= unix.NFT_QUEUE_FLAG_BYPASS
	}
	if q.Fanout {
		flags |= unix.NFT_QUEUE_FLAG_CPU_FANOUT
	}
	return flags
}

// target is the old form of queue, revision 3 of its target. The target takes
// its settings as struct xt_NFQ_info_v3 padded to eight bytes.
func (q Queue) target() *expr.Target {
	const revision, size = 3, 8
	info := make(xt.Unknown, size)
	binary.NativeEndian.PutUint16(info[0:], q.First)
	binary.NativeEndian.PutUint16(info[2:], q.total())
	binary.NativeEndian.PutUint16(info[4:], q.flags())
	return &expr.Target{Name: "NFQUEUE", Rev: revision, Info: &info}
}
