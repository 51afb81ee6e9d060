// SPDX-License-Identifier: MIT

package nftext_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nftdict/dict"
	"nftdict/nftext"
)

func useNames() map[nftext.Use]string {
	return map[nftext.Use]string{
		nftext.UseMatch: "match", nftext.UseKey: "key", nftext.UseNumber: "number",
		nftext.UsePort: "port", nftext.UseAddress: "address", nftext.UseElement: "element", nftext.UseListed: "listed",
		nftext.UseBits: "bits", nftext.UseLink: "link",
	}
}

// TestFindValues marks the values of each rule with ⟦ and ⟧ and what nft does
// with them before, and with | where its matches may begin, if that is not at
// the first value.
func TestFindValues(t *testing.T) {
	names := useNames()
	for _, text := range []string{
		`match⟦dict sessions ct id application⟧ vmap { "NETFLIX" : drop, "YOUTUBE" : jump video }`,
		`match⟦dict sessions ct id application long_string⟧ vmap @policy`,
		`match⟦dict sessions ct id application⟧ vmap $policy`,
		`match⟦dict sessions ct id application⟧ @apps drop`,
		`match⟦dict sessions ct id application⟧ != @apps drop`,
		`match⟦dict sessions ct id application⟧ == @apps drop`,
		`match⟦dict sessions ct id application⟧ ne @apps drop`,
		`tcp dport 80 match⟦dict sessions ct id application⟧ @apps counter match⟦dict ct id x int⟧ @numbers`,
		`match⟦dict sessions ct id application⟧ . tcp dport vmap @policy`,
		`match⟦dict sessions ct id application⟧ . key⟦dict sessions ct id server_port⟧ @s accept`,
		`|bits⟦dict sessions ct id client_port⟧ and 0xff == 5`,
		`|bits⟦dict sessions ct id client_port⟧ & 0xff { 5, 6 }`,
		`|bits⟦dict sessions ct id client_port⟧ | 1 5`,
		`|bits⟦dict sessions ct id client_port⟧ ^ 1 5`,
		`|bits⟦dict sessions ct id client_port⟧ << 1 5`,
		`|bits⟦dict sessions ct id client_port⟧ rshift 1 5`,
		`match⟦dict sessions ct id client_port int⟧ \` + "\n  vmap @ports",
		`|ip saddr . key⟦dict sessions ct id application⟧ @s`,
		`|tcp dport . key⟦dict sessions ct id application⟧ . meta mark vmap @s`,
		`|meta mark set number⟦dict users dict sessions ct id username mark⟧`,
		`|meta mark set number⟦dict users dict sessions ct id username mark int64⟧ counter accept`,
		`|mark set number⟦dict hosts ip saddr mark⟧ accept`,
		`|ct mark set number⟦dict hosts ip saddr mark⟧; counter`,
		`|meta priority set number⟦dict hosts ip saddr class⟧`,
		`|meta mark set key⟦dict sessions ct id application⟧ map { "VOIP" : 1 }`,
		`|meta mark set key⟦dict sessions ct id application⟧ . ip saddr map @m`,
		`|meta mark set bits⟦dict sessions ct id mark⟧ and 0xff`,
		`|meta mark set bits⟦dict sessions ct id mark⟧ & 0xff or 1`,
		`|meta mark set (bits⟦dict sessions ct id mark⟧ and 0xff)`,
		`|meta mark set ip saddr . key⟦dict sessions ct id application⟧ map @m`,
		`|meta mark set ip saddr . listed⟦dict sessions ct id application⟧ map { 10.0.0.1 . "A" : 1 }`,
		`|meta mark set listed⟦dict sessions ct id application⟧ . ip saddr map { "A" . 10.0.0.1 : 1 }`,
		`|meta mark set listed⟦dict sessions ct id application⟧ . ip saddr map $m`,
		`|ip saddr . key⟦dict sessions ct id application⟧ @s meta mark set key⟦dict hosts ip saddr x⟧ map { "A" : 1 }`,
		`|ip saddr set address⟦dict hosts ip saddr real⟧`,
		`|ether saddr set link⟦dict hosts ip saddr mac_address⟧`,
		`|arp daddr ether set link⟦dict hosts ip saddr mac_address⟧`,
		`|tcp dport set port⟦dict hosts ip saddr port⟧`,
		`|ip id set port⟦dict hosts ip saddr port⟧`,
		`|tcp option maxseg size set port⟦dict hosts ip saddr mss⟧`,
		`tcp dport 80 |dnat to address⟦dict hosts ip saddr redirect_address⟧`,
		`tcp dport 80 |dnat ip to address⟦dict hosts ip saddr redirect_address⟧:8080`,
		`tcp dport 80 |dnat ip to address⟦dict hosts ip saddr redirect_address ipv4_addr⟧ : 8080 random`,
		`tcp dport 80 |dnat to address⟦dict hosts ip saddr a⟧ : port⟦dict hosts ip saddr p⟧`,
		`|dnat to key⟦dict sessions ct id application⟧ map { "A" : 10.0.0.1 }`,
		`tcp dport 80 |redirect to :port⟦dict hosts ip saddr p⟧`,
		`tcp dport 80 |redirect to : port⟦dict hosts ip saddr p⟧`,
		`|snat to address⟦dict hosts ip saddr a⟧ persistent`,
		`tcp dport 80 |tproxy ip to address⟦dict hosts ip saddr a⟧:3128`,
		`|dup to address⟦dict hosts ip saddr a⟧ device eth0`,
		`|fwd ip to address⟦dict hosts ip saddr a⟧ device eth0`,
		`|add @seen { element⟦dict sessions ct id username⟧ timeout 5m }`,
		`|update @seen { element⟦dict sessions ct id username⟧ }`,
		`|delete @seen {element⟦dict sessions ct id username⟧}`,
		`|update @seen { key⟦dict sessions ct id username⟧ . ip saddr limit rate 5/second }`,
		`|update @seen { ip saddr . key⟦dict sessions ct id username⟧ }`,
		`|update @m { ip saddr : element⟦dict sessions ct id username⟧ }`,
		`|update @m { element⟦dict sessions ct id username⟧ : element⟦dict loose ct id x int⟧ }`,
		`|set add element⟦dict sessions ct id username⟧ @seen`,
		`|meter m { element⟦dict sessions ct id username⟧ limit rate 5/second }`,
		`|meter m size 100 { element⟦dict sessions ct id username⟧ limit rate 5/second }`,
		`dict ct id flush |meta mark set number⟦dict hosts ip saddr mark⟧ ct mark set number⟦dict hosts ip saddr mark⟧`,
		`jump { drop; } |meta mark set number⟦dict hosts ip saddr mark⟧`,
		`dict sessions ct id application map drop`,
		`dict sessions ct id application "vmap" drop`,
		`dict sessions ct id application == vmap drop`,
		`dict sessions ct id application ^x drop`,
		`dict sessions ct id application .x drop`,
		// words of nft's own
		`iifname dict counter ip saddr host accept`,
		`iifname dict meta mark 5 drop`,
		`iifname dict meta iif 1 counter`,
		`iifname dict ct mark 5 drop`,
		`iifname != dict mark 5 drop`,
		`ip saddr dict ip daddr other drop`,
		`meta mark set dict log`,
		`ip saddr { dict, other } drop`,
		`jump dict`,
	} {
		t.Run(text, func(t *testing.T) {
			const rule = "add rule inet t c "
			plain, want := rule, []string{}
			statement := -1
			for rest := text; rest != ""; {
				i := strings.IndexAny(rest, "|⟦⟧")
				switch {
				case i < 0:
					plain, rest = plain+rest, ""
				case strings.HasPrefix(rest[i:], "| ") && strings.HasSuffix(rest[:i], " "): // nft's own
					plain, rest = plain+rest[:i+1], rest[i+1:]
				case rest[i] == '|':
					plain, rest = plain+rest[:i], rest[i+1:]
					statement = len(plain)
				case strings.HasPrefix(rest[i:], "⟦"):
					at := strings.LastIndexAny(rest[:i], " ({:.|") + 1
					plain += rest[:at]
					term, behind, _ := strings.Cut(rest[i+len("⟦"):], "⟧")
					if use := rest[at:i]; use == "match" {
						statement = len(plain)
					}
					want = append(want, rest[at:i]+" "+term+" of "+plain[max(statement, 0):])
					plain, rest = plain+term, behind
				}
			}
			spans, err := nftext.Find(plain)
			if err != nil {
				t.Fatal(err)
			}
			have := []string{}
			for _, s := range spans {
				if s.Term.Kind() == nftext.KindValue {
					have = append(have, names[s.Use]+" "+plain[s.Start:s.End]+" of "+plain[s.Statement:s.Start])
				}
			}
			if diff := cmp.Diff(want, have); diff != "" {
				t.Errorf("%s\n(-want +have):\n%s", plain, diff)
			}
		})
	}
}

// TestFindConstants: where nft takes only constants, and where it would write
// less than the value, the text is refused by name.
func TestFindConstants(t *testing.T) {
	for _, statement := range []string{
		"ip saddr ⟦dict sessions ct id client_address drop",
		"ip saddr != ⟦dict sessions ct id client_address drop",
		"meta mark and ⟦dict sessions ct id mark == 5",
		"meta mark set ct mark or ⟦dict sessions ct id mark",
		"meta mark set tcp dport map { 80 : ⟦dict sessions ct id mark }",
		"ip saddr { ⟦dict sessions ct id client_address }",
		"ip ttl set ⟦dict hosts ip saddr ttl",
		"ip dscp set ⟦dict hosts ip saddr dscp",
		"ct helper set ⟦dict hosts ip saddr helper",
		"ct zone set ⟦dict hosts ip saddr zone",
		"queue to ⟦dict hosts ip saddr queue",
		"dup to 10.0.0.1 device ⟦dict hosts ip saddr interface",
		"log prefix ⟦dict sessions ct id application",
	} {
		before, behind, _ := strings.Cut("add rule ip t c "+statement, "⟦")
		_, err := nftext.Find(before + behind)
		e, ok := errors.AsType[*nftext.SyntaxError](err)
		if !ok || e.Err != dict.ErrNotSupported || e.Offset != len(before) || !strings.Contains(e.Text, "nft takes a constant") {
			t.Errorf("%s: have %v", statement, err)
		}
	}
	for statement, want := range map[string]string{
		"meta mark set dict users ct id":                      "expected a field, found the end",
		"meta mark set dict users dict sessions ct id 5":      "expected a field, found",
		"add @s { dict users dict sessions ct id }":           "expected a field, found",
		"dnat to dict users dict sessions ct id username =":   "expected a field, found \"=\"",
		"meta mark set dict a dict b dict c dict d ct id x":   "more than 3 lookups",
		"dict users dict sessions ct id vmap @s":              "expected a field, found \"@s\"",
		"dict sessions ct id application long_string . $x . ": "",
	} {
		_, err := nftext.Find("add rule ip t c " + statement)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: have %v, want %s", statement, err, want)
		}
	}
}
