// SPDX-License-Identifier: MIT

package rule_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/netip"
	"strings"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"nftdict/genl"
	"nftdict/nftext/codec"
	"nftdict/nftext/rule"
)

// blockApplication ends connections of applications, and tells of them.
func blockApplication(b *rule.Batch) {
	table := b.Conn().AddTable(&nftables.Table{Name: "apps", Family: nftables.TableFamilyINet})
	forward := b.Conn().AddChain(&nftables.Chain{
		Name: "forward", Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter,
	})
	blocked := rule.Dict(`dict sessions ct id application { "NETFLIX", "YOUTUBE" }`)
	b.Add(forward,
		rule.New(blocked, rule.Limit{Rate: 1, Per: time.Second}, rule.Log{Prefix: "blocked: "}),
		rule.New(blocked, rule.L4Proto().Is(rule.TCP), rule.Reject(rule.TCPReset)),
		rule.New(blocked, rule.Reject(rule.AdminProhibited)),
	)
}

func Example_blockApplication() {
	b := rule.NewBatch(options())
	defer b.Close()
	blockApplication(b)
	if err := b.Err(); err != nil {
		fmt.Println(err)
	}
	fmt.Print(b) // and b.Commit() puts it into the kernel
	// Output:
	// add table inet apps
	// add chain inet apps forward
	// add rule inet apps forward dict sessions ct id application { "NETFLIX", "YOUTUBE" } limit rate 1/second burst 5 packets log prefix "blocked: "
	// add rule inet apps forward dict sessions ct id application { "NETFLIX", "YOUTUBE" } meta l4proto tcp reject with tcp reset
	// add rule inet apps forward dict sessions ct id application { "NETFLIX", "YOUTUBE" } reject with icmpx admin-prohibited
}

// quota takes what users send and receive from what they have left, and ends
// their connections when it is used up.
func quota(b *rule.Batch) {
	table := b.Conn().AddTable(&nftables.Table{Name: "accounts", Family: nftables.TableFamilyINet})
	forward := b.Conn().AddChain(&nftables.Chain{
		Name: "forward", Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter,
	})
	exceeded := rule.Dict("dict users dict sessions ct id username quota_remaining <= 0")
	b.Add(forward,
		rule.New(exceeded, rule.L4Proto().Is(rule.TCP), rule.Reject(rule.TCPReset)),
		rule.New(exceeded, rule.Reject(rule.AdminProhibited)),
		rule.New(rule.Dict("dict users dict sessions ct id username quota_remaining exists"),
			rule.Dict("dict users dict sessions ct id username quota_remaining sub meta length")),
	)
}

func Example_quota() {
	b := rule.NewBatch(options())
	defer b.Close()
	quota(b)
	if err := b.Err(); err != nil {
		fmt.Println(err)
	}
	fmt.Print(b)
	// Output:
	// add table inet accounts
	// add chain inet accounts forward
	// add rule inet accounts forward dict users dict sessions ct id username quota_remaining <= 0 meta l4proto tcp reject with tcp reset
	// add rule inet accounts forward dict users dict sessions ct id username quota_remaining <= 0 reject with icmpx admin-prohibited
	// add rule inet accounts forward dict users dict sessions ct id username quota_remaining exists dict users dict sessions ct id username quota_remaining sub meta length
}

// captivePortal sends the web traffic of hosts that have not signed in to this
// machine, and lets them do nothing else but ask for names.
func captivePortal(b *rule.Batch) {
	guests := netip.MustParsePrefix("192.168.7.0/24")
	table := b.Conn().AddTable(&nftables.Table{Name: "portal", Family: nftables.TableFamilyIPv4})
	unknown := rule.New(
		rule.IPSaddr().Within(guests),
		rule.Dict("dict hosts ip saddr captive_portal_authenticated false"),
	)
	prerouting := b.Conn().AddChain(&nftables.Chain{
		Name: "prerouting", Table: table, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityNATDest,
	})
	b.Add(prerouting, unknown.And(rule.TCPDport().Is(80), rule.RedirectTo(8080)))
	forward := b.Conn().AddChain(&nftables.Chain{
		Name: "forward", Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter,
	})
	b.Add(forward,
		unknown.And(rule.UDPDport().Is(53), rule.Accept()),
		unknown.And(rule.Reject(rule.AdminProhibited)).Comment("sign in first"),
	)
}

func Example_captivePortal() {
	b := rule.NewBatch(options())
	defer b.Close()
	captivePortal(b)
	if err := b.Err(); err != nil {
		fmt.Println(err)
	}
	fmt.Print(b)
	// Output:
	// add table ip portal
	// add chain ip portal prerouting
	// add rule ip portal prerouting ip saddr 192.168.7.0/24 dict hosts ip saddr captive_portal_authenticated false tcp dport 80 redirect to :8080
	// add chain ip portal forward
	// add rule ip portal forward ip saddr 192.168.7.0/24 dict hosts ip saddr captive_portal_authenticated false udp dport 53 accept
	// add rule ip portal forward ip saddr 192.168.7.0/24 dict hosts ip saddr captive_portal_authenticated false reject with icmpx admin-prohibited comment "sign in first"
}

// offload lets connections bypass the stack once the daemon knows what they are.
// What decides about them stands before.
func offload(b *rule.Batch, devices ...string) {
	table := b.Conn().AddTable(&nftables.Table{Name: "fast", Family: nftables.TableFamilyINet})
	b.Conn().AddFlowtable(&nftables.Flowtable{Table: table, Name: "flows", Devices: devices, Flags: nftables.FlowtableFlagsCounter})
	forward := b.Conn().AddChain(&nftables.Chain{
		Name: "forward", Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter,
	})
	b.Add(forward,
		rule.New(rule.Dict(`dict sessions ct id application "NETFLIX"`), rule.Drop()),
		rule.New(rule.L4Proto().Is(rule.TCP, rule.UDP), rule.CtState().Any(rule.StateEstablished),
			rule.Dict("dict sessions ct id final true"), rule.Offload("flows")),
	)
}

func Example_flowOffload() {
	b := rule.NewBatch(options())
	defer b.Close()
	offload(b, "eth0", "eth1")
	if err := b.Err(); err != nil {
		fmt.Println(err)
	}
	fmt.Print(b)
	// Output:
	// add table inet fast
	// add flowtable inet fast flows
	// add chain inet fast forward
	// add rule inet fast forward dict sessions ct id application "NETFLIX" drop
	// add rule inet fast forward meta l4proto { tcp, udp } ct state established dict sessions ct id final true flow add @flows
}

// scanners keeps those out who open connections too fast, for an hour.
func scanners(b *rule.Batch) {
	table := b.Conn().AddTable(&nftables.Table{Name: "guard", Family: nftables.TableFamilyIPv4})
	seen := &nftables.Set{Table: table, Name: "seen", KeyType: nftables.TypeIPAddr, Dynamic: true, HasTimeout: true, Size: 65536}
	banned := &nftables.Set{Table: table, Name: "banned", KeyType: nftables.TypeIPAddr, Dynamic: true, HasTimeout: true, Size: 65536}
	b.AddSet(seen, nil)
	b.AddSet(banned, nil)
	input := b.Conn().AddChain(&nftables.Chain{
		Name: "input", Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityFilter,
	})
	b.Add(input,
		rule.New(rule.IPSaddr().In(banned), rule.Counter{}, rule.Drop()),
		rule.New(rule.CtState().Any(rule.StateNew),
			rule.DynSet{Set: seen, Key: rule.IPSaddr(), Timeout: time.Minute, Each: []rule.Stateful{rule.Limit{Rate: 20, Over: true}}},
			rule.DynSet{Set: banned, Key: rule.IPSaddr(), Timeout: time.Hour}),
	)
}

func Example_scanners() {
	b := rule.NewBatch(options())
	defer b.Close()
	scanners(b)
	if err := b.Err(); err != nil {
		fmt.Println(err)
	}
	fmt.Print(b)
	// Output:
	// add table ip guard
	// add set ip guard seen
	// add set ip guard banned
	// add chain ip guard input
	// add rule ip guard input ip saddr @banned counter packets 0 bytes 0 drop
	// add rule ip guard input ct state new add @seen { ip saddr timeout 1m limit rate over 20/second burst 5 packets } add @banned { ip saddr timeout 1h }
}

// A rule is text to read, and what is wrong with it is told before anything is
// sent.
func ExampleBatch_Err() {
	b := rule.NewBatch(rule.Options{})
	defer b.Close()
	forward := &nftables.Chain{
		Name: "forward", Table: &nftables.Table{Name: "t", Family: nftables.TableFamilyINet}, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter,
	}
	b.Add(forward, rule.New(rule.TCPDport().Is(80), rule.DNATTo(netip.MustParseAddr("10.0.0.1"), 8080)))
	fmt.Println(b.Err())
	// Output:
	// rule 0 of inet t forward: dnat ip to 10.0.0.1:8080: invalid in chain forward (type filter, hook forward): it needs a chain of type nat at prerouting or output
}

// Expressions of google/nftables are statements, too.
func ExampleExpr() {
	fmt.Println(rule.New(
		rule.IIFName().Is("eth*"),
		rule.Expr("rt classid 5", &expr.Rt{Register: 1, Key: expr.RtClassid}, &expr.Cmp{Register: 1, Data: []byte{5, 0, 0, 0}}),
		rule.Accept(),
	))
	// Output:
	// iifname "eth*" rt classid 5 accept
}

// Rules and objects of google/nftables go into the kernel together or not at
// all.
func ExampleBatch_Commit() {
	store, err := genl.Open() // the module; bpfmap.Open is for stock kernels
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	b := rule.NewBatch(rule.Options{Schema: store, Compiler: store.Compiler()})
	blockApplication(b)
	err = b.Commit()
	if refused, ok := errors.AsType[*rule.RefusedError](err); ok {
		log.Fatalf("rule %d, at %s: %v", refused.Rule, refused.Statement, refused.Err)
	} else if err != nil {
		log.Fatal(err)
	}
}

// Listings have handles, by which rules are changed and deleted.
func ExampleList() {
	store, err := genl.Open()
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	forward := &nftables.Chain{Name: "forward", Table: &nftables.Table{Name: "apps", Family: nftables.TableFamilyINet}}
	rules, err := rule.List(context.Background(), codec.New(store, store.Compiler()), forward)
	if err != nil {
		log.Fatal(err)
	}
	b := rule.NewBatch(rule.Options{})
	for _, r := range rules {
		if strings.Contains(r.Text, "NETFLIX") {
			b.Delete(forward, r.Handle)
		}
	}
	if err := b.Commit(); err != nil {
		log.Fatal(err)
	}
}

// What a dictionary holds chooses the chain, marks the packet and says where it
// goes. The module alone does this.
func steer(b *rule.Batch) {
	table := b.Conn().AddTable(&nftables.Table{Name: "steer", Family: nftables.TableFamilyIPv4})
	video := b.Conn().AddChain(&nftables.Chain{Name: "video", Table: table})
	b.Add(video, rule.New(rule.MetaPriority().Set(0x10020)))
	forward := b.Conn().AddChain(&nftables.Chain{
		Name: "forward", Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter,
	})
	application := rule.DictName("dict sessions ct id application")
	left := rule.DictKey("dict hosts ip saddr quota_remaining int", rule.MetaMark().Key)
	b.Add(forward,
		rule.New(rule.Cases(application, map[string]rule.Verdict{"NETFLIX": rule.Jump("video"), "BITTORRENT": rule.Drop()})),
		rule.New(rule.MetaMark().SetFrom(left)),
	)
}

func Example_steer() {
	b := rule.NewBatch(options())
	defer b.Close()
	steer(b)
	if err := b.Err(); err != nil {
		fmt.Println(err)
	}
	fmt.Print(b)
	// Output:
	// add table ip steer
	// add chain ip steer video
	// add rule ip steer video meta priority set 1:20
	// add chain ip steer forward
	// add rule ip steer forward dict sessions ct id application vmap { "NETFLIX" : jump video, "BITTORRENT" : drop }
	// add rule ip steer forward meta mark set dict hosts ip saddr quota_remaining int
}
