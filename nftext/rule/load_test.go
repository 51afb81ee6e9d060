// SPDX-License-Identifier: MIT

package rule_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/nftables"
	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/internal/backend"
	"nftdict/internal/need"
	"nftdict/nftext"
	"nftdict/nftext/codec"
	"nftdict/nftext/rule"
)

// standard is the schema of the tables that exist from the start.
type standard map[string]dict.Table

// Table returns a table by its name.
func (s standard) Table(name string) (dict.Table, error) {
	if t, ok := s[dict.Name(name)]; ok {
		return t, nil
	}
	return dict.Table{}, fmt.Errorf("table %q: %w", name, dict.ErrNotExist)
}

// silent compiles terms to nothing.
type silent struct{}

func (silent) Compile(nftext.Target, nftext.Bound) (*nftext.Code, error) {
	return &nftext.Code{Release: func() error { return nil }}, nil
}

func (silent) Decompile(uint8, []nftext.Element) nftext.Found { return nftext.Found{} }

// options are those of the examples, which load nothing: programs take Schema
// and Compiler from a backend.
func options() rule.Options {
	s := standard{}
	for _, t := range dict.Standard(1000) {
		if n, err := t.Normal(); err == nil {
			s[n.Name] = n
		}
	}
	return rule.Options{Schema: s, Compiler: silent{}}
}

// onOwnThread runs f on a thread that ends with it.
func onOwnThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked
		done <- f()
	}()
	return <-done
}

// place is a network namespace with dictionaries.
type place struct {
	*backend.Backend
	file *os.File
}

// do runs f in the namespace.
func (p *place) do(f func() error) error {
	return onOwnThread(func() error {
		if err := unix.Setns(int(p.file.Fd()), unix.CLONE_NEWNET); err != nil {
			return err
		}
		return f()
	})
}

// backends runs a test on each backend of the machine.
func backends(t *testing.T, f func(*testing.T, *place)) {
	for _, b := range []struct{ kind, feature string }{{backend.EBPF, "xtbpf"}, {backend.Kmod, "kmod"}} {
		t.Run(b.kind, func(t *testing.T) {
			need.Root(t)
			need.Program(t, "nft")
			p := &place{}
			need.Feature(t, "netns", func() error {
				return onOwnThread(func() (err error) {
					if err = unix.Unshare(unix.CLONE_NEWNET); err == nil {
						p.file, err = os.Open("/proc/thread-self/ns/net")
					}
					return err
				})
			})
			t.Cleanup(func() { p.file.Close() })
			need.Feature(t, b.feature, func() error {
				return p.do(func() (err error) {
					p.Backend, err = backend.Open(b.kind, backend.Options{Sessions: 1000})
					return err
				})
			})
			t.Cleanup(func() {
				var err error
				if r, ok := p.Store.(interface{ Remove() error }); ok {
					err = r.Remove()
				}
				if err = errors.Join(err, p.Store.Close()); err != nil {
					t.Errorf("remove the dictionaries: %v", err)
				}
			})
			f(t, p)
		})
	}
}

func (p *place) batch() *rule.Batch {
	return rule.NewBatch(rule.Options{NetNS: int(p.file.Fd()), Schema: p.Store, Compiler: p.Compiler})
}

// list returns the rules of a chain.
func (p *place) list(t *testing.T, family nftables.TableFamily, table, chain string) (out []string) {
	t.Helper()
	var rules []rule.Listed
	err := p.do(func() (err error) {
		rules, err = rule.List(context.Background(), codec.New(p.Store, p.Compiler), &nftables.Chain{Name: chain, Table: &nftables.Table{Name: table, Family: family}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		out = append(out, r.Text)
	}
	return out
}

// TestExamples loads what the examples build, and lists it.
func TestExamples(t *testing.T) {
	backends(t, func(t *testing.T, p *place) {
		for _, c := range []struct {
			build  func(*rule.Batch)
			family nftables.TableFamily
			table  string
			chain  string
			need   string
		}{
			{blockApplication, nftables.TableFamilyINet, "apps", "forward", ""},
			{quota, nftables.TableFamilyINet, "accounts", "forward", ""},
			{captivePortal, nftables.TableFamilyIPv4, "portal", "prerouting", ""},
			{captivePortal, nftables.TableFamilyIPv4, "portal", "forward", ""},
			{steer, nftables.TableFamilyIPv4, "steer", "forward", "kmod"},
			{scanners, nftables.TableFamilyIPv4, "guard", "input", ""},
			{func(b *rule.Batch) { offload(b, "lo") }, nftables.TableFamilyINet, "fast", "forward", "nft-statements"},
		} {
			t.Run(c.table+" "+c.chain, func(t *testing.T) {
				b := p.batch()
				b.Conn().FlushRuleset()
				if c.need == "kmod" && p.Kind != backend.Kmod {
					c.build(b)
					if err := b.Commit(); !errors.Is(err, dict.ErrNotSupported) {
						t.Errorf("have %v, want %v", err, dict.ErrNotSupported)
					}
					return
				}
				if c.need == "nft-statements" {
					need.Feature(t, c.need, func() error {
						probe := p.batch()
						c.build(probe)
						return errors.Join(probe.Check(), probe.Close())
					})
				}
				c.build(b)
				var want []string
				for line := range strings.Lines(b.String()) {
					words := strings.Fields(line)
					if words[1] == "rule" && words[4] == c.chain {
						want = append(want, strings.Join(words[5:], " "))
					}
				}
				if err := b.Commit(); err != nil {
					t.Fatal(err)
				}
				have := p.list(t, c.family, c.table, c.chain)
				for i := range want {
					// What nft leaves out, or writes otherwise in tables of one family.
					want[i] = strings.NewReplacer(" burst 5 packets", "", "with icmpx admin", map[bool]string{true: "with icmp admin", false: "with icmpx admin"}[c.family == nftables.TableFamilyIPv4]).Replace(want[i])
				}
				if diff := cmp.Diff(want, have); diff != "" {
					t.Errorf("(-want +have):\n%s", diff)
				}
			})
		}
	})
}

// TestValues: fields go where nft takes values, on the backend that can.
func TestValues(t *testing.T) {
	backends(t, func(t *testing.T, p *place) {
		if err := p.Store.AddFields(dict.Hosts, dict.Field{Name: "tag", Type: dict.Int}, dict.Field{Name: "way", Type: dict.IPv4}); err != nil {
			t.Fatal(err)
		}
		b := p.batch()
		table := b.Conn().AddTable(&nftables.Table{Name: "t", Family: nftables.TableFamilyIPv4})
		c := b.Conn().AddChain(&nftables.Chain{Name: "c", Table: table, Type: nftables.ChainTypeNAT, Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityNATDest})
		apps := &nftables.Set{Table: table, Name: "apps", KeyType: nftables.TypeIFName}
		b.AddSet(apps, nil)
		application := rule.DictName("dict sessions ct id application")
		tag := rule.DictKey("dict hosts ip saddr tag", rule.MetaMark().Key)
		b.Add(c,
			rule.New(application.In(apps), rule.Accept()),
			rule.New(application.NotIn(apps), rule.Drop()),
			rule.New(rule.MetaMark().SetFrom(tag)),
			rule.New(rule.Cases(application, map[string]rule.Verdict{"NETFLIX": rule.Drop()})),
			rule.New(rule.DNAT(rule.NAT{From: rule.DictKey("dict hosts ip saddr way", rule.IPDaddr().Key)})),
		)
		want := strings.Split(strings.TrimSpace(b.String()), "\n")[3:]
		err := b.Commit()
		if errors.Is(err, dict.ErrNotSupported) {
			if p.Kind == backend.Kmod || !strings.Contains(err.Error(), "dict sessions ct id application") {
				t.Error(err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			want[i] = strings.NewReplacer("add rule ip t c ", "", "dnat ip to", "dnat to").Replace(want[i])
		}
		if diff := cmp.Diff(want, p.list(t, nftables.TableFamilyIPv4, "t", "c")); diff != "" {
			t.Errorf("(-want +have):\n%s", diff)
		}
	})
}
