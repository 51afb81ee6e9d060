// SPDX-License-Identifier: MIT

package ruletest

import (
	"fmt"
	"strings"

	"nftdict/dict"
	"nftdict/nftext"
)

// limitScene has rules at the bounds of the language: values in a set,
// patterns in a set, positions of a pattern, bytes of text.
func limitScene() Scene {
	v4, _ := Flows()
	text := strings.Repeat("abcdefgh", dict.MaxString/8)
	row := byMark("values", cell("i", dict.IntValue(-5)), cell("a4", addr("10.1.2.3")), cell("s", dict.MustString(text)))
	const key = "dict values meta mark "
	set := func(field, format, last string) string {
		items := make([]string, nftext.MaxItems)
		for n := range items {
			items[n] = fmt.Sprintf(format, n)
		}
		items[len(items)-1] = last
		return field + " { " + strings.Join(items, ", ") + " }"
	}
	longest := func(last string) string {
		rule := fmt.Sprintf(`s { "%s", "%s", "%s", "" }`, text[1:], text[2:], last)
		pad := nftext.MaxText - len(key) - len(rule)
		return strings.TrimSuffix(rule, `"" }`) + `"` + strings.Repeat("x", pad) + `" }`
	}
	wide := text[:nftext.MaxTokens-1] // and a star
	return Scene{"limits", v4, []Row{row}, answers{key: key,
		yes: []string{
			set("i", "%d", "-5"), set("i", "%d-100", "-9--1"), set("i !=", "%d", "99"),
			set("a4", "10.0.0.%d", "10.1.2.0/24"),
			set("s", `"s%d"`, `"`+text[:8]+`*"`), set("s", `"x%d*"`, `"*efgh"`), set("s", `"[%d]*"`, `"[a-c]*"`),
			`s "` + wide + `*"`, `s "*` + wide[1:] + `*"`, `s "?` + text[1:nftext.MaxTokens-1] + `*"`,
			longest(text), longest(text[:100] + "*"),
		},
		no: []string{
			set("i", "%d", "-6"), set("i", "%d-100", "-9--6"), set("i !=", "%d", "-5"),
			set("a4", "10.0.0.%d", "10.1.3.0/24"),
			set("s", `"s%d"`, `"b*"`), set("s", `"x%d*"`, `"*efg"`),
			`s "` + text[1:nftext.MaxTokens] + `*"`, `s "*` + wide + `"`,
			longest(text[3:]), longest(text[1:100] + "*"),
		},
	}.rules()}
}
