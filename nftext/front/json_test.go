// SPDX-License-Identifier: MIT

package front

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nftdict/nftext/jsondoc"
)

const (
	matchJSON     = `{"match": {"op": "==", "left": {"dict": {"table": "sessions", "key": {"ct": {"key": "id"}}, "field": "application"}}, "right": 7}}`
	statementJSON = `{"dict": {"op": "set", "table": "sessions", "key": {"ct": {"key": "id"}}, "field": "application", "value": 7}}`
)

// valueJSON returns the object of a value of the fake codec.
func valueJSON(class string) string {
	return `{"dict": {"table": "sessions", "key": {"ct": {"key": "id"}}, "field": "v_` + class + `"}}`
}

// ruleJSON returns a document with one rule. Its spacing is odd, one number does
// not fit any machine's, and one member is there twice.
func ruleJSON(statements ...string) string {
	return `{ "nftables":[{"metainfo": {"n":18446744073709551617}},` + "\n\t" +
		`{"add": {"rule": {"chain": "c","family": "ip", "table":"t", "expr": [ ` + strings.Join(statements, ", ") + ` ], "comment": "\u00e4\"dict\""}}},{"x": 1, "x": 2}  ]}` + "\n"
}

func jsonTexts() *texts {
	return newTexts(newTerms(), fakeCodec{}, options{json: true})
}

func TestHideJSON(t *testing.T) {
	for name, statements := range map[string][]string{
		"none":            {`{"counter": null}`, `{"log": {"prefix": "dict"}}`},
		"match":           {`{"counter": null}`, matchJSON, `{"drop":null}`},
		"statement":       {statementJSON},
		"all":             {matchJSON, `{"accept": null}`, statementJSON, matchJSON},
		"vmap":            {`{"vmap": {"key": ` + valueJSON("name") + `, "data": {"set": [["NETFLIX", {"drop": null}]]}}}`},
		"set":             {`{"match": {"op": "!=", "left": ` + valueJSON("name") + `, "right": "@apps"}}`},
		"mangle":          {matchJSON, `{"mangle": {"key": {"meta": {"key": "mark"}}, "value":  ` + valueJSON("int") + `}}`, statementJSON},
		"joined":          {`{"mangle": {"key": {"meta": {"key": "mark"}}, "value": {"map": {"key": {"concat": [` + valueJSON("name") + `, ` + valueJSON("int") + `]}, "data": {"set": [[{"concat": ["A", 5]}, 1]]}}}}}`},
		"map":             {`{"mangle": {"key": {"meta": {"key": "mark"}}, "value": {"map": {"key": ` + valueJSON("ip4") + `, "data": "@m"}}}}`},
		"dnat":            {`{"dnat": {"addr": ` + valueJSON("ip4") + `, "port": ` + valueJSON("port") + `}}`},
		"concatenation":   {`{"match": {"op": "==", "left": {"concat": [` + valueJSON("name") + `, {"payload": {"protocol": "tcp", "field": "dport"}}, ` + valueJSON("name") + `]}, "right": "@s"}}`},
		"dynamic set":     {`{"set": {"op": "add", "elem": {"elem": {"val": ` + valueJSON("big") + `, "timeout": 300}}, "set": "@seen"}}`},
		"two statements":  {`{"mangle": {"key": {"meta": {"key": "mark"}}, "value": ` + valueJSON("int") + `}}`, `{"mangle": {"key": {"ct": {"key": "mark"}}, "value": ` + valueJSON("int") + `}}`},
		"user's carriers": {`{"match": {"op": "==", "left": {"concat": [{"meta": {"key": "obrname"}}, ` + valueJSON("name") + `, {"meta": {"key": "ibrname"}}]}, "right": "@s"}}`},
	} {
		x := jsonTexts()
		src := ruleJSON(statements...)
		out, changed, err := x.hide("rules.json", []byte(src))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if has := strings.Contains(src, `{"dict"`); changed != has || has == (string(out) == src) || strings.Contains(string(out), `{"dict"`) {
			t.Errorf("%s: changed %v: %s", name, changed, out)
		}
		if _, err := jsondoc.Parse(out); err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
		}
		back, err := x.terms.revealJSON(fakeCodec{}, out)
		if err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
		}
		if d := cmp.Diff(src, string(back)); d != "" {
			t.Errorf("%s (-document +round trip):\n%s", name, d)
		}
	}
}

func TestHideJSONForm(t *testing.T) {
	x := jsonTexts()
	out, _, err := x.hide("", []byte(ruleJSON(matchJSON, statementJSON, `{"mangle": {"key": {"meta": {"key": "mark"}}, "value": `+valueJSON("int")+`}}`)))
	if err != nil {
		t.Fatal(err)
	}
	token := func(n int) string { return x.terms.list[n].token }
	want := ruleJSON(
		`{"match": {"op": "==", "left": {"meta": {"key": "ibrname"}}, "right": "`+token(0)+`"}}`,
		`{"quota": "`+token(1)+`"}`,
		`{"match": {"op": "==", "left": {"meta": {"key": "ibrname"}}, "right": "`+token(2)+`"}}`,
		`{"mangle": {"key": {"meta": {"key": "mark"}}, "value": `+x.terms.list[2].carrier.json(x.terms.base)+`}}`)
	if d := cmp.Diff(want, string(out)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	var paths []string
	for _, e := range x.terms.list {
		paths = append(paths, e.path)
	}
	if d := cmp.Diff([]string{"nftables[1].add.rule.expr[0]", "nftables[1].add.rule.expr[1]", "nftables[1].add.rule.expr[2].mangle.value"}, paths); d != "" {
		t.Errorf("paths (-want +got):\n%s", d)
	}
}

// Dict objects are looked for in rules alone, and what is no JSON is nft's.
func TestHideJSONLeavesAlone(t *testing.T) {
	for _, src := range []string{
		`{"nftables": [{"add": {"table": {"family": "ip", "name": "dict"}}}]}`,
		`{"nftables": [{"add": {"set": {"elem": [{"dict": {}}]}}}]}`,
		`{"nftables": [{"add": {"rule": {"comment": {"dict": {}}, "expr": {"dict": 5}}}}]}`,
		`{"nftables": [{"add": {"rule": {"expr": [{"dict": {}, "x": 1}, "dict", ["dict"]]}}}]}`,
		strings.TrimSuffix(ruleJSON(matchJSON), "}\n"),
		ruleJSON(`{"counter": {"packets": }}`, matchJSON),
	} {
		out, changed, err := jsonTexts().hide("", []byte(src))
		if err != nil || changed || string(out) != src {
			t.Errorf("%s: %v, %v, %s", src, changed, err, out)
		}
	}
}

func TestHideJSONErrors(t *testing.T) {
	long := strings.Replace(matchJSON, `"right": 7`, `"right": {"set": [`+strings.Repeat("1, ", 100)+`1], "x": 2}`, 1)
	for name, c := range map[string]struct{ src, want string }{
		"member": {ruleJSON(`{"counter": null}`, strings.Replace(matchJSON, "field", "fld", 1)),
			`rules.json:2:91-218: Error: nftables[1].add.rule.expr[1].match.left.dict.fld: is not known here`},
		"no operator": {ruleJSON(`{"dict": {"table": "sessions"}}`),
			"rules.json:2:72-102: Error: nftables[1].add.rule.expr[0].dict: expected \"op\" to be \"set\", \"add\", \"sub\" or \"flush\" in a statement\n{\"dict\": {\"table\": \"sessions\"}}\n"},
		"lines": {ruleJSON("{\"dict\":\n {\n}}"),
			"rules.json:2:72-79: Error: nftables[1].add.rule.expr[0].dict: expected \"op\" to be \"set\", \"add\", \"sub\" or \"flush\" in a statement\n{\"dict\": { }}\n"},
		"value": {ruleJSON(`{"mangle": {"key": {"meta": {"key": "mark"}}, "value": {"dict": {"key": 5, "field": "x"}}}}`),
			`Error: nftables[1].add.rule.expr[0].mangle.value.dict.key: expected an expression`},
		"element": {ruleJSON(`{"vmap": {"key": {"meta": {"key": "mark"}}, "data": {"set": [[5, ` + valueJSON("int") + `]]}}}`),
			`Error: nftables[1].add.rule.expr[0].vmap.data.set[0][1]: not supported: nft takes a constant here; compare in a match`},
		"joined": {ruleJSON(`{"mangle": {"key": {"meta": {"key": "mark"}}, "value": {"map": {"key": {"concat": [` + valueJSON("big") + `, 5]}, "data": {"set": []}}}}}`),
			`Error: nftables[1].add.rule.expr[0].mangle.value.map.key.concat[0]: ` + errJoined.Error()},
		"too many": {ruleJSON(`{"match": {"op": "==", "left": {"concat": [` + strings.Repeat(valueJSON("name")+", ", 6) + `5]}, "right": "@s"}}`),
			`Error: nftables[1].add.rule.expr[0].match.left.concat[5]: ` + errValues.Error()},
		"long": {ruleJSON(long), `1, 1, 1, 1, 1...` + "\n"},
	} {
		_, _, err := jsonTexts().hide("rules.json", []byte(c.src))
		var said *diagnosis
		if !errors.As(err, &said) || !strings.Contains(said.text, c.want) {
			t.Errorf("%s:\n\thave %v\n\twant %s", name, err, c.want)
		}
	}
	_, _, err := jsonTexts().hide("", []byte(ruleJSON(`{"dict": {}}`)))
	if err == nil || !strings.HasPrefix(err.Error(), "Error: nftables[1]") {
		t.Errorf("arguments: %v", err)
	}
}

// A list of statements that is there twice has one that nft does not look at: dict
// objects in either are refused, and the rest is nft's.
func TestHideJSONTwice(t *testing.T) {
	const add, accept = `{"nftables": [{"add": `, `"expr": [{"accept": null}]`
	expr := `"expr": [` + matchJSON + `, {"drop": null}]`
	for name, c := range map[string]struct{ src, path string }{
		"first":    {add + `{"rule": {` + expr + `, "chain": "c", ` + accept + `}}}]}`, "nftables[0].add.rule.expr"},
		"last":     {add + `{"rule": {` + accept + `, ` + expr + `}}}]}`, "nftables[0].add.rule.expr"},
		"escaped":  {add + `{"rule": {` + expr + `, "\u0065xpr": []}}}]}`, "nftables[0].add.rule.expr"},
		"rule":     {add + `{"rule": {` + expr + `}, "rule": {` + accept + `}}}]}`, "nftables[0].add.rule.expr"},
		"add":      {add + `{"rule": {` + expr + `}}, "add": {"rule": {` + accept + `}}}]}`, "nftables[0].add.rule.expr"},
		"document": {add + `{"rule": {` + expr + `}}}], "nftables": [{"add": {"rule": {` + accept + `}}}]}`, "nftables[0].add.rule.expr"},
		"shorter":  {`{"nftables": [{"metainfo": {}}, {"add": {"rule": {` + expr + `}}}], "nftables": [{"add": {"rule": {` + accept + `}}}]}`, "nftables[1].add.rule.expr"},
		"empty":    {add + `{"rule": {` + expr + `}}}], "nftables": []}`, "nftables[0].add.rule.expr"},
		"other":    {add + `{"rule": {` + expr + `}}, "add": {"table": {"family": "ip", "name": "t"}}}]}`, "nftables[0].add.rule.expr"},
		"no list":  {add + `{"rule": {` + expr + `}, "rule": {"family": "ip"}}}]}`, "nftables[0].add.rule.expr"},
	} {
		_, _, err := jsonTexts().hide("", []byte(c.src))
		if want := "Error: " + c.path + ": invalid: this list, another, or what one is in, is there twice"; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	once := add + `{"rule": {` + expr + `}}}, {"add": {"rule": {` + expr + `}}, "delete": {"rule": {"handle": 1}}}]}`
	if _, changed, err := jsonTexts().hide("", []byte(once)); err != nil || !changed {
		t.Errorf("once: %v, %v", err, changed)
	}
	plain := strings.ReplaceAll(add+`{"rule": {`+expr+`, `+accept+`}}}]}`, matchJSON, `{"counter": null}`)
	if out, changed, err := jsonTexts().hide("", []byte(plain)); err != nil || changed || string(out) != plain {
		t.Errorf("without dict objects: %v, %v, %s", err, changed, out)
	}
}

func TestRevealJSONRefuses(t *testing.T) {
	x := jsonTexts()
	hidden, _, err := x.hide("", []byte(ruleJSON(`{"mangle": {"key": {"meta": {"key": "mark"}}, "value": `+valueJSON("int")+`}}`)))
	if err != nil {
		t.Fatal(err)
	}
	e, m := x.terms.list[0], x.terms.intern(Match, matchTerm)
	s := x.terms.intern(Statement, statementTerm)
	placeholder := func(e *term) string { return string(newTerms().appendPlaceholderJSON(nil, e)) }
	for name, line := range map[string]string{
		"carrier alone is missing": strings.Replace(string(hidden), e.carrier.json(x.terms.base), "5", 1),
		"marker at the end":        ruleJSON(placeholder(e)),
		"outside of a rule":        `{"x": "` + m.token + `"}`,
		"in a comment":             strings.Replace(ruleJSON(placeholder(m)), `\"dict\"`, m.token, 1),
		"other operator":           ruleJSON(strings.Replace(placeholder(m), "==", "!=", 1)),
		"other key":                ruleJSON(strings.Replace(placeholder(m), "ibrname", "iifname", 1)),
		"match as a quota":         ruleJSON(`{"quota": "` + m.token + `"}`),
		"quota as a match":         ruleJSON(strings.Replace(placeholder(m), m.token, s.token, 1)),
		"longer":                   ruleJSON(strings.Replace(placeholder(m), m.token, m.token+"x", 1)),
		"no JSON":                  ruleJSON(placeholder(m)) + "]",
	} {
		if out, err := x.terms.revealJSON(fakeCodec{}, []byte(line)); err == nil {
			t.Errorf("%s: %s", name, out)
		}
	}
	if out, err := x.terms.revealJSON(fakeCodec{}, []byte(ruleJSON(placeholder(m), placeholder(s)))); err != nil || string(out) != ruleJSON(matchJSON, statementJSON) {
		t.Errorf("control: %v: %s", err, out)
	}
}

// nft prints 32 bits with a sign and without.
func TestRevealJSONSign(t *testing.T) {
	x := jsonTexts()
	src := ruleJSON(`{"mangle": {"key": {"meta": {"key": "mark"}}, "value": ` + valueJSON("int") + `}}`)
	hidden, _, err := x.hide("", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	offset := x.terms.base
	signed := strings.Replace(string(hidden), fmt.Sprintf(`"mod": %d`, -offset), fmt.Sprintf(`"mod": %d`, int32(-offset)), 1)
	if signed == string(hidden) {
		t.Fatalf("no such number: %s", hidden)
	}
	if out, err := x.terms.revealJSON(fakeCodec{}, []byte(signed)); err != nil || string(out) != src {
		t.Errorf("%v: %s", err, out)
	}
}

func TestRestoreJSON(t *testing.T) {
	const nft = "internal:0:0-0: Error: Could not process rule: Invalid argument\n\n"
	const other = "internal:0:0-0: Error: Could not process rule: No such file or directory\n\n"
	x := jsonTexts()
	two := `{"nftables": [{"add": {"rule": {"expr": [` + matchJSON + `, ` + statementJSON + `]}}}, {"add": {"rule": {"expr": [` + matchJSON + `]}}}]}`
	if _, _, err := x.hide("", []byte(two)); err != nil {
		t.Fatal(err)
	}
	if got := string(x.terms.restore([]byte(nft + other))); got != nft+other {
		t.Errorf("without a failed term:\n%s", got)
	}
	for i, e := range x.terms.list {
		x.terms.fail(e, &TextError{Offset: 5, End: 13, Err: fmt.Errorf("reason %d", i)})
	}
	want := "Error: nftables[0].add.rule.expr[0]: reason 0\n" + matchTerm + "\n     ^^^^^^^^\n" +
		"Error: nftables[0].add.rule.expr[1]: reason 1\n" + statementTerm + "\n     ^^^^^^^^\n" +
		"Error: nftables[1].add.rule.expr[0]: reason 2\n" + matchTerm + "\n     ^^^^^^^^\n"
	if d := cmp.Diff(other+want+other+nft, string(x.terms.restore([]byte(other+nft+other+nft+nft)))); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got := x.terms.untold(); len(got) != 0 {
		t.Errorf("%d terms are still untold", len(got))
	}
}

// Every carrier is what nft reads and prints.
func TestCarrierJSON(t *testing.T) {
	const base = 1<<30 + 7
	for c, want := range map[carrier]string{
		{class: Integer, n: 1}:               `{"numgen": {"mode": "inc", "mod": 3221225464, "offset": 1073741832}}`,
		{class: Integer, n: 1, raw: true}:    `{"payload": {"base": "th", "offset": 62472, "len": 32}}`,
		{class: Integer, mark: true}:         `{"ct": {"key": "mark"}}`,
		{class: Integer, n: 1, mark: true}:   `{"meta": {"key": "mark"}}`,
		{class: Integer16, n: 2}:             `{"payload": {"base": "th", "offset": 62480, "len": 16}}`,
		{class: Integer16, n: 2, port: true}: `{"ct": {"key": "proto-dst", "dir": "original"}}`,
		{class: Integer64, n: 0}:             `{"payload": {"base": "th", "offset": 62464, "len": 64}}`,
		{class: IPv4, n: 0}:                  `{"ct": {"key": "ip daddr", "dir": "reply"}}`,
		{class: IPv6, n: 3}:                  `{"ct": {"key": "ip6 saddr", "dir": "original"}}`,
		{class: Name, n: 2}:                  `{"meta": {"key": "oifkind"}}`,
	} {
		if got := c.json(base); got != want {
			t.Errorf("%+v: %s, want %s", c, got, want)
		}
	}
}

// FuzzHideJSON hides whatever may be in a document and shows it again.
func FuzzHideJSON(f *testing.F) {
	for _, s := range []string{matchJSON, statementJSON, valueJSON("int"), `{"vmap": {"key": ` + valueJSON("name") + `}}`, `{"match": {"op":"==","left":` + valueJSON("ip4") + `,"right":"@s"}}`} {
		f.Add(ruleJSON(s))
		f.Add(ruleJSON(s, s))
	}
	f.Fuzz(func(t *testing.T, src string) {
		x := jsonTexts()
		out, changed, err := x.hide("f", []byte(src))
		if err != nil || !isJSON([]byte(src)) {
			return
		}
		if !changed {
			if string(out) != src {
				t.Fatalf("%q became %q", src, out)
			}
			return
		}
		if strings.Contains(src, "ibrname") || strings.Contains(src, "quota") || strings.Contains(src, string(x.terms.mark)) {
			return
		}
		back, err := x.terms.revealJSON(fakeCodec{}, out)
		if err != nil {
			t.Fatalf("%q: %q: %v", src, out, err)
		}
		again := jsonTexts()
		hidden, _, err := again.hide("f", back)
		if err != nil {
			t.Fatalf("%q: %q: %v", src, back, err)
		}
		if back2, err := again.terms.revealJSON(fakeCodec{}, hidden); err != nil || string(back2) != string(back) {
			t.Fatalf("%q: %q, then %q, %v", src, back, back2, err)
		}
	})
}

// Nft makes the use of a value that the place where it stands says.
func TestJSONUses(t *testing.T) {
	v := valueJSON("int")
	mangle := func(key, value string) string { return `{"mangle": {"key": ` + key + `, "value": ` + value + `}}` }
	payload := func(protocol, field string) string {
		return `{"payload": {"protocol": "` + protocol + `", "field": "` + field + `"}}`
	}
	const mark = `{"meta": {"key": "mark"}}`
	for statement, want := range map[string][]Use{
		`{"vmap": {"key": ` + v + `, "data": {"set": []}}}`:                                         {UseCompared},
		`{"match": {"op": "==", "left": ` + v + `, "right": "@s"}}`:                                 {UseCompared},
		`{"match": {"op": "==", "left": {"concat": [` + v + `, ` + v + `]}, "right": {"set": []}}}`: {UseCompared, UseComputed},
		`{"match": {"op": "==", "left": {"&": [` + v + `, 255]}, "right": 5}}`:                      {UseBits},
		`{"match": {"op": "==", "left": ` + mark + `, "right": ` + v + `}}`:                         {useConstant},
		`{"match": {"op": "==", "left": ` + mark + `, "right": {"set": [1, ` + v + `]}}}`:           {useConstant},
		`{"vmap": {"key": ` + mark + `, "data": {"set": [[` + v + `, {"drop": null}]]}}}`:           {useConstant},
		mangle(mark, v):                                                  {UseNumber},
		mangle(`{"ct": {"key": "mark"}}`, v):                             {UseNumber},
		mangle(`{"meta": {"key": "priority"}}`, v):                       {UseNumber},
		mangle(`{"meta": {"key": "nftrace"}}`, v):                        {useConstant},
		mangle(payload("ether", "saddr"), v):                             {UseLink},
		mangle(payload("arp", "saddr ether"), v):                         {UseLink},
		mangle(payload("ip", "saddr"), v):                                {UseAddress},
		mangle(payload("tcp", "dport"), v):                               {UsePort},
		mangle(payload("ip", "id"), v):                                   {UsePort},
		mangle(payload("ip", "ttl"), v):                                  {useConstant},
		mangle(payload("icmp", "id"), v):                                 {useConstant},
		mangle(`{"tcp option": {"name": "maxseg", "field": "size"}}`, v): {UsePort},
		mangle(`{"payload": {"base": "nh", "offset": 64, "len": 8}}`, v): {useConstant},
		mangle(v, `5`): {useConstant},
		mangle(mark, `{"map": {"key": `+v+`, "data": "@m"}}`):                                     {UseComputed},
		mangle(mark, `{"map": {"key": {"concat": [`+v+`, `+v+`]}, "data": "@m"}}`):                {UseComputed, UseComputed},
		mangle(mark, `{"map": {"key": {"concat": [`+v+`, `+v+`]}, "data": {"set": []}}}`):         {UseListed, UseListed},
		mangle(mark, `{"map": {"key": `+v+`, "data": {"set": []}}}`):                              {UseComputed},
		mangle(mark, `{"|": [`+v+`, 5]}`):                                                         {UseBits},
		mangle(mark, `{"map": {"key": `+mark+`, "data": {"set": [[1, `+v+`]]}}}`):                 {useConstant},
		mangle(mark, `{"jhash": {"mod": 5, "expr": `+v+`}}`):                                      {UseComputed},
		`{"dnat": {"addr": ` + v + `, "port": ` + v + `, "family": "ip"}}`:                        {UseAddress, UsePort},
		`{"snat": {"addr": {"map": {"key": ` + v + `, "data": "@m"}}}}`:                           {UseComputed},
		`{"redirect": {"port": ` + v + `}}`:                                                       {UsePort},
		`{"dup": {"addr": ` + v + `, "dev": ` + v + `}}`:                                          {UseAddress, useConstant},
		`{"set": {"op": "add", "elem": ` + v + `, "set": "@s"}}`:                                  {UseElement},
		`{"set": {"op": "add", "elem": {"elem": {"val": ` + v + `, "timeout": 5}}, "set": "@s"}}`: {UseElement},
		`{"set": {"op": "add", "elem": {"concat": [` + v + `, 5]}, "set": "@s"}}`:                 {UseComputed},
		`{"map": {"op": "add", "elem": ` + mark + `, "data": ` + v + `, "map": "@m"}}`:            {UseElement},
		`{"queue": {"num": ` + v + `}}`:                                                           {useConstant},
		`{"log": {"prefix": ` + v + `}}`:                                                          {useConstant},
	} {
		n, err := jsondoc.Parse([]byte(statement))
		if err != nil {
			t.Fatal(err)
		}
		var got []Use
		var find func(n *jsondoc.Node, u Use)
		find = func(n *jsondoc.Node, u Use) {
			if n.Only("dict") != nil {
				got = append(got, u)
				return
			}
			for i := range n.Children {
				find(&n.Children[i], u.within(n, i))
			}
		}
		find(&n.Children[0], beginUse(&n.Children[0]))
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", statement, d)
		}
	}
}
