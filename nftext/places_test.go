// SPDX-License-Identifier: MIT

package nftext_test

import (
	"strings"
	"testing"

	"nftdict/nftext"
	"nftdict/nftext/ruletest"
)

// TestPlaces marks with ⟦ and ⟧ the part that Bind refuses.
func TestPlaces(t *testing.T) {
	schema := newSchema()
	for _, text := range []string{
		"dict ⟦nowhere⟧ ct id x 5",
		"dict ⟦nowhere⟧ ct id flush",
		"dict ⟦nowhere⟧ ct id x set 5",
		"dict sessions ⟦ip saddr⟧ final true",
		"dict sessions ⟦ip  saddr⟧ flush",
		"dict sessions ⟦meta mark⟧ final set true",
		"dict sessions ct id ⟦aplication⟧ NETFLIX",
		"dict sessions ct id ⟦aplication⟧ set NETFLIX",
		"dict sessions ct id ⟦final⟧ int 5",
		"dict users dict ⟦nowhere⟧ ct id username quota_exceeded true",
		"dict users dict sessions ⟦mark⟧ username quota_exceeded true",
		"dict users dict sessions ct id ⟦user⟧ quota_exceeded true",
		"dict users dict sessions ct id ⟦final⟧ quota_exceeded true",
		"dict users dict sessions ct id username ⟦quota⟧ true",
		"dict values mark i ⟦five⟧",
		"dict values mark i { 1, 2, ⟦3000000000⟧, 4 }",
		"dict values mark a { 10.0.0.1, ⟦::1⟧ }",
		"dict values mark a { 10.0.0.1, ⟦host⟧ }",
		`dict values mark s ⟦"["⟧`, // quotes are part of a value
		"dict values mark b ⟦<⟧ true",
		"dict values mark s ⟦gt⟧ true",
		"dict values mark i < ⟦5 - 10⟧",
		"dict loose mark x ⟦5⟧",
		"dict loose mark x set ⟦5⟧",
		"dict values mark i set ⟦five⟧",
		"dict values mark i set ⟦ct mark⟧",
		"dict values mark i set dict values mark ⟦l⟧",
		"dict values mark i set dict values mark ⟦none⟧",
		"dict values mark ⟦s⟧ add x",
	} {
		before, rest, _ := strings.Cut(text, "⟦")
		want, behind, _ := strings.Cut(rest, "⟧")
		plain := before + want + behind
		term, places, n, err := nftext.ParsePlaces(plain)
		if err != nil || n != len(plain) {
			t.Errorf("%s: took %d, %v", plain, n, err)
			continue
		}
		_, err = nftext.Bind(term, schema)
		if err == nil {
			t.Errorf("%s: is accepted", plain)
			continue
		}
		at, ok := places.Of(err)
		if have := plain[at.Offset:at.End]; !ok || have != want || at.Offset != len(before) {
			t.Errorf("%s: %v\n\thave %q at %d, want %q at %d", plain, err, have, at.Offset, want, len(before))
		}
	}
	// The open table that an omitted one means stands nowhere in the text.
	term, places, _, err := nftext.ParsePlaces("dict mark x 5")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = nftext.Bind(term, ruletest.Schema{}); err == nil {
		t.Fatal("bound without a table")
	}
	if at, ok := places.Of(err); ok {
		t.Errorf("%v: at %v", err, at)
	}
}
