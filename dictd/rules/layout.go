// SPDX-License-Identifier: MIT

package rules

import (
	"fmt"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"nftdict/dictd/queue"
	"nftdict/nftext/rule"
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
	// Policies say what becomes of packets; each may be nil.
	Policies [2]*Policy
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
	hook     *nftables.ChainHook // of a base chain
	nat      bool                // its rules translate addresses
	priority int32
	rules    []rule.Rule
}

// Chains.
const (
	chainPrerouting = "prerouting"
	chainInput      = "input"
	chainOutput     = "output"
	chainSelect     = "select"
	chainInspect    = "inspect"
	chainSegments   = "segments"
	chainOwn        = "own"
	chainRestore    = "restore_"
)

const dnsPort = 53

// layout returns the chains of the table, in an order in which each exists
// before it is called.
func layout(c Config, terms Terms) []chain {
	chains := []chain{inspect(c, terms), segments(), selection(c, terms), own(c), prerouting(c), input(c), output(c)}
	if c.Source == queue.ByMark {
		chains = append(chains,
			restore(c, "prerouting", nftables.ChainHookPrerouting),
			restore(c, "output", nftables.ChainHookOutput))
	}
	for _, p := range c.Policies {
		chains = append(chains, p.chains()...)
	}
	return chains
}

// loopback is the index of the interface lo in every namespace.
const loopback = 1

// described returns a rule with a comment.
func described(text string, statements ...rule.Statement) rule.Rule {
	return rule.New(statements...).Comment(text)
}

// setFinished sets the bit of the conntrack mark that means so, and leaves the
// others.
func setFinished(c Config) rule.Statement { return rule.CtMark().SetBits(c.FinishBit, c.FinishBit) }

// isFinished matches connections whose bit is set.
func isFinished(c Config) rule.Statement { return rule.CtMark().Masked(c.FinishBit).Not(0) }

// opensTCP matches the TCP packet that asks for a connection: SYN alone.
func opensTCP() rule.Statement {
	return rule.TCPFlags().Masked(rule.FIN | rule.SYN | rule.RST | rule.ACK).Is(rule.SYN)
}

// unconfirmed matches packets that open a connection.
func unconfirmed() rule.Statement { return rule.CtStatus().None(rule.StatusConfirmed) }

// own takes the connections of this machine itself out of the queues.
func own(c Config) chain {
	ch := chain{name: chainOwn}
	if c.FinishBit != 0 {
		ch.rules = append(ch.rules, described("this machine's own", setFinished(c)))
	}
	return ch
}

// keepMark saves the packet mark where restore finds it, if the mark is needed
// for the conntrack id.
func keepMark(c Config) []rule.Statement {
	if c.Source != queue.ByMark {
		return nil
	}
	return []rule.Statement{rule.MetaSecmark().SetFrom(rule.MetaMark())}
}

// common are the rules that begin each chain that queues, with others before the
// one for finished connections. Every packet passes these, so they come first and
// are cheap.
func common(c Config, iface rule.Key[uint32], before ...rule.Rule) (rules []rule.Rule) {
	if keep := keepMark(c); keep != nil {
		rules = append(rules, described("keep the mark", keep...))
	}
	rules = append(rules, before...)
	if c.FinishBit != 0 {
		rules = append(rules, described("finished", isFinished(c), rule.Return()))
	}
	return append(rules,
		described("loopback", iface.Is(loopback), rule.Return()),
		described("invalid or untracked", rule.CtState().Any(rule.StateInvalid|rule.StateUntracked), rule.Return()),
	)
}

// prerouting sees what is forwarded, and what is for this machine: before NAT
// nobody can tell the two apart, so the chain input sorts the latter out.
func prerouting(c Config) chain {
	ch := chain{name: chainPrerouting, hook: nftables.ChainHookPrerouting, priority: c.Priority}
	ch.rules = append(common(c, rule.IIF(), reopened(c)...),
		described("not to this station", rule.PktType().Not(rule.ToHost), rule.Return()),
		rule.New(rule.Goto(chainSelect)))
	return ch
}

// reopened takes back that a connection is finished when another asks to begin in
// its entry, as conntrack sometimes lets it: whether it does, the daemon finds out. Nor
// is finished what only begins: expected connections get the mark of their master.
func reopened(c Config) []rule.Rule {
	if c.FinishBit == 0 {
		return nil
	}
	again := rule.CtMark().SetBits(c.FinishBit, 0)
	return []rule.Rule{
		described("finished, and asks again", isFinished(c), opensTCP(), again),
		described("finished before it began", isFinished(c), unconfirmed(), again),
	}
}

// dns are rules that give DNS traffic, queries and answers, to a verdict.
func dns(then rule.Verdict) (rules []rule.Rule) {
	for _, port := range [...]rule.Key[uint16]{rule.UDPDport(), rule.UDPSport(), rule.TCPDport(), rule.TCPSport()} {
		rules = append(rules, described("DNS", port.Is(dnsPort), then))
	}
	return rules
}

func input(c Config) chain {
	ch := chain{name: chainInput, hook: nftables.ChainHookInput, priority: c.Priority}
	ch.rules = append(ch.rules, described("loopback", rule.IIF().Is(loopback), rule.Return()))
	ch.rules = append(ch.rules, dns(rule.Return())...)
	ch.rules = append(ch.rules, rule.New(rule.Goto(chainOwn)))
	return ch
}

func output(c Config) chain {
	ch := chain{name: chainOutput, hook: nftables.ChainHookOutput, priority: c.Priority}
	ch.rules = common(c, rule.OIF())
	ch.rules = append(ch.rules, dns(rule.Goto(chainSelect))...)
	ch.rules = append(ch.rules, rule.New(rule.Goto(chainOwn)))
	return ch
}

// selection decides whether the daemon wants a packet. The row that an earlier
// connection left under the id goes before anything looks at it.
func selection(c Config, terms Terms) chain {
	ch := chain{name: chainSelect}
	keep := keepMark(c)
	inspect := slices.Concat(keep, []rule.Statement{rule.Goto(chainInspect)})
	if terms.Flush != nil {
		ch.rules = append(ch.rules, described(FlushText, unconfirmed(), rule.Encoded(FlushText, terms.Flush)))
	}
	// Also where a row says that its connection has been seen: another may begin in its entry.
	ch.rules = append(ch.rules, described("TCP asks for a connection, or takes it up",
		rule.TCPFlags().Masked(rule.SYN).Not(0)).And(inspect...))
	if terms.Bypassed != nil {
		ch.rules = append(ch.rules, described(BypassedText, rule.Encoded(BypassedText, terms.Bypassed)).And(keep...).And(rule.Return()))
	}
	if c.MaxPackets > 0 && terms.Wanted != nil {
		// The packets may be those of another connection, before, in the same entry.
		ch.rules = append(ch.rules, described(WantedText, rule.CtPackets().Above(c.MaxPackets), rule.Encoded(WantedText, terms.Wanted)).And(inspect...))
	}
	if keep != nil && (terms.Flush != nil || terms.Bypassed != nil) {
		// Terms may pass their key in the security mark, whether they match or not.
		ch.rules = append(ch.rules, described("keep the mark", keep...))
	}
	if c.MaxPackets > 0 {
		// A resolver may ask by one connection for ever, and every answer counts.
		ch.rules = append(ch.rules, dns(rule.Goto(chainInspect))...)
		ch.rules = append(ch.rules, described(fmt.Sprintf("past %d packets", c.MaxPackets), rule.CtPackets().Above(c.MaxPackets), rule.Return()))
	}
	ch.rules = append(ch.rules,
		rule.New(rule.L4Proto().Is(rule.TCP), rule.Goto(chainSegments)),
		rule.New(rule.L4Proto().Is(rule.UDP), rule.Goto(chainInspect)))
	for _, proto := range [...]rule.Protocol{rule.ICMP, rule.ICMPv6} {
		// Errors belong to the connection they speak of: they are not its packets.
		ch.rules = append(ch.rules, rule.New(rule.L4Proto().Is(proto),
			rule.CtState().None(rule.StateRelated), rule.Goto(chainInspect)))
	}
	return ch
}

// segments leaves TCP segments alone that carry nothing, one in four of a short
// connection: acknowledgements, and ends, which conntrack tells. Only lengths at which
// no byte finds room behind the headers count: the common ones, without options of IP,
// and without those of TCP or with the twelve bytes of timestamps. Who opens an entry
// is looked at in any case, and so are a SYN's answers: they tell where streams begin.
func segments() chain {
	ch := chain{name: chainSegments, rules: []rule.Rule{rule.New(unconfirmed(), rule.Goto(chainInspect))}}
	const syn, tcp = 0x02, 0x06
	for _, length := range [...]uint32{20, 32} {
		// The upper half byte of the TCP header's byte 12 is its length in words.
		bare := rule.Raw[uint16]("@th,96,16", expr.PayloadBaseTransportHeader, 12).Masked(0xf000 | syn).Is(uint16(length / 4 << 12))
		// Version 4, header of five words; its total length.
		v4 := rule.Raw[uint32]("@nh,0,32", expr.PayloadBaseNetworkHeader, 0).Masked(0xff00ffff).Is(0x45<<24 | 20 + length)
		// The length behind the header, the next header.
		v6 := rule.Raw[uint32]("@nh,32,32", expr.PayloadBaseNetworkHeader, 4).Masked(0xffffff00).Is(length<<16 | tcp<<8)
		ch.rules = append(ch.rules,
			described("carries nothing", rule.NFProto().Is(rule.IPv4), v4, bare, rule.Return()),
			described("carries nothing", rule.NFProto().Is(rule.IPv6), v6, bare, rule.Return()))
	}
	ch.rules = append(ch.rules, rule.New(rule.Goto(chainInspect)))
	return ch
}

// inspect hands a packet to the daemon. What opens a connection has queues of
// its own: the daemon must not take it for a packet of an earlier connection of
// the same id.
func inspect(c Config, terms Terms) chain {
	ch := chain{name: chainInspect}
	if terms.Attach != nil {
		ch.rules = append(ch.rules, described("a row may be written for it", rule.Encoded("attach sessions", terms.Attach)))
	}
	var id []rule.Statement
	if c.Source == queue.ByMark {
		id = append(id, rule.MetaMark().SetFrom(rule.CtID())) // its bytes in the order of the wire
	}
	q := c.Queues
	to := func(first uint16) rule.Queue {
		return rule.Queue{First: first, Last: first + q.Count - 1, Bypass: !c.Closed, Fanout: q.Fanout && q.Count > 1}
	}
	opening, known := to(q.First+q.Count), to(q.First)
	ch.rules = append(ch.rules,
		described(opening.String(), unconfirmed()).And(id...).And(opening),
		described(known.String(), id...).And(known))
	return ch
}

// restore takes note of a Finish verdict and gives the packet its mark back.
func restore(c Config, name string, hook *nftables.ChainHook) chain {
	ch := chain{name: chainRestore + name, hook: hook, priority: c.Priority + 1}
	if c.FinishBit != 0 {
		ch.rules = append(ch.rules, described("the daemon has seen enough",
			rule.MetaMark().Is(c.FinishMark), setFinished(c)))
	}
	ch.rules = append(ch.rules, described("the mark as it was", rule.MetaMark().SetFrom(rule.MetaSecmark())))
	return ch
}
