// SPDX-License-Identifier: MIT

package rules

import (
	"fmt"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"nftdict/dictd/queue"
)

// Config says what the rules do. The zero value is not useful.
type Config struct {
	Table    string // name of the table, of family inet
	Priority int32  // of the chains that queue; the ones that put marks back have the next

	Queues Queues       // where packets go
	Source queue.Source // how the conntrack id travels

	// FinishBit is the bit of the conntrack mark that takes a connection out of
	// the queues; 0 uses none, and rows alone do.
	FinishBit uint32
	// FinishMark is the packet mark that Finish verdicts carry (ByMark).
	FinishMark uint32
	// MaxPackets leaves connections alone that have had more packets, where
	// conntrack counts them; 0 means no limit.
	MaxPackets uint64
	// Closed drops packets while no daemon reads the queues.
	Closed bool
}

// Queues are two ranges of queue numbers of one length: packets of known
// connections, and from First+Count on packets that open one.
type Queues struct {
	First  uint16
	Count  uint16
	Fanout bool // spread by CPU; else by addresses
}

// Terms are the encoded terms that the rules consult; without them (nil) the
// rules that need them are left out.
type Terms struct {
	Flush    []byte // dict sessions ct id flush
	Bypassed []byte // dict sessions ct id bypass_packetd true
	Wanted   []byte // dict sessions ct id bypass_packetd false
	// Attach makes a packet's connection known to the table sessions, where the
	// backend asks for that (nftext.Attacher).
	Attach []byte
}

// Texts of the terms, for a Compiler, and the chain they will stand in.
const (
	TermChain    = chainSelect
	FlushText    = "dict sessions ct id flush"
	BypassedText = "dict sessions ct id bypass_packetd true"
	WantedText   = "dict sessions ct id bypass_packetd false"
)

// chain is a chain with its rules in order.
type chain struct {
	name     string
	base     bool
	hook     uint32
	priority int32
	rules    []rule
}

// Chains.
const (
	chainPrerouting = "prerouting"
	chainInput      = "input"
	chainOutput     = "output"
	chainSelect     = "select"
	chainInspect    = "inspect"
	chainOwn        = "own"
	chainRestore    = "restore_"
)

const dnsPort = 53

// layout returns the chains of the table, in an order in which each exists
// before it is called.
func layout(c Config, k kernel, terms Terms) []chain {
	chains := []chain{inspect(c, k, terms), selection(c, terms), own(c), prerouting(c), input(c), output(c)}
	if c.Source == queue.ByMark {
		chains = append(chains,
			restore(c, "prerouting", unix.NF_INET_PRE_ROUTING),
			restore(c, "output", unix.NF_INET_LOCAL_OUT))
	}
	return chains
}

// own takes the connections of this machine itself out of the queues.
func own(c Config) chain {
	ch := chain{name: chainOwn}
	if c.FinishBit != 0 {
		ch.rules = append(ch.rules, newRule("this machine's own", setCtMark(c.FinishBit)))
	}
	return ch
}

// keepMark saves the packet mark where restore finds it, if the mark is needed
// for the conntrack id.
func keepMark(c Config) []expr.Any {
	if c.Source != queue.ByMark {
		return nil
	}
	return copyMeta(expr.MetaKeySECMARK, expr.MetaKeyMARK)
}

// common are the rules that begin each chain that queues, with others before the
// one for finished connections. Every packet passes these, so they come first and
// are cheap.
func common(c Config, lo expr.MetaKey, before ...rule) (rules []rule) {
	if keep := keepMark(c); keep != nil {
		rules = append(rules, newRule("keep the mark", keep))
	}
	rules = append(rules, before...)
	if c.FinishBit != 0 {
		rules = append(rules, newRule("finished", ctBits(expr.CtKeyMARK, c.FinishBit), leave()))
	}
	return append(rules,
		newRule("loopback", loopback(lo), leave()),
		newRule("invalid or untracked",
			ctBits(expr.CtKeySTATE, expr.CtStateBitINVALID|expr.CtStateBitUNTRACKED), leave()),
	)
}

// prerouting sees what is forwarded, and what is for this machine: before NAT
// nobody can tell the two apart, so the chain input sorts the latter out.
func prerouting(c Config) chain {
	ch := chain{name: chainPrerouting, base: true, hook: unix.NF_INET_PRE_ROUTING, priority: c.Priority}
	ch.rules = append(common(c, expr.MetaKeyIIF, reopened(c)...),
		newRule("not to this station", []expr.Any{
			&expr.Meta{Key: expr.MetaKeyPKTTYPE, Register: reg}, unequal([]byte{pktHost}),
		}, leave()))
	ch.rules = append(ch.rules, newRule("", continueIn(chainSelect)))
	return ch
}

// reopened takes back that a connection is finished when another asks to begin in
// its entry, as conntrack sometimes lets it: whether it does, the daemon finds out.
func reopened(c Config) []rule {
	if c.FinishBit == 0 {
		return nil
	}
	return []rule{newRule("finished, and asks again",
		ctBits(expr.CtKeyMARK, c.FinishBit), opensTCP(), clearCtMark(c.FinishBit))}
}

// dns are rules that give DNS traffic, queries and answers, to a verdict.
func dns(then []expr.Any) (rules []rule) {
	for _, proto := range [...]uint8{unix.IPPROTO_UDP, unix.IPPROTO_TCP} {
		for _, side := range [...]uint32{dstPort, srcPort} {
			rules = append(rules, newRule("DNS", protocol(proto), port(side, dnsPort), then))
		}
	}
	return rules
}

func input(c Config) chain {
	ch := chain{name: chainInput, base: true, hook: unix.NF_INET_LOCAL_IN, priority: c.Priority}
	ch.rules = append(ch.rules, newRule("loopback", loopback(expr.MetaKeyIIF), leave()))
	ch.rules = append(ch.rules, dns(leave())...)
	ch.rules = append(ch.rules, newRule("", continueIn(chainOwn)))
	return ch
}

func output(c Config) chain {
	ch := chain{name: chainOutput, base: true, hook: unix.NF_INET_LOCAL_OUT, priority: c.Priority}
	ch.rules = common(c, expr.MetaKeyOIF)
	ch.rules = append(ch.rules, dns(continueIn(chainSelect))...)
	ch.rules = append(ch.rules, newRule("", continueIn(chainOwn)))
	return ch
}

// selection decides whether the daemon wants a packet. The row that an earlier
// connection left under the id goes before anything looks at it.
func selection(c Config, terms Terms) chain {
	ch := chain{name: chainSelect}
	keep := keepMark(c)
	if terms.Flush != nil {
		ch.rules = append(ch.rules, newRule(FlushText, noCtBits(expr.CtKeySTATUS, statusConfirmed)).and(terms.Flush))
	}
	ch.rules = append(ch.rules, newRule("TCP asks for a connection", opensTCP(), keep, continueIn(chainInspect)))
	if terms.Bypassed != nil {
		ch.rules = append(ch.rules, newRule(BypassedText).and(terms.Bypassed).then(keep, leave()))
	}
	if c.MaxPackets > 0 && terms.Wanted != nil {
		// The packets may be those of another connection, before, in the same entry.
		ch.rules = append(ch.rules, newRule(WantedText, morePackets(c.MaxPackets)).and(terms.Wanted).then(keep, continueIn(chainInspect)))
	}
	if keep != nil && (terms.Flush != nil || terms.Bypassed != nil) {
		// Terms may pass their key in the security mark, whether they match or not.
		ch.rules = append(ch.rules, newRule("keep the mark", keep))
	}
	if c.MaxPackets > 0 {
		// A resolver may ask by one connection for ever, and every answer counts.
		ch.rules = append(ch.rules, dns(continueIn(chainInspect))...)
		ch.rules = append(ch.rules, newRule(fmt.Sprintf("past %d packets", c.MaxPackets), morePackets(c.MaxPackets), leave()))
	}
	for _, proto := range [...]uint8{unix.IPPROTO_TCP, unix.IPPROTO_UDP} {
		ch.rules = append(ch.rules, newRule("", protocol(proto), continueIn(chainInspect)))
	}
	for _, proto := range [...]uint8{unix.IPPROTO_ICMP, unix.IPPROTO_ICMPV6} {
		// Errors belong to the connection they speak of: they are not its packets.
		ch.rules = append(ch.rules, newRule("", protocol(proto),
			noCtBits(expr.CtKeySTATE, expr.CtStateBitRELATED), continueIn(chainInspect)))
	}
	return ch
}

// inspect hands a packet to the daemon. What opens a connection has queues of
// its own: the daemon must not take it for a packet of an earlier connection of
// the same id.
func inspect(c Config, k kernel, terms Terms) chain {
	ch := chain{name: chainInspect}
	if terms.Attach != nil {
		ch.rules = append(ch.rules, newRule("a row may be written for it").and(terms.Attach))
	}
	queueTo := nftQueue
	if !k.nftQueue {
		queueTo = xtNFQUEUE
	}
	var id []expr.Any
	if c.Source == queue.ByMark {
		id = markWithID()
	}
	q := c.Queues
	describe := func(first uint16) string {
		s := fmt.Sprintf("queue %d-%d", first, first+q.Count-1)
		if !c.Closed {
			s += " bypass"
		}
		if q.Fanout {
			s += ",fanout"
		}
		return s
	}
	ch.rules = append(ch.rules,
		newRule(describe(q.First+q.Count), noCtBits(expr.CtKeySTATUS, statusConfirmed), id,
			queueTo(q.First+q.Count, q.Count, !c.Closed, q.Fanout)),
		newRule(describe(q.First), id, queueTo(q.First, q.Count, !c.Closed, q.Fanout)))
	return ch
}

// restore takes note of a Finish verdict and gives the packet its mark back.
func restore(c Config, hook string, num uint32) chain {
	ch := chain{name: chainRestore + hook, base: true, hook: num, priority: c.Priority + 1}
	if c.FinishBit != 0 {
		ch.rules = append(ch.rules, newRule("the daemon has seen enough",
			metaIs(expr.MetaKeyMARK, c.FinishMark), setCtMark(c.FinishBit)))
	}
	ch.rules = append(ch.rules, newRule("the mark as it was", copyMeta(expr.MetaKeyMARK, expr.MetaKeySECMARK)))
	return ch
}
