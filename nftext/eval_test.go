// SPDX-License-Identifier: MIT

package nftext_test

import (
	"errors"
	"net/netip"
	"testing"

	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/nftext"
	"nftdict/nftext/ruletest"
)

// newMem returns a Mem with the tables of the scenes.
func newMem(t testing.TB) dict.Store {
	t.Helper()
	m := dicttest.NewMem(nil)
	for _, table := range ruletest.NewSchema() {
		if err := m.AddTable(table); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// packet is one of the flow, as a runner would have seen it.
func packet(f ruletest.Flow) nftext.Packet {
	return f.Packet(nftext.Packet{
		nftext.CtID:       dict.CtID(0x11111166),
		nftext.MetaIif:    dict.IntKey(3),
		nftext.MetaLength: dict.IntKey(60),
		nftext.IPSaddr:    dict.AddrKey(netip.MustParseAddr("192.0.2.1")),
		nftext.IPDaddr:    dict.AddrKey(netip.MustParseAddr("192.0.2.2")),
		nftext.IP6Saddr:   dict.AddrKey(netip.MustParseAddr("2001:db8::1")),
		nftext.IP6Daddr:   dict.AddrKey(netip.MustParseAddr("2001:db8::2")),
		nftext.EtherSaddr: dict.EtherKey([6]byte{2, 0, 0, 0, 0, 1}),
		nftext.EtherDaddr: dict.EtherKey([6]byte{2, 0, 0, 0, 0, 2}),
	})
}

// TestScenes runs the suite of rule compilers on the reference.
func TestScenes(t *testing.T) {
	for _, s := range ruletest.Scenes() {
		t.Run(s.Name, func(t *testing.T) {
			store, p := newMem(t), packet(s.Flow)
			if err := ruletest.Put(store, p, s.Rows...); err != nil {
				t.Fatal(err)
			}
			for _, r := range s.Rules {
				have, err := ruletest.Eval(r.Text, p, store)
				if err != nil {
					t.Error(err)
				} else if have != r.Match {
					t.Errorf("%s: have %v, want %v", r.Text, have, r.Match)
				}
			}
		})
	}
}

// TestEffects runs the suite's statements on the reference.
func TestEffects(t *testing.T) {
	for _, e := range ruletest.Effects() {
		t.Run(e.Name, func(t *testing.T) {
			store, p := newMem(t), packet(e.Flow)
			if err := ruletest.Put(store, p, e.Rows...); err != nil {
				t.Fatal(err)
			}
			for range e.Packets {
				if err := ruletest.Apply(e.Text, p, store); err != nil {
					t.Fatal(err)
				}
			}
			if err := e.Check(store, p); err != nil {
				t.Error(err)
			}
		})
	}
}

// failing is a store whose rows cannot be read.
type failing struct{ dict.Store }

var errRead = errors.New("cannot read")

func (failing) Get(string, dict.Key) (dict.Row, error) { return dict.Row{}, errRead }

func TestEvalError(t *testing.T) {
	f := failing{newMem(t)}
	v4, _ := ruletest.Flows()
	for _, text := range []string{"dict sessions ct id final true", "dict sessions ct id final missing", "dict users dict sessions ct id username quota_exceeded exists"} {
		if have, err := ruletest.Eval(text, packet(v4), f); have || !errors.Is(err, errRead) {
			t.Errorf("%s: have %v, %v", text, have, err)
		}
	}
	for _, text := range []string{"dict values mark i add 5", "dict values mark s set dict sessions ct id username", "dict users dict sessions ct id username flush"} {
		if err := ruletest.Apply(text, packet(v4), f); !errors.Is(err, errRead) {
			t.Errorf("%s: have %v", text, err)
		}
	}
	if err := ruletest.Apply("dict sessions ct id final true", packet(v4), f); !errors.Is(err, dict.ErrInvalid) {
		t.Errorf("a match applied: %v", err)
	}
}

// TestLongestRule checks that the scenes reach the bound they are about.
func TestLongestRule(t *testing.T) {
	longest := 0
	for _, s := range ruletest.Scenes() {
		for _, r := range s.Rules {
			longest = max(longest, len(r.Text))
		}
	}
	if longest != nftext.MaxText {
		t.Errorf("longest rule has %d bytes, want %d", longest, nftext.MaxText)
	}
}
