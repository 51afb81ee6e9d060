// SPDX-License-Identifier: MIT

package rule

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"nftdict/internal/need"
)

var (
	addr    = netip.MustParseAddr
	prefix  = netip.MustParsePrefix
	mac     = net.HardwareAddr{2, 0, 0, 0, 0, 1}
	ctZone  = CtZone()
	forever = 5 * time.Minute
)

// The places that rules are put into, by name: what makes them.
const setup = `
table inet t {
	set addresses { type ipv4_addr; }
	set nets { type ipv4_addr; flags interval; }
	set marks { type mark; flags interval; }
	set pairs { type ipv4_addr . inet_service; }
	set spans { type mark . inet_service; flags interval; }
	set long { type ifname . ipv4_addr . mark . inet_service; }
	set seen { type ipv4_addr; size 1000; flags dynamic,timeout; }
	set busy { type ipv4_addr; size 1000; flags dynamic; }
	map verdicts { type ipv4_addr : verdict; }
	map tags { type ipv4_addr : mark; size 1000; flags dynamic; }
	map hosts { type inet_service : ipv4_addr; }
	counter hits { }
	quota month { 1 mbytes }
	limit slow { rate 1/second }
	chain other { }
	chain plain { }
	chain filter { type filter hook forward priority 0; }
	chain input { type filter hook input priority 0; }
	chain raw { type filter hook prerouting priority -300; }
	chain mangle { type filter hook prerouting priority -150; }
	chain nat_in { type nat hook prerouting priority -100; }
	chain nat_out { type nat hook postrouting priority 100; }
}
table ip v4 {
	map spots { type inet_service : ipv4_addr . inet_service; }
	chain plain { }
	chain filter { type filter hook forward priority 0; }
	chain nat_in { type nat hook prerouting priority -100; }
	chain nat_out { type nat hook postrouting priority 100; }
}
table ip6 v6 {
	chain filter { type filter hook forward priority 0; }
	chain nat_in { type nat hook prerouting priority -100; }
}
table bridge b {
	chain plain { }
}
table netdev d {
	chain ingress { type filter hook ingress device lo priority 0; }
}
`

// chains are setup's, as google/nftables has them.
func chains() map[string]*nftables.Chain {
	base := func(t *nftables.Table, name string, typ nftables.ChainType, hook *nftables.ChainHook, priority *nftables.ChainPriority) *nftables.Chain {
		return &nftables.Chain{Table: t, Name: name, Type: typ, Hooknum: hook, Priority: priority}
	}
	t := &nftables.Table{Name: "t", Family: nftables.TableFamilyINet}
	v4 := &nftables.Table{Name: "v4", Family: nftables.TableFamilyIPv4}
	v6 := &nftables.Table{Name: "v6", Family: nftables.TableFamilyIPv6}
	b := &nftables.Table{Name: "b", Family: nftables.TableFamilyBridge}
	d := &nftables.Table{Name: "d", Family: nftables.TableFamilyNetdev}
	out := map[string]*nftables.Chain{}
	for _, c := range []*nftables.Chain{
		{Table: t, Name: "plain"},
		base(t, "filter", "filter", nftables.ChainHookForward, nftables.ChainPriorityFilter),
		base(t, "input", "filter", nftables.ChainHookInput, nftables.ChainPriorityFilter),
		base(t, "raw", "filter", nftables.ChainHookPrerouting, nftables.ChainPriorityRaw),
		base(t, "mangle", "filter", nftables.ChainHookPrerouting, nftables.ChainPriorityMangle),
		base(t, "nat_in", "nat", nftables.ChainHookPrerouting, nftables.ChainPriorityNATDest),
		base(t, "nat_out", "nat", nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource),
		{Table: v4, Name: "plain"},
		base(v4, "filter", "filter", nftables.ChainHookForward, nftables.ChainPriorityFilter),
		base(v4, "nat_in", "nat", nftables.ChainHookPrerouting, nftables.ChainPriorityNATDest),
		base(v4, "nat_out", "nat", nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource),
		base(v6, "filter", "filter", nftables.ChainHookForward, nftables.ChainPriorityFilter),
		base(v6, "nat_in", "nat", nftables.ChainHookPrerouting, nftables.ChainPriorityNATDest),
		{Table: b, Name: "plain"},
		base(d, "ingress", "filter", nftables.ChainHookIngress, nftables.ChainPriorityFilter),
	} {
		out[place(c)] = c
	}
	return out
}

// listed are rules and what stock nft lists for them; without a text it is the
// rule's own.
var listed = []struct {
	chain string
	rule  Rule
	want  string
}{
	// Addresses.
	{"inet t plain", New(IPSaddr().Is(addr("10.0.0.1"))), ""},
	{"inet t plain", New(IPSaddr().Not(addr("10.0.0.1"))), ""},
	{"inet t plain", New(IPDaddr().Is(addr("10.0.0.1"), addr("10.0.0.2"))), ""},
	{"inet t plain", New(IPDaddr().Not(addr("10.0.0.1"), addr("10.0.0.2"))), ""},
	{"inet t plain", New(IPSaddr().Within(prefix("10.0.0.0/9"))), ""},
	{"inet t plain", New(IPSaddr().Within(prefix("10.0.0.0/8"))), ""},
	{"inet t plain", New(IPSaddr().NotWithin(prefix("10.0.0.0/23"))), ""},
	{"inet t plain", New(IPSaddr().Within(prefix("10.0.0.0/8"), prefix("192.168.0.0/16"))), ""},
	{"inet t plain", New(IPSaddr().Within(prefix("0.0.0.0/1"), prefix("255.0.0.0/8"))), ""},
	{"inet t plain", New(IPSaddr().Within(prefix("10.0.0.1/32"))), "ip saddr 10.0.0.1"},
	{"inet t plain", New(IPSaddr().Within(prefix("10.0.0.0/24"), prefix("10.0.1.0/24"))), "ip saddr { 10.0.0.0/23 }"},
	{"inet t plain", New(IPSaddr().Between(addr("10.0.0.1"), addr("10.0.0.7"))), ""},
	{"inet t plain", New(IPSaddr().Outside(addr("10.0.0.1"), addr("10.0.0.7"))), ""},
	{"inet t plain", New(IPSaddr().Among(Range[netip.Addr]{addr("10.0.0.1"), addr("10.0.0.7")}, Range[netip.Addr]{addr("10.0.1.1"), addr("10.0.1.1")})), ""},
	{"inet t plain", New(IP6Saddr().Is(addr("fe80::1")), IP6Daddr().Within(prefix("2001:db8::/32"))), ""},
	{"inet t plain", New(IP6Saddr().Within(prefix("2001:db8::/33"), prefix("fe80::/10"))), ""},
	{"inet t plain", New(From(prefix("2001:db8::/32")), To(prefix("2001:db8:1::/48"))), ""},
	{"ip v4 plain", New(From(prefix("10.0.0.0/8")), To(prefix("10.1.0.0/16"))), ""},
	{"ip6 v6 filter", New(IP6Saddr().Is(addr("fe80::1"))), ""},
	{"bridge b plain", New(IPSaddr().Is(addr("10.0.0.1")), IPDaddr().Is(addr("10.0.0.2"))), ""},
	{"netdev d ingress", New(IP6Saddr().Is(addr("fe80::1")), TCPDport().Is(80)), ""},
	{"inet t plain", New(IPTTL().Below(5), IPLength().AtLeast(100), IPDSCP().Is(8)), "ip ttl < 5 ip length >= 100 ip dscp cs1"},
	{"inet t plain", New(IP6HopLimit().Above(5), IP6NextHeader().Is(TCP)), "ip6 hoplimit > 5 ip6 nexthdr tcp"},

	// Ports and protocols.
	{"inet t plain", New(TCPDport().Is(80)), ""},
	{"inet t plain", New(TCPDport().Is(80, 443), TCPSport().Above(1023)), ""},
	{"inet t plain", New(UDPDport().Between(1000, 2000), UDPSport().AtMost(53)), "udp dport 1000-2000 udp sport <= 53"},
	{"inet t plain", New(SCTPDport().Not(80), SCTPSport().Is(5)), ""},
	{"inet t plain", New(TCPDport().NotAmong(Range[uint16]{1, 5}, Range[uint16]{80, 80}, Range[uint16]{1000, 65535})), "tcp dport != { 1-5, 80, 1000-65535 }"},
	{"inet t plain", New(L4Proto().Is(TCP, UDP), Dport().Is(53)), ""},
	{"inet t plain", New(L4Proto().Is(TCP), TCPDport().Is(53)), "tcp dport 53"},
	{"inet t plain", New(L4Proto().Not(ICMP)), ""},
	{"inet t plain", New(L4Proto().Is(UDP), Sport().Is(53)), "udp sport 53"},
	{"ip v4 plain", New(IPProtocol().Is(GRE)), "ip protocol gre"},
	{"inet t plain", New(NFProto().Is(IPv4), IPSaddr().Is(addr("10.0.0.1"))), "ip saddr 10.0.0.1"},
	{"inet t plain", New(NFProto().Is(IPv6)), ""},
	{"inet t plain", New(TCPFlags().Masked(FIN | SYN | RST | ACK).Is(SYN)), "tcp flags syn / fin,syn,rst,ack"},
	{"inet t plain", New(TCPFlags().Any(SYN | RST)), "tcp flags syn,rst"},
	{"inet t plain", New(TCPFlags().None(SYN)), "tcp flags ! syn"},
	{"inet t plain", New(TCPFlags().All(SYN | ACK)), "tcp flags syn,ack / syn,ack"},
	{"inet t plain", New(ICMPType().Is(8)), ""},
	{"inet t plain", New(ICMPType().Is(8, 0)), "icmp type { echo-reply, echo-request }"},
	{"inet t plain", New(ICMPv6Type().Is(135, 136)), ""},
	{"inet t plain", New(Raw[uint16]("@th,16,16", expr.PayloadBaseTransportHeader, 2).Is(5)), "th dport 5"},

	// Connections.
	{"inet t plain", New(CtState().Any(StateEstablished | StateRelated)), ""},
	{"inet t plain", New(CtState().Any(StateNew)), ""},
	{"inet t plain", New(CtState().None(StateInvalid)), "ct state ! invalid"},
	{"inet t plain", New(CtStatus().Any(StatusDNAT)), ""},
	{"inet t plain", New(CtStatus().None(StatusConfirmed)), "ct status ! confirmed"},
	{"inet t plain", New(CtMark().Is(5), CtID().Is(7)), "ct mark 0x00000005 ct id 7"},
	{"inet t plain", New(CtID().Is(6, 5)), "ct id { 5, 6 }"},
	{"inet t plain", New(CtMark().Masked(0xff).Is(5)), "ct mark & 0x000000ff == 0x00000005"},
	{"inet t plain", New(CtDirection().Is(Reply)), ""},
	{"inet t plain", New(CtIPSaddr(Original).Is(addr("10.0.0.1")), CtIPDaddr(Reply).Is(addr("10.0.0.2"))), ""},
	{"inet t plain", New(CtIP6Saddr(Reply).Is(addr("fe80::1")), CtIP6Daddr(Original).Is(addr("fe80::2"))), ""},
	{"inet t plain", New(CtProtocol(Original).Is(TCP)), "ct protocol tcp"},
	{"inet t plain", New(L4Proto().Is(TCP), CtProtoDst(Reply).Is(80), CtProtoSrc(Original).Is(81)), ""},
	{"inet t plain", New(CtBytes().Above(100000)), ""},
	{"inet t plain", New(CtBytesOf(Reply).Above(100000)), ""},
	{"inet t plain", New(CtPackets().AtLeast(64)), ""},
	{"inet t plain", New(CtHelper().Is("ftp")), ""},
	{"inet t plain", New(ctZone.Is(5)), ""},

	// What the kernel knows of the packet.
	{"inet t plain", New(IIFName().Is("eth0"), OIFName().Not("eth1")), ""},
	{"inet t plain", New(IIFName().Is("eth*")), ""},
	{"inet t plain", New(IIFName().Is("lo", "eth0")), `iifname { "lo", "eth0" }`},
	{"inet t plain", New(IIFName().Is("eth*", "lo")), `iifname { "eth*", "lo" }`},
	{"inet t plain", New(IIF().Is(1), OIF().Not(1)), `iif "lo" oif != "lo"`},
	{"inet t plain", New(IIFGroup().Is(5), OIFGroup().Is(6)), ""},
	{"inet t plain", New(MetaMark().Is(5)), ""},
	{"inet t plain", New(MetaMark().Is(2, 1)), "meta mark { 0x00000001, 0x00000002 }"},
	{"inet t plain", New(MetaMark().Between(1, 5)), ""},
	{"inet t plain", New(MetaMark().Below(5)), ""},
	{"inet t plain", New(MetaMark().Among(Range[uint32]{1, 5}, Range[uint32]{256, 256})), "meta mark { 0x00000001-0x00000005, 0x00000100 }"},
	{"inet t plain", New(MetaMark().Masked(0xff00).Not(0x100)), "meta mark & 0x0000ff00 != 0x00000100"},
	{"inet t plain", New(MetaLength().Between(100, 1500), MetaCPU().Is(1)), ""},
	{"inet t plain", New(SKUID().Is(1000), SKGID().Is(1000)), ""},
	{"inet t plain", New(MetaPriority().Is(0x10002)), ""},
	{"inet t plain", New(PktType().Is(ToBroadcast)), ""},
	{"inet t plain", New(Cgroup().Is(1048577)), ""},
	{"inet t plain", New(EtherSaddr().Is(mac)), ""},
	{"bridge b plain", New(EtherDaddr().Not(mac), EtherType().Is(unix.ETH_P_ARP)), "ether daddr != 02:00:00:00:00:01 ether type arp"},

	// Sets and maps.
	{"inet t plain", New(IPSaddr().In(Named("addresses"))), ""},
	{"inet t plain", New(IPSaddr().NotIn(Named("nets"))), ""},
	{"inet t plain", New(MetaMark().In(&nftables.Set{Name: "marks", KeyType: nftables.TypeMark, Interval: true})), ""},
	{"inet t plain", New(MetaMark().In(Named("marks"))), ""},
	{"inet t plain", New(Concat(IPSaddr(), TCPDport()).In(Named("pairs"))), ""},
	{"inet t plain", New(Concat(MetaMark(), TCPDport()).In(Named("spans"))), ""},
	{"inet t plain", New(Concat(IIFName(), IPSaddr(), CtMark(), TCPDport()).In(Named("long"))), ""},
	{"inet t plain", New(IPSaddr().Vmap(Named("verdicts"))), ""},
	{"inet t plain", New(Cases(TCPDport(), map[uint16]Verdict{80: Accept(), 443: Jump("other"), 22: Drop()})), "tcp dport vmap { 22 : drop, 80 : accept, 443 : jump other }"},
	{"inet t plain", New(MetaMark().SetFrom(IPSaddr().MapTo(&nftables.Set{Name: "tags", IsMap: true, KeyType: nftables.TypeIPAddr, DataType: nftables.TypeMark}))), "meta mark set ip saddr map @tags"},
	{"inet t plain", New(MetaMark().SetFrom(Map(TCPDport(), MetaMark().Key, map[uint16]uint32{80: 1, 443: 2}))), "meta mark set tcp dport map { 80 : 0x00000001, 443 : 0x00000002 }"},
	{"inet t plain", New(Add(Named("seen"), IPSaddr())), ""},
	{"inet t plain", New(DynSet{Set: Named("seen"), Key: IPSaddr(), Update: true, Timeout: forever, Each: []Stateful{Counter{}}}), "update @seen { ip saddr timeout 5m counter }"},
	{"inet t plain", New(Update(Named("seen"), IPSaddr(), Limit{Rate: 10, Over: true}), Drop()), "update @seen { ip saddr limit rate over 10/second } drop"},
	{"inet t plain", New(DynSet{Set: Named("seen"), Key: IPSaddr(), Delete: true}), ""},
	{"inet t plain", New(Add(Named("seen"), IPSaddr(), Counter{}, Limit{Rate: 5})), "add @seen { ip saddr counter limit rate 5/second }"},
	{"inet t plain", New(Add(Named("busy"), IPSaddr(), Connections{Count: 5, Over: true}), Drop()), ""},
	{"inet t plain", New(Add(Named("seen"), IPSaddr(), Quota{Bytes: 1 << 20, Over: true}), Drop()), ""},
	{"inet t plain", New(DynSet{Set: Named("tags"), Key: IPSaddr(), Data: Const(MetaMark().Key, 5)}), ""},
	{"inet t plain", New(DynSet{Set: Named("tags"), Key: IPSaddr(), Data: MetaMark()}), ""},

	// Verdicts.
	{"inet t plain", New(Accept()), ""},
	{"inet t plain", New(Drop()), ""},
	{"inet t plain", New(Continue()), ""},
	{"inet t plain", New(Return()), ""},
	{"inet t plain", New(Jump("other")), ""},
	{"inet t plain", New(Goto("other")), ""},
	{"inet t plain", New(Reject(PortUnreachable)), ""},
	{"inet t filter", New(Reject(AdminProhibited)), "reject with icmpx admin-prohibited"},
	{"inet t filter", New(Reject(NoRoute)), "reject with icmpx no-route"},
	{"inet t filter", New(Reject(HostUnreachable)), "reject with icmpx host-unreachable"},
	{"inet t filter", New(Reject(TCPReset)), "meta l4proto tcp reject with tcp reset"},
	{"inet t filter", New(TCPDport().Is(80), Reject(TCPReset)), ""},
	{"inet t filter", New(Reject(ICMPNetUnreachable)), "reject with icmp net-unreachable"},
	{"inet t filter", New(Reject(ICMPHostUnreachable)), "reject with icmp host-unreachable"},
	{"inet t filter", New(Reject(ICMPProtUnreachable)), "reject with icmp prot-unreachable"},
	{"inet t filter", New(Reject(ICMPPortUnreachable)), ""},
	{"inet t filter", New(Reject(ICMPNetProhibited)), "reject with icmp net-prohibited"},
	{"inet t filter", New(Reject(ICMPHostProhibited)), "reject with icmp host-prohibited"},
	{"inet t filter", New(Reject(ICMPAdminProhibited)), "reject with icmp admin-prohibited"},
	{"inet t filter", New(Reject(ICMPv6NoRoute)), "reject with icmpv6 no-route"},
	{"inet t filter", New(Reject(ICMPv6AdminProhibited)), "reject with icmpv6 admin-prohibited"},
	{"inet t filter", New(Reject(ICMPv6AddrUnreachable)), "reject with icmpv6 addr-unreachable"},
	{"inet t filter", New(Reject(ICMPv6PortUnreachable)), "reject with icmpv6 port-unreachable"},
	{"inet t filter", New(Reject(ICMPv6PolicyFail)), "reject with icmpv6 policy-fail"},
	{"inet t filter", New(Reject(ICMPv6RejectRoute)), "reject with icmpv6 reject-route"},
	{"ip v4 filter", New(Reject(PortUnreachable)), "reject"},
	{"ip v4 filter", New(Reject(AdminProhibited)), "reject with icmp admin-prohibited"},
	{"ip v4 filter", New(Reject(HostUnreachable)), "reject with icmp host-unreachable"},
	{"ip6 v6 filter", New(Reject(AdminProhibited)), "reject with icmpv6 admin-prohibited"},
	{"ip6 v6 filter", New(Reject(HostUnreachable)), "reject with icmpv6 addr-unreachable"},

	// Statements.
	{"inet t raw", New(Notrack()), ""},
	{"inet t plain", New(Counter{}), ""},
	{"inet t plain", New(Counter{Packets: 5, Bytes: 500}), ""},
	{"inet t plain", New(NamedCounter("hits"), NamedQuota("month"), NamedLimit("slow")), ""},
	{"inet t plain", New(Limit{Rate: 10}), "limit rate 10/second"},
	{"inet t plain", New(Limit{Rate: 10, Per: time.Minute, Burst: 20, Over: true}), "limit rate over 10/minute burst 20 packets"},
	{"inet t plain", New(Limit{Rate: 3, Per: time.Hour}, Limit{Rate: 4, Per: 24 * time.Hour}, Limit{Rate: 5, Per: 7 * 24 * time.Hour}), "limit rate 3/hour limit rate 4/day limit rate 5/week"},
	{"inet t plain", New(Limit{Rate: 10 << 20, Bytes: true, Burst: 1 << 10}), "limit rate 10 mbytes/second burst 1 kbytes"},
	{"inet t plain", New(Quota{Bytes: 10 << 20}), ""},
	{"inet t plain", New(Quota{Bytes: 10 << 10, Used: 5, Over: true}), ""},
	{"inet t plain", New(Connections{Count: 5, Over: true}), ""},
	{"inet t plain", New(Log{}), ""},
	{"inet t plain", New(Log{Prefix: "seen: ", Level: LevelInfo, Flags: LogAll}), ""},
	{"inet t plain", New(Log{Level: LevelDebug, Flags: LogTCPSequence | LogIPOptions}), ""},
	{"inet t plain", New(Log{Flags: LogTCPSequence | LogTCPOptions | LogSKUID | LogEther}), ""},
	{"inet t plain", New(Log{Prefix: "x", ToGroup: true, Group: 2, Snaplen: 100, QueueThreshold: 3}), ""},
	{"inet t plain", New(Log{ToGroup: true}), ""},
	{"inet t plain", New(Log{Level: LevelAudit}), ""},
	{"inet t plain", New(MetaMark().Set(5)), ""},
	{"inet t plain", New(MetaMark().SetBits(0xff, 5)), ""},
	{"inet t plain", New(MetaMark().SetBits(0xff, 0)), ""},
	{"inet t plain", New(MetaMark().SetFrom(CtMark())), ""},
	{"inet t plain", New(CtMark().Set(5), CtMark().SetFrom(MetaMark())), ""},
	{"inet t plain", New(CtMark().SetBits(0x40000000, 0x40000000)), "ct mark set ct mark | 0x40000000"},
	{"inet t plain", New(MetaPriority().Set(0x10002), Trace(true)), ""},
	{"inet t plain", New(MetaMark().SetFrom(Numgen(false, 4, 100))), ""},
	{"inet t plain", New(MetaMark().SetFrom(Numgen(true, 4, 0))), ""},
	{"inet t plain", New(MetaMark().SetFrom(JHash(4, 5, 1, IPSaddr(), IPDaddr()))), ""},
	{"inet t plain", New(MetaMark().SetFrom(SymHash(4, 0))), ""},
	{"inet t raw", New(ctZone.Set(5)), ""},
	{"inet t filter", New(ClampMSS(1400)), ""},
	{"inet t filter", New(TCPFlags().Any(SYN), ClampMSSToRoute()), ""},
	{"inet t mangle", New(ReversePath().Is(false), Drop()), ""},
	{"inet t plain", New(DaddrType().Is(AddrLocal, AddrBroadcast), SaddrType().Not(AddrUnicast)), ""},
	{"inet t plain", New(Accept()).Comment("by hand"), ""},
	{"inet t plain", New(Expr("counter", &expr.Counter{}), Accept()), "counter packets 0 bytes 0 accept"},

	{"inet t plain", New(Rewrite(IPSaddr().Key, addr("10.0.0.1"))), ""},
	{"inet t plain", New(Rewrite(IP6Daddr().Key, addr("fe80::1"))), ""},
	{"inet t plain", New(TCPDport().Is(80), Rewrite(TCPDport(), 8080), Rewrite(TCPSport(), 5)), ""},
	{"inet t plain", New(Rewrite(UDPSport(), 5)), ""},
	{"inet t plain", New(Rewrite(SCTPDport(), 5)), ""},
	{"bridge b plain", New(Rewrite(EtherSaddr(), mac)), ""},
	{"inet t plain", New(RewriteFrom(IPDaddr().Key, Map(IPSaddr().Key, IPDaddr().Key, map[netip.Addr]netip.Addr{addr("10.0.0.1"): addr("10.0.0.2")}))), ""},

	// Address translation.
	{"ip v4 nat_in", New(DNATTo(addr("10.0.0.1"), 0)), ""},
	{"ip v4 nat_in", New(TCPDport().Is(80), DNATTo(addr("10.0.0.1"), 8080)), ""},
	{"ip v4 nat_in", New(DNAT(NAT{Addr: addr("10.0.0.1"), AddrEnd: addr("10.0.0.9"), Persistent: true})), ""},
	{"ip v4 nat_in", New(UDPDport().Is(80), DNAT(NAT{Addr: addr("10.0.0.1"), Port: 8080, PortEnd: 8090, Random: true, Persistent: true})), ""},
	{"ip v4 nat_in", New(TCPDport().Is(80), DNAT(NAT{Port: 8080})), ""},
	{"inet t nat_in", New(DNATTo(addr("10.0.0.1"), 0)), ""},
	{"inet t nat_in", New(TCPDport().Is(80), DNATTo(addr("fe80::1"), 80)), ""},
	{"ip6 v6 nat_in", New(TCPDport().Is(80), DNATTo(addr("2001:db8::1"), 80)), ""},
	{"ip v4 nat_in", New(DNAT(NAT{Prefix: prefix("10.1.0.0/24")})), "dnat prefix to 10.1.0.0/24"},
	{"ip6 v6 nat_in", New(DNAT(NAT{Prefix: prefix("2001:db8::/64")})), "dnat prefix to 2001:db8::/64"},
	{"ip v4 nat_in", New(DNAT(NAT{From: Map(TCPDport(), IPDaddr().Key, map[uint16]netip.Addr{80: addr("10.0.0.1"), 443: addr("10.0.0.2")})})), ""},
	{"inet t nat_in", New(DNAT(NAT{From: TCPDport().MapTo(&nftables.Set{Name: "hosts", IsMap: true, KeyType: nftables.TypeInetService, DataType: nftables.TypeIPAddr})})), ""},
	{"ip v4 nat_in", New(DNAT(NAT{From: TCPDport().MapTo(&nftables.Set{Name: "spots", IsMap: true, KeyType: nftables.TypeInetService,
		DataType: nftables.MustConcatSetType(nftables.TypeIPAddr, nftables.TypeInetService)})})), "dnat ip to tcp dport map @spots"},
	{"ip v4 nat_out", New(SNAT(NAT{Addr: addr("10.0.0.1")})), ""},
	{"ip v4 nat_out", New(L4Proto().Is(TCP), SNAT(NAT{Addr: addr("10.0.0.1"), Port: 1024, PortEnd: 2048, FullyRandom: true})), ""},
	{"ip v4 nat_out", New(Masquerade(NAT{})), ""},
	{"inet t nat_out", New(Masquerade(NAT{Random: true})), ""},
	{"ip v4 nat_out", New(L4Proto().Is(TCP), Masquerade(NAT{Port: 1024, PortEnd: 2048, FullyRandom: true, Persistent: true})), ""},
	{"inet t nat_in", New(Redirect(NAT{})), ""},
	{"inet t nat_in", New(TCPDport().Is(80), RedirectTo(8080)), ""},
	{"inet t nat_in", New(UDPDport().Is(53), Redirect(NAT{Port: 5300, PortEnd: 5310, Random: true})), ""},
}

// more are statements that need a feature of the kernel.
var more = []struct {
	feature string // those of one stand together, in one chain
	chain   string
	rule    Rule
	want    string
}{
	{"nft-synproxy", "inet t input", New(TCPDport().Is(80), CtState().Any(StateInvalid|StateUntracked), Synproxy{MSS: 1460, WScale: 7, Timestamp: true, SACK: true}), ""},
	{"nft-synproxy", "inet t input", New(Synproxy{}), "synproxy"},
	{"nft-queue", "inet t plain", New(Queue{First: 5}), ""},
	{"nft-queue", "inet t plain", New(Queue{First: 5, Last: 8, Bypass: true, Fanout: true}), ""},
	{"nft-flowtable", "inet t filter", New(L4Proto().Is(TCP, UDP), Offload("fast")), "meta l4proto { tcp, udp } flow add @fast"},
	{"nft-dup", "ip v4 plain", New(Dup{Addr: addr("10.0.0.1")}), ""},
	{"nft-dup", "ip v4 plain", New(Dup{Addr: addr("10.0.0.1"), Device: 1}), `dup to 10.0.0.1 device "lo"`},
	{"nft-dup-netdev", "netdev d ingress", New(Dup{Device: 1}), `dup to "lo"`},
	{"nft-fwd-netdev", "netdev d ingress", New(Fwd{Device: 1}), `fwd to "lo"`},
	{"nft-fwd-netdev", "netdev d ingress", New(Fwd{Device: 1, Addr: addr("10.0.0.1")}), `fwd ip to 10.0.0.1 device "lo"`},
	{"nft-tproxy", "inet t mangle", New(TCPDport().Is(80), TProxy{Port: 8080}, MetaMark().Set(1), Accept()), ""},
	{"nft-tproxy", "inet t mangle", New(TCPDport().Is(80), TProxy{Addr: addr("127.0.0.1"), Port: 8080}), "tcp dport 80 tproxy ip to 127.0.0.1:8080"},
	{"nft-tproxy", "inet t mangle", New(TCPDport().Is(80), TProxy{Addr: addr("::1")}), "tcp dport 80 tproxy ip6 to [::1]"},
	{"nft-socket", "inet t mangle", New(SocketTransparent().Is(true), SocketMark().Is(1)), ""},
	{"nft-rt", "inet t plain", New(NextHop().Is(addr("10.0.0.1"))), ""},
	{"nft-rt", "inet t plain", New(NextHop6().Is(addr("fe80::1"))), ""},
	{"nft-bridge-reject", "bridge b plain", New(Reject(PortUnreachable)), "reject"},
	{"nft-bridge-reject", "bridge b plain", New(Reject(TCPReset)), "meta l4proto tcp reject with tcp reset"},
}

// TestListed loads the rules of each chain and compares what stock nft lists.
func TestListed(t *testing.T) {
	s := newSpace(t)
	s.nft(setup)
	for name, c := range chains() {
		t.Run(name, func(t *testing.T) {
			var rules []Rule
			var want []string
			for _, l := range listed {
				if l.chain == name {
					rules, want = append(rules, l.rule), append(want, l.want)
				}
			}
			check(t, s, c, rules, want)
		})
	}
}

// TestListedWhereSupported is TestListed for what not every kernel has (feature
// "nft-statements" is all of it).
func TestListedWhereSupported(t *testing.T) {
	s := newSpace(t)
	s.nft(setup)
	places := chains()
	for i, m := range more {
		if i > 0 && more[i-1].feature == m.feature {
			continue
		}
		t.Run(m.feature, func(t *testing.T) {
			need.Feature(t, "nft-statements", func() error {
				return s.supports(m.feature)
			})
			var rules []Rule
			var want []string
			for _, same := range more[i:] {
				if same.feature == m.feature {
					rules, want = append(rules, same.rule), append(want, same.want)
				}
			}
			check(t, s, places[m.chain], rules, want)
		})
	}
}

// supports asks stock nft whether the kernel has a feature.
func (s *space) supports(feature string) error {
	text := map[string]string{
		"nft-synproxy":      "add rule inet t input meta l4proto tcp synproxy; flush chain inet t input",
		"nft-queue":         "add rule inet t plain queue; flush chain inet t plain",
		"nft-flowtable":     "add flowtable inet t fast { hook ingress priority 0; devices = { lo }; }",
		"nft-dup":           "add rule ip v4 plain dup to 10.0.0.1; flush chain ip v4 plain",
		"nft-dup-netdev":    "add rule netdev d ingress dup to lo; flush chain netdev d ingress",
		"nft-fwd-netdev":    "add rule netdev d ingress fwd to lo; flush chain netdev d ingress",
		"nft-tproxy":        "add rule inet t mangle meta l4proto tcp tproxy to :80; flush chain inet t mangle",
		"nft-socket":        "add rule inet t mangle socket transparent 1; flush chain inet t mangle",
		"nft-rt":            "add rule inet t plain rt ip nexthop 10.0.0.1; flush chain inet t plain",
		"nft-bridge-reject": "add rule bridge b plain reject; flush chain bridge b plain",
	}[feature]
	out, err := s.try(text)
	if err != nil {
		return errors.New(strings.TrimSpace(out))
	}
	return nil
}

// check loads rules and compares their listing, and that their own texts mean
// the same to stock nft, to the byte.
func check(t *testing.T, s *space, c *nftables.Chain, rules []Rule, want []string) {
	t.Helper()
	s = &space{t, s.file}
	b := NewBatch(Options{NetNS: s.fd()})
	b.Conn().FlushChain(c)
	b.Add(c, rules...)
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	load := "flush chain " + place(c) + "\n"
	var readable []string
	var again []Rule
	have := s.rules(place(c))
	for i, r := range rules {
		if want[i] == "" {
			want[i] = r.String()
			if c.Table.Family != nftables.TableFamilyINet { // where the family needs no word
				want[i] = strings.NewReplacer("nat ip to", "nat to", "nat ip6 to", "nat to", "nat ip prefix", "nat prefix", "nat ip6 prefix", "nat prefix").Replace(want[i])
			}
		}
		if strings.HasPrefix(want[i], "meta priority 1:2") || c.Table.Family != nftables.TableFamilyINet && strings.Contains(r.String(), "icmpx") {
			continue // stock nft lists the one and does not read it; tables of one family know no icmpx
		}
		load += fmt.Sprintf("add rule %s %s\n", place(c), r)
		readable, again = append(readable, want[i]), append(again, r)
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Fatalf("(-want +have):\n%s", diff)
	}
	b.Conn().FlushChain(c)
	b.Add(c, again...)
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	ours := s.bytecode(place(c))
	s.nft(load)
	theirs := s.bytecode(place(c))
	for i := range min(len(ours), len(theirs)) {
		// Where data goes with a key into a map nft takes another register.
		if diff := cmp.Diff(theirs[i], ours[i]); diff != "" && !strings.Contains(ours[i], "sreg_data") {
			t.Errorf("(-nft +ours):\n%s", diff)
		}
	}
	if len(ours) != len(theirs) {
		t.Errorf("have %d rules, nft %d", len(ours), len(theirs))
	}
	if diff := cmp.Diff(readable, s.rules(place(c))); diff != "" {
		t.Errorf("loaded by stock nft from their texts (-have +nft):\n%s", diff)
	}
}
