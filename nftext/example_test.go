// SPDX-License-Identifier: MIT

package nftext_test

import (
	"fmt"

	"nftdict/dict"
	"nftdict/nftext"
)

func ExampleFind() {
	rule := "add rule ip filter forward tcp dport dict dict sessions ct id application NETFLIX reject"
	spans, err := nftext.Find(rule)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range spans {
		fmt.Println(rule[s.Start:s.End], "is", s.Term)
	}
	// Output: dict sessions ct id application NETFLIX is dict sessions ct id application "NETFLIX"
}

func ExampleParse() {
	_, _, err := nftext.Parse("dict sessions ct id application reject")
	fmt.Println(err)
	// Output: 1:33: expected a value, found "reject", which is a word of nft: put it in double quotes if it is the value
}

func ExampleBind() {
	term, _, err := nftext.Parse("dict hosts ip saddr quota_remaining int < five")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = nftext.Bind(term, newSchema())
	fmt.Println(err)
	// Output: dict hosts ip saddr: field "quota_remaining": int "five": invalid, want a number such as 5, -5 or 0x1f, or a range such as 5-10
}

func ExampleEval() {
	term, _, err := nftext.Parse("dict values meta mark s *flix*")
	if err != nil {
		fmt.Println(err)
		return
	}
	bound, err := nftext.Bind(term, newSchema())
	if err != nil {
		fmt.Println(err)
		return
	}
	rows := oneRow{Cells: []dict.Cell{{Field: "s", Value: dict.MustString("www.netflix.com")}}}
	packet := nftext.Packet{nftext.MetaMark: dict.Mark(5)}
	fmt.Println(nftext.Eval(bound.(*nftext.Condition), packet, rows))
	// Output: true <nil>
}

// oneRow is the only row of every table.
type oneRow dict.Row

func (r oneRow) Get(string, dict.Key) (dict.Row, error) { return dict.Row(r), nil }
