// SPDX-License-Identifier: MIT

package rule

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/nftables"
	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/nftext"
	"nftdict/nftext/codec"
	"nftdict/nftext/ruletest"
)

// noTerms is a compiler of a backend that does nothing.
type noTerms struct{ released int }

func (c *noTerms) Compile(_ nftext.Target, b nftext.Bound) (*nftext.Code, error) {
	if b.Term().Kind() == nftext.KindStatement {
		return nil, fmt.Errorf("%s: %w here", b.Term(), dict.ErrNotSupported)
	}
	return &nftext.Code{Release: func() error { c.released++; return nil }}, nil
}

func (*noTerms) Decompile(uint8, []nftext.Element) nftext.Found { return nftext.Found{} }

// list returns the rules of a chain by List.
func (s *space) list(c *nftables.Chain) (rules []Listed) {
	s.t.Helper()
	var err error
	s.do(func() { rules, err = List(context.Background(), codec.New(ruletest.NewSchema(), &noTerms{}), c) })
	if err != nil {
		s.t.Fatal(err)
	}
	return rules
}

// texts are the texts of rules.
func texts(rules []Listed) (out []string) {
	for _, r := range rules {
		out = append(out, r.Text)
	}
	return out
}

// TestMixed loads objects of google/nftables and rules of ours, each of which
// needs what was added before it, in one transaction.
func TestMixed(t *testing.T) {
	s := newSpace(t)
	b := NewBatch(Options{NetNS: s.fd()})
	table := b.AddTable(&nftables.Table{Name: "t", Family: nftables.TableFamilyINet}, 0)
	vips := &nftables.Set{Table: table, Name: "vips", KeyType: nftables.TypeIPAddr}
	b.AddSet(vips, []nftables.SetElement{{Key: []byte{10, 0, 0, 1}}})
	web := b.Conn().AddChain(&nftables.Chain{Name: "web", Table: table})
	b.Add(web, New(IPSaddr().In(vips), Accept()), New(Counter{}, Reject(TCPReset)))
	policy := nftables.ChainPolicyAccept
	forward := b.Conn().AddChain(&nftables.Chain{Name: "forward", Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter, Policy: &policy})
	b.Conn().AddObj(&nftables.CounterObj{Table: table, Name: "every"})
	b.Add(forward,
		New(CtState().Any(StateEstablished|StateRelated), Accept()),
		New(NamedCounter("every")),
		New(TCPDport().Is(80, 443), Goto("web")).Comment("the web"),
		New(Cases(IIFName(), map[string]Verdict{"lo": Accept(), "eth0": Drop()})),
	)
	b.Insert(forward, New(IIFName().Is("lo"), Accept()), New(MetaMark().Is(1, 2), Drop()))
	if err := b.Check(); err != nil {
		t.Fatal(err)
	}
	if have := s.nft("list ruleset"); have != "" {
		t.Fatalf("a check left:\n%s", have)
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	want := `table inet t {
	counter every {
		packets 0 bytes 0
	}

	set vips {
		type ipv4_addr
		elements = { 10.0.0.1 }
	}

	chain web {
		ip saddr @vips accept
		counter packets 0 bytes 0 meta l4proto tcp reject with tcp reset
	}

	chain forward {
		type filter hook forward priority filter; policy accept;
		iifname "lo" accept
		meta mark { 0x00000001, 0x00000002 } drop
		ct state established,related accept
		counter name "every"
		tcp dport { 80, 443 } goto web comment "the web"
		iifname vmap { "lo" : accept, "eth0" : drop }
	}
}
`
	have := s.nft("list ruleset")
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("(-want +have):\n%s", diff)
	}
	s.nft("flush ruleset\n" + have) // it loads again
}

// TestEdit inserts, replaces and deletes by the handles that List tells.
func TestEdit(t *testing.T) {
	s := newSpace(t)
	s.nft("add table inet t; add chain inet t c { comment \"of the test\"; }; add rule inet t c counter comment \"first # handle 99\"; add rule inet t c drop")
	c := chains()["inet t plain"]
	c.Name = "c"
	rules := s.list(c)
	if len(rules) != 2 {
		t.Fatalf("have %v", rules)
	}
	b := NewBatch(Options{NetNS: s.fd()})
	b.AddAfter(c, rules[0].Handle, New(TCPDport().Is(1)))
	b.InsertBefore(c, rules[0].Handle, New(TCPDport().Is(2)))
	b.Replace(c, rules[1].Handle, New(Accept()))
	b.Add(c, New(TCPDport().Is(3)))
	b.Insert(c, New(TCPDport().Is(4)), New(TCPDport().Is(5)))
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	rules = s.list(c)
	want := []string{"tcp dport 4", "tcp dport 5", "tcp dport 2", `counter packets 0 bytes 0 comment "first # handle 99"`, "tcp dport 1", "accept", "tcp dport 3"}
	if diff := cmp.Diff(want, texts(rules)); diff != "" {
		t.Fatalf("(-want +have):\n%s", diff)
	}
	for _, r := range rules[1:] {
		b.Delete(c, r.Handle)
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want[:1], texts(s.list(c))); diff != "" {
		t.Errorf("(-want +have):\n%s", diff)
	}
	b.Delete(c, rules[1].Handle)
	if err := b.Commit(); !errors.Is(err, unix.ENOENT) || !strings.Contains(err.Error(), "delete rule inet t c handle ") {
		t.Errorf("delete what is gone: %v", err)
	}
	s.do(func() {
		c.Name = "nowhere"
		if _, err := List(context.Background(), codec.New(ruletest.NewSchema(), &noTerms{}), c); !errors.Is(err, dict.ErrNotExist) {
			t.Errorf("list a chain that is not there: %v", err)
		}
	})
}

// TestRefusedByKernel names the rule and the statement, and changes nothing.
func TestRefusedByKernel(t *testing.T) {
	s := newSpace(t)
	s.nft(setup)
	before := s.nft("list ruleset")
	plain := chains()["inet t plain"]
	for _, c := range []struct {
		rule      Rule
		statement string
		text      string
	}{
		{New(TCPDport().Is(80), Counter{}, IPSaddr().In(Named("nobody")), Drop()), "ip saddr @nobody", "the set has to be there"},
		{New(IP6Saddr().Is(netip.MustParseAddr("fe80::1")), Counter{}, DynSet{Set: Named("nobody"), Key: IP6Saddr()}), "add @nobody { ip6 saddr }", "the set has to be there"},
		{New(Counter{}, Jump("nowhere")), "jump nowhere", "the chain has to be there"},
		{New(Counter{}, NamedQuota("none")), `quota name "none"`, "the object has to be there"},
		{New(Counter{}, Limit{Rate: 1 << 63, Bytes: true}), "limit rate 8796093022208 mbytes/second", "limit rate"},
	} {
		b := NewBatch(Options{NetNS: s.fd()})
		b.Add(plain, New(Accept()), New(IPSaddr().Is(netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"))), c.rule, New(Drop()))
		err := b.Commit()
		e, ok := errors.AsType[*RefusedError](err)
		if !ok || e.Rule != 2 || e.Statement == nil || e.Statement.String() != c.statement {
			t.Errorf("%s: %v, as %+v", c.rule, err, e)
		}
		if err == nil || !strings.Contains(err.Error(), c.text) || !strings.HasPrefix(err.Error(), "rule 2 of inet t plain: "+c.statement) {
			t.Errorf("%s: %v", c.rule, err)
		}
		var errno unix.Errno
		if !errors.As(err, &errno) {
			t.Errorf("%s: no errno in %v", c.rule, err)
		}
	}
	// What it has under a name is known when the rule is added.
	for text, r := range map[string]Rule{
		"its keys are ipv4_addr (4 bytes)": New(IP6Saddr().In(Named("addresses"))),
		"it holds mark, not verdicts":      New(IPSaddr().Vmap(Named("tags"))),
		"rules cannot change it":           New(Add(Named("addresses"), IPSaddr())),
		"it is no set":                     New(IPSaddr().In(Named("tags"))),
	} {
		b := NewBatch(Options{NetNS: s.fd()})
		b.Add(plain, r)
		if err := b.Commit(); !errors.Is(err, dict.ErrInvalid) || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", r, err)
		}
	}
	// Where the chain is called from only the kernel knows.
	b := NewBatch(Options{NetNS: s.fd()})
	b.Add(&nftables.Chain{Table: plain.Table, Name: "forward"}, New(Drop()))
	b.Add(&nftables.Chain{Table: plain.Table, Name: "filter"}, New(DNATTo(netip.MustParseAddr("10.0.0.1"), 0)))
	err := b.Commit()
	if err == nil || !strings.Contains(err.Error(), "rule 0 of inet t forward: drop") {
		t.Errorf("have %v", err)
	}
	b.Add(&nftables.Chain{Table: plain.Table, Name: "filter"}, New(DNATTo(netip.MustParseAddr("10.0.0.1"), 0)))
	err = b.Commit()
	if err == nil || !strings.Contains(err.Error(), "dnat needs a chain of type nat at prerouting or output") {
		t.Errorf("have %v", err)
	}
	if diff := cmp.Diff(before, s.nft("list ruleset")); diff != "" {
		t.Errorf("something has changed (-before +after):\n%s", diff)
	}
}

// TestRefused is what is wrong before anything is sent.
func TestRefused(t *testing.T) {
	places := chains()
	a, a6 := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fe80::1")
	for _, c := range []struct {
		chain string
		rule  Rule
		want  string
	}{
		{"inet t filter", New(Counter{}, DNATTo(a, 0)), "dnat ip to 10.0.0.1: invalid in chain filter (type filter, hook forward): it needs a chain of type nat at prerouting or output"},
		{"ip v4 nat_in", New(SNAT(NAT{Addr: a})), "snat ip to 10.0.0.1: invalid in chain nat_in (type nat, hook prerouting): it needs a chain of type nat at input or postrouting"},
		{"ip v4 nat_in", New(Masquerade(NAT{})), "needs a chain of type nat at postrouting"},
		{"ip v4 filter", New(RedirectTo(80)), "needs a chain of type nat"},
		{"ip v4 nat_in", New(DNATTo(a, 80)), "ports belong to a protocol"},
		{"ip v4 nat_in", New(DNATTo(a6, 0)), "the packets here are ip"},
		{"ip v4 nat_in", New(DNAT(NAT{})), "neither an address nor a port"},
		{"ip v4 nat_in", New(DNAT(NAT{Addr: a, AddrEnd: netip.MustParseAddr("9.0.0.1")})), "is no range"},
		{"ip v4 nat_in", New(DNAT(NAT{Addr: a, Prefix: netip.MustParsePrefix("10.0.0.0/8")})), "stand in each other's place"},
		{"inet t filter", New(Rewrite(IPTTL(), 5)), "addresses and ports alone"},
		{"ip v4 nat_in", New(TCPDport().Is(80), DNAT(NAT{Port: 5, PortEnd: 4})), "is no range of ports"},
		{"inet t nat_in", New(TCPDport().Is(80), DNAT(NAT{Port: 5})), "may be of either family"},
		{"inet t nat_in", New(Redirect(NAT{Addr: a})), "takes no address"},
		{"inet t nat_in", New(Redirect(NAT{Random: true, FullyRandom: true})), "random and fully-random"},
		{"inet t filter", New(Accept(), Counter{}), `counter packets 0 bytes 0: invalid: it stands behind "accept" and is never reached`},
		{"inet t filter", New(Reject(0), Drop()), `behind "reject"`},
		{"inet t filter", New(TCPDport().Is(80), UDPSport().Is(80)), "udp sport 80: invalid: the packets here are tcp"},
		{"inet t filter", New(UDPDport().Is(80), Reject(TCPReset)), "reject with tcp reset: invalid: the packets here are udp"},
		{"inet t filter", New(L4Proto().Is(UDP, ICMP), TCPDport().Is(80)), "the packets here are udp"},
		{"inet t filter", New(TCPDport().Is(80), L4Proto().Is(UDP)), "the packets here are tcp"},
		{"inet t filter", New(IPSaddr().Is(a), IP6Daddr().Is(a6)), "ip6 daddr fe80::1: invalid: the packets here are ip"},
		{"ip6 v6 filter", New(Reject(ICMPHostProhibited)), "the packets here are ip6"},
		{"inet t filter", New(IPSaddr().Is(a6)), "address fe80::1: invalid: want one of ipv4"},
		{"inet t filter", New(IPSaddr().Within(netip.MustParsePrefix("fe80::/10"))), "prefix fe80::/10"},
		{"inet t filter", New(IPSaddr().Is()), "it names no value"},
		{"inet t filter", New(IPSaddr().Within()), "it names no value"},
		{"inet t filter", New(TCPDport().Between(5, 4)), "its beginning is above its end"},
		{"inet t filter", New(IIFName().Is("an interface's name")), "want 1 to 15 characters"},
		{"inet t filter", New(IIFName().Is("*")), "leave the condition out"},
		{"inet t filter", New(IIFName().Between("eth*", "lo")), "a wildcard is no value"},
		{"inet t filter", New(OIFName().Below("eth*")), "a wildcard is no value"},
		{"inet t filter", New(EtherSaddr().Is(nil)), "want 6 bytes"},
		{"inet t filter", New(CtState().Any(0)), "names no bit"},
		{"inet t filter", New(IPSaddr().In(&nftables.Set{Name: "s", KeyType: nftables.TypeIP6Addr})), "its keys are ipv6_addr (16 bytes), not ipv4_addr (4 bytes)"},
		{"inet t filter", New(IPSaddr().In(&nftables.Set{Name: "s", KeyType: nftables.TypeIPAddr, IsMap: true})), "it is no set"},
		{"inet t filter", New(IPSaddr().Vmap(&nftables.Set{Name: "m", KeyType: nftables.TypeIPAddr, IsMap: true, DataType: nftables.TypeMark})), "it holds mark, not verdicts"},
		{"inet t filter", New(MetaMark().SetBits(0xf, 0x10)), "are not all in the mask"},
		{"inet t filter", New(MetaMark().SetFrom(IPTTL())), "has 1 bytes"},
		{"inet t filter", New(nil), "a statement is nil"},
		{"inet t filter", New(Jump("")), "names no chain"},
		{"inet t filter", New(Goto("filter")), "cannot call itself"},
		{"inet t filter", New(Notrack()), "at prerouting or output"},
		{"inet t mangle", New(Notrack()), "conntrack, at priority -200, comes before its -150"},
		{"inet t input", New(Offload("f")), "needs a chain at forward"},
		{"inet t mangle", New(Synproxy{}), "needs a chain at input or forward"},
		{"inet t input", New(UDPDport().Is(5), Synproxy{}), "the packets here are udp"},
		{"inet t filter", New(TCPDport().Is(80), TProxy{Port: 5}), "at prerouting"},
		{"inet t mangle", New(TProxy{Port: 5}), "ports belong to a protocol"},
		{"inet t filter", New(Dup{Addr: a}), "in a table of family inet: it needs ip, ip6, netdev"},
		{"ip v4 filter", New(Dup{Addr: a6}), "needs an address of family ip"},
		{"netdev d ingress", New(Dup{Addr: a, Device: 1}), "needs a device and no address"},
		{"ip v4 filter", New(Fwd{Device: 1}), "it needs netdev"},
		{"netdev d ingress", New(Queue{}), "in a table of family netdev"},
		{"inet t filter", New(Queue{First: 5, Last: 4}), "is no range of queues"},
		{"inet t filter", New(Queue{First: 5, Fanout: true}), "more than one queue"},
		{"inet t filter", New(Limit{}), "a rate of 0"},
		{"inet t filter", New(Limit{Rate: 5, Per: 7}), "want a second, minute, hour, day or week"},
		{"inet t filter", New(Quota{}), "a quota of 0 bytes"},
		{"inet t filter", New(Log{Prefix: strings.Repeat("x", 128)}), "at most 127 bytes"},
		{"inet t filter", New(Log{ToGroup: true, Level: LevelInfo}), "a group has none"},
		{"inet t filter", New(Log{Group: 5}), "need ToGroup"},
		{"inet t filter", New(Add(&nftables.Set{Name: "s", KeyType: nftables.TypeIPAddr}, IPSaddr())), "set Dynamic"},
		{"inet t filter", New(Add(&nftables.Set{Name: "s", KeyType: nftables.TypeIPAddr, Dynamic: true, HasTimeout: true}, IPSaddr(), Connections{Count: 5})), "one without timeouts"},
		{"inet t filter", New(MetaMark().SetFrom(Numgen(true, 0, 0))), "modulus 0"},
		{"inet t filter", New(Accept()).Comment(`"`), "comment"},
		{"inet t filter", New(Dict("dict sessions ct id final true")), "the batch has no Schema"},
	} {
		b := NewBatch(Options{})
		b.Add(places[c.chain], New(), c.rule)
		err := b.Commit()
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "rule 1 of "+c.chain+": ") {
			t.Errorf("%s: have %v, want %s", c.rule, err, c.want)
		}
		if !errors.Is(err, dict.ErrInvalid) {
			t.Errorf("%s: %v is no %v", c.rule, err, dict.ErrInvalid)
		}
	}
	for _, s := range []Statement{IPDSCP().Is(1, 2), IPDSCP().Between(1, 2), IPDSCP().In(&nftables.Set{Name: "s"}), Cases(IPDSCP(), map[uint8]Verdict{1: Drop()})} {
		b := NewBatch(Options{})
		b.Add(places["inet t filter"], New(s))
		if err := b.Commit(); !errors.Is(err, dict.ErrNotSupported) {
			t.Errorf("%s: have %v", s, err)
		}
	}
}

// TestCallableChains: only chains without a hook are called.
func TestCallableChains(t *testing.T) {
	b := NewBatch(Options{})
	table := b.Conn().AddTable(&nftables.Table{Name: "t", Family: nftables.TableFamilyINet})
	c := b.Conn().AddChain(&nftables.Chain{Name: "c", Table: table})
	b.Conn().AddChain(&nftables.Chain{Name: "base", Table: table, Type: "filter", Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityFilter})
	b.Add(c, New(Jump("base")))
	if err := b.Err(); err == nil || !strings.Contains(err.Error(), "jump base: chain base: invalid: it has a hook") {
		t.Errorf("have %v", err)
	}
	if err := b.Close(); err != nil || b.Err() != nil {
		t.Errorf("after Close: %v, %v", err, b.Err())
	}
}

// TestTerms: dict terms are compiled, held until the batch is committed, and
// refused by name.
func TestTerms(t *testing.T) {
	c := &noTerms{}
	schema := ruletest.NewSchema()
	b := NewBatch(Options{Schema: schema, Compiler: c})
	chain := chains()["inet t filter"]
	b.Add(chain, New(Dict("dict sessions ct id final  true"), Drop()))
	if err := b.Err(); err != nil || c.released != 0 {
		t.Fatalf("have %v, released %d", err, c.released)
	}
	if err := b.Close(); err != nil || c.released != 1 {
		t.Errorf("close: %v, released %d", err, c.released)
	}
	if have := New(Dict("dict sessions ct id final  ==  true"), Drop()).String(); have != "dict sessions ct id final true drop" {
		t.Errorf("have %s", have)
	}
	for text, want := range map[string]error{
		"dict sessions ct id final":         dict.ErrInvalid,
		"dict sessions ct id final true x":  dict.ErrInvalid,
		"dict sessions ct id nothing true":  dict.ErrNotExist,
		"dict sessions ip saddr final true": dict.ErrType,
		"dict sessions ct id flush":         dict.ErrNotSupported,
	} {
		b := NewBatch(Options{Schema: schema, Compiler: c})
		b.Add(chain, New(Dict(text)))
		if err := b.Commit(); !errors.Is(err, want) {
			t.Errorf("%s: have %v, want %v", text, err, want)
		}
	}
}

// TestLarge loads more than fits socket buffers, and is refused more often than
// answers fit.
func TestLarge(t *testing.T) {
	s := newSpace(t)
	const many = 6000
	b := NewBatch(Options{NetNS: s.fd()})
	table := b.Conn().AddTable(&nftables.Table{Name: "t", Family: nftables.TableFamilyIPv4})
	c := b.Conn().AddChain(&nftables.Chain{Name: "c", Table: table})
	var addresses []netip.Addr
	var elements []nftables.SetElement
	a := netip.MustParseAddr("10.0.0.0")
	for range many {
		addresses = append(addresses, a)
		elements = append(elements, nftables.SetElement{Key: a.AsSlice()})
		b.Add(c, New(IPSaddr().Is(a), Counter{}, Drop()))
		a = a.Next()
	}
	set := &nftables.Set{Table: table, Name: "s", KeyType: nftables.TypeIPAddr}
	b.AddSet(set, elements)
	b.Add(c, New(IPSaddr().Is(addresses...), Accept()), New(IPSaddr().In(set)))
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	rules := s.rules("ip t c")
	if len(rules) != many+2 || strings.Count(rules[many], ",") != many-1 {
		t.Errorf("have %d rules, the set of %.80s...", len(rules), rules[len(rules)-2])
	}
	if n := strings.Count(s.nft("list set ip t s"), "10.0."); n != many {
		t.Errorf("the set has %d elements", n)
	}
	for range many {
		b.Add(c, New(Counter{}, Jump("nowhere")))
	}
	err := b.Commit()
	if e, ok := errors.AsType[*RefusedError](err); !ok || e.Rule != 0 || !errors.Is(err, unix.ENOENT) || !errors.Is(err, unix.ENOBUFS) {
		t.Errorf("have %.1000v", err)
	}
	if have := len(s.rules("ip t c")); have != many+2 {
		t.Errorf("have %d rules", have)
	}
}

func TestProbe(t *testing.T) {
	s := newSpace(t)
	f, err := Probe(s.fd())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", f)
	if _, err := s.try("add table inet t; add chain inet t c; add rule inet t c queue"); f.Queue != (err == nil) {
		t.Errorf("queue: %v, nft says %v", f.Queue, err)
	}
	if !f.Queue && !f.XTQueue {
		return
	}
	b := NewBatch(Options{NetNS: s.fd()})
	c := b.Conn().AddChain(&nftables.Chain{Name: "c", Table: b.AddTable(&nftables.Table{Name: "u", Family: nftables.TableFamilyINet}, 0)})
	b.Add(c, New(Queue{First: 5, Last: 6, Bypass: true}))
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	if have := s.rules("inet u c"); !strings.Contains(strings.ToLower(strings.Join(have, " ")), "queue") {
		t.Errorf("have %v", have)
	}
}

func FuzzParseList(f *testing.F) {
	f.Add("table inet t { # handle 1\n\tchain c { # handle 2\n\t\ttype filter hook input priority 0; policy accept;\n\t\tcounter # handle 3\n\t}\n}\n")
	f.Add("\t\tip saddr { 1.2.3.4,\n 1.2.3.5 } # handle 7\n")
	f.Fuzz(func(t *testing.T, text string) {
		rules, err := parseList(text)
		if err != nil {
			return
		}
		for _, r := range rules {
			again, err := parseList(r.Text + handleMark + fmt.Sprint(r.Handle) + "\n")
			if err == nil && len(again) == 1 && again[0].Handle != r.Handle {
				t.Errorf("%q: have %v", text, again)
			}
		}
	})
}
