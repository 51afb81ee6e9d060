// SPDX-License-Identifier: MIT

package rule

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// RefusedError is what the kernel refused: a message of a batch, and so the whole.
type RefusedError struct {
	Rule      int       // index of the rule, in the order in which they were added; -1 if it was none
	What      string    // what was refused, such as "rule 2 of ip filter forward"
	Statement Statement // the statement, if the kernel says which; else nil
	Remedy    string    // what would do, if it is known
	Err       error     // of the kernel: an errno, with its words
}

// Error names the rule, the statement, the kernel's reason and the remedy.
func (e *RefusedError) Error() string {
	text := e.What
	if e.Statement != nil {
		text += ": " + e.Statement.String()
	}
	text += ": " + e.Err.Error()
	if e.Remedy != "" {
		text += ": " + e.Remedy
	}
	return text
}

// Unwrap returns the kernel's error.
func (e *RefusedError) Unwrap() error { return e.Err }

// Commit sends the batch and waits for the kernel, which takes all of it or
// nothing; the batch is empty afterwards. What the kernel refused is a
// *RefusedError, several if several messages were (errors.As finds the first).
// It needs CAP_NET_ADMIN.
func (b *Batch) Commit() error {
	err := b.send(true)
	return errors.Join(err, b.Close())
}

// Check asks the kernel whether it would take the batch, and changes nothing.
func (b *Batch) Check() error { return b.send(false) }

// answerTimeout bounds the wait for one answer of the kernel.
const answerTimeout = 30 * time.Second

// lostTimeout bounds the wait for answers that may have been lost: the kernel
// has given all before the batch is sent.
const lostTimeout = 100 * time.Millisecond

func (b *Batch) send(commit bool) error {
	if err := b.Err(); err != nil {
		return err
	}
	if len(b.messages) == 0 {
		return nil
	}
	if b.options.Conn != nil {
		return b.exchange(b.options.Conn, commit)
	}
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: b.options.NetNS})
	if err != nil {
		return fmt.Errorf("nf_tables: %w", err)
	}
	defer conn.Close()
	return b.exchange(conn, commit)
}

// exchange sends the batch over conn. A batch without its end is looked at by
// the kernel and undone.
func (b *Batch) exchange(conn *netlink.Conn, commit bool) error {
	list := append([]message{bracket(unix.NFNL_MSG_BATCH_BEGIN)}, b.messages...)
	if commit {
		list = append(list, bracket(unix.NFNL_MSG_BATCH_END))
	}
	first := uint32(time.Now().UnixNano()) | 1
	if first > 1<<31 {
		first -= 1 << 31
	}
	last := len(b.messages) // the one that is answered in any case
	out := make([]netlink.Message, len(list))
	total := 0
	for i, m := range list {
		out[i] = m.Message
		out[i].Header.Sequence = first + uint32(i)
		out[i].Header.PID = 0
		out[i].Header.Length = 0
		out[i].Header.Flags &^= netlink.Acknowledge
		if i == last {
			out[i].Header.Flags |= netlink.Acknowledge
		}
		total += len(m.Data) + unix.SizeofNlMsghdr + unix.NLA_ALIGNTO
	}
	// The kernel takes a transaction as one datagram.
	_ = conn.SetOption(netlink.ExtendedAcknowledge, true) // better texts where there are any
	if err := b.room(conn, total); err != nil {
		return err
	}
	if _, err := conn.SendMessages(out); err != nil {
		if errors.Is(err, unix.EMSGSIZE) {
			return fmt.Errorf("nf_tables: %w: a batch of %d bytes needs CAP_NET_ADMIN over the whole system, or a larger net.core.wmem_max", err, total)
		}
		return fmt.Errorf("nf_tables: %w", err)
	}
	return b.answers(conn, list, first, last)
}

// room makes the socket's buffers large enough.
func (b *Batch) room(conn *netlink.Conn, total int) error {
	const slack, replies = 1 << 16, 1 << 20
	have, err := conn.WriteBuffer()
	if err == nil && have < total+slack {
		err = conn.SetWriteBuffer(total + slack)
	}
	if err != nil {
		return fmt.Errorf("nf_tables: %w", err)
	}
	_ = conn.SetReadBuffer(replies) // fewer answers fit otherwise: see answers
	return nil
}

// mostRefusals is how many refusals an error tells.
const mostRefusals = 10

// answers reads what the kernel says. It answers messages that it refuses and
// the last one; it answers the first if it refuses the transaction as a whole.
func (b *Batch) answers(conn *netlink.Conn, list []message, first uint32, last int) error {
	var refused []error
	timeout, lost := answerTimeout, false
	for {
		if err := conn.SetReadDeadline(time.Now().Add(timeout)); err != nil {
			return fmt.Errorf("nf_tables: %w", err)
		}
		messages, err := conn.Receive()
		var op *netlink.OpError
		switch {
		case err == nil:
			for _, m := range messages {
				if m.Header.Sequence == first+uint32(last) {
					return errors.Join(refused...)
				}
			}
			continue
		case errors.Is(err, unix.ENOBUFS):
			// More refusals than the buffer holds; the one answer of a success fits.
			// Those that it holds have come.
			timeout, lost = lostTimeout, true
			continue
		case !errors.As(err, &op) || lost && op.Timeout():
			return errors.Join(append(refused, fmt.Errorf("nf_tables: there are more refusals: %w", unix.ENOBUFS))...)
		case op.Sequence == 0:
			return errors.Join(append(refused, fmt.Errorf("nf_tables: %w", err))...)
		case op.Sequence < first || op.Sequence-first >= uint32(len(list)):
			continue // of a batch before, which was told enough
		}
		i := int(op.Sequence - first)
		if len(refused) < mostRefusals {
			refused = append(refused, refusal(list, i, op))
		}
		if i == 0 || i == last {
			return errors.Join(refused...)
		}
	}
}

// refusal makes an error of the kernel's answer to a message.
func refusal(list []message, i int, op *netlink.OpError) error {
	m := &list[i]
	e := &RefusedError{Rule: m.rule, What: m.what, Err: op.Err}
	if op.Message != "" {
		e.Err = fmt.Errorf("%w: %s", op.Err, strings.TrimSuffix(op.Message, "."))
	}
	if op.Offset > 0 {
		e.Statement = m.statement(op.Offset)
	}
	if e.Statement == nil && len(m.list) == 1 {
		e.Statement = m.list[0]
	}
	switch {
	case errors.Is(op.Err, unix.EPERM):
		e.Remedy = "CAP_NET_ADMIN is missing, or another process owns the table"
	case e.Statement != nil:
		e.Remedy = remedies([]Statement{e.Statement})
	case i > 0:
		e.Remedy = remedies(m.list)
	default: // any statement may be to blame
		for _, m := range list {
			if r := remedies(m.list); r != "" && !strings.Contains(e.Remedy, r) && len(e.Remedy) < mostRemedy {
				e.Remedy = strings.TrimPrefix(e.Remedy+"; "+r, "; ")
			}
		}
	}
	return e
}

// mostRemedy is how long a remedy may become before no more is added to it.
const mostRemedy = 500

// remedies tells what statements need.
func remedies(list []Statement) string {
	var helps []string
	for _, s := range list {
		if r, ok := s.(remedied); ok && r.remedy() != "" && !slices.Contains(helps, r.remedy()) {
			helps = append(helps, r.remedy())
		}
	}
	return strings.Join(helps, "; ")
}
