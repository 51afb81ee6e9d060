// SPDX-License-Identifier: MIT

package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"nftdict/dict"
	"nftdict/nftext/front"
)

func TestNftRemedy(t *testing.T) {
	const said = "Error: Could not process rule: Operation not supported\n"
	for text, want := range map[string]string{
		said + "add rule ip filter forward dict hosts ip saddr username exists dnat to 127.0.0.1:80\n^^^^\n":             "hook prerouting",
		said + "add rule ip filter forward dict hosts ip saddr username exists redirect\n^^^^\n":                         "hook prerouting",
		said + "add rule ip filter forward dict hosts ip saddr username exists masquerade\n^^^^\n":                       "hook postrouting",
		said + "add rule ip filter forward dict hosts ip saddr username exists snat to 10.0.0.1\n^^^^\n":                 "hook postrouting",
		said + "add rule inet f in dict hosts ip saddr username exists drop\n^^^^\n":                                     "not at ingress",
		said + "add rule ip filter forward masquerade\n^^^^\n":                                                           "",
		said + "add rule netdev filter in drop\n^^^^\n":                                                                  "",
		"Error: syntax error, unexpected dnat\nadd rule dnat\n":                                                          "",
		"Error: Could not process rule: Protocol error\nadd rule bridge b c dict sessions ct id final true drop\n^^^^\n": "modprobe nf_conntrack_bridge",
		"Error: Could not process rule: Protocol error\nadd rule bridge b c dict values ct mark i 5 drop\n^^^^\n":        "modprobe nf_conntrack_bridge",
		"Error: Could not process rule: Protocol error\nadd rule bridge b c dict values meta mark i 5 drop\n^^^^\n":      "",
		"Error: Could not process rule: Protocol error\nadd rule bridge b c ct id 5 drop\n^^^^\n":                        "",
		"": "",
	} {
		got := nftRemedy(text)
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestHead(t *testing.T) {
	var out bytes.Buffer
	h := &head{w: &out}
	big := bytes.Repeat([]byte("x"), maxHead-1)
	for _, b := range [][]byte{big, []byte("yz"), []byte("end")} {
		if n, err := h.Write(b); n != len(b) || err != nil {
			t.Fatal(n, err)
		}
	}
	if len(h.String()) != maxHead || !strings.HasSuffix(h.String(), "xy") || out.Len() != maxHead+4 {
		t.Errorf("kept %d, passed on %d", len(h.kept), out.Len())
	}
}

// TestLazyCodec opens nothing for text without a term, and once for more.
func TestLazyCodec(t *testing.T) {
	for _, tt := range []struct {
		err    error
		failed bool // a listing cannot be trusted
	}{{dict.ErrPermission, true}, {dict.ErrNotSupported, false}} {
		opened := 0
		c := newLazyCodec(func() (*Backend, error) { opened++; return nil, tt.err })
		spans, err := c.Finder().Find([]byte("add rule ip t c dict sessions ct id final true accept"), nil)
		if err != nil || len(spans) != 1 || opened != 0 {
			t.Fatalf("find: %v, %v, opened %d times", spans, err, opened)
		}
		if err := c.failed(); err != nil {
			t.Error(err)
		}
		for range 2 {
			if _, err := c.Compile(front.Target{}, "dict sessions ct id final true"); !errors.Is(err, tt.err) {
				t.Errorf("compile: %v", err)
			}
		}
		if _, ok := c.Decompile(2, []front.Element{{Name: "match"}}); ok || opened != 1 {
			t.Errorf("decompile: %v, opened %d times", ok, opened)
		}
		if err := c.failed(); (err != nil) != tt.failed {
			t.Errorf("%v: failed: %v", tt.err, err)
		}
	}
	c := newLazyCodec(func() (*Backend, error) { return &Backend{Kind: "mem"}, nil })
	if _, err := c.Compile(front.Target{}, "dict sessions ct id final true"); !errors.Is(err, dict.ErrNotSupported) {
		t.Errorf("without a compiler: %v", err)
	}
}
