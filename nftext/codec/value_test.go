// SPDX-License-Identifier: MIT

package codec

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nftdict/dict"
	"nftdict/nftext"
	"nftdict/nftext/front"
	"nftdict/nftext/ruletest"
)

func TestValues(t *testing.T) {
	c := New(ruletest.NewSchema(), &echo{})
	type value struct {
		class front.Class
		place front.Place
	}
	for rule, want := range map[string]value{
		"dict values mark i @s":                                   {front.Integer, front.Condition},
		"dict values mark l @s":                                   {front.Integer64, front.Condition},
		"dict values mark l int @s":                               {front.Integer, front.Condition},
		"dict values mark a4 @s":                                  {front.IPv4, front.Condition},
		"dict values mark a6 @s":                                  {front.IPv6, front.Condition},
		"dict values mark a ipv6_addr @s":                         {front.IPv6, front.Condition},
		"dict values mark s @s":                                   {front.Name, front.Condition},
		"ip saddr . dict values mark s @s":                        {front.Name, front.Key},
		"meta mark set dict values mark i":                        {front.Integer, front.Argument},
		"meta mark set dict values mark l":                        {front.Integer, front.Argument},
		"meta mark set dict values mark l map @m":                 {front.Integer64, front.Key},
		"tcp dport set dict values mark l":                        {front.Integer16, front.Argument},
		"dict values mark b @s":                                   {front.Bool, front.Condition},
		"dict values mark e . tcp dport @s":                       {front.Ether, front.Condition},
		"ether daddr set dict values mark e":                      {front.Ether, front.Argument},
		"dnat to dict values mark a4":                             {front.IPv4, front.Argument},
		"add @s { dict values mark s }":                           {front.Name, front.Argument},
		"add @s { dict values mark l }":                           {front.Integer, front.Argument},
		"dict users dict sessions ct id username usergroups @s":   {front.Name, front.Condition},
		"dict loose mark x ipv4_addr @s":                          {front.IPv4, front.Condition},
		"update @m { ip saddr : dict values mark a6 timeout 5m }": {front.IPv6, front.Argument},
	} {
		spans, err := c.Finder().Find([]byte("add rule ip t c "+rule), nil)
		if err != nil || len(spans) != 1 || spans[0].Kind != front.Value {
			t.Errorf("%s: have %+v, %v", rule, spans, err)
			continue
		}
		if diff := cmp.Diff(want, value{spans[0].Class, spans[0].Place}, cmp.AllowUnexported(value{})); diff != "" {
			t.Errorf("%s (-want +have):\n%s", rule, diff)
		}
	}
	for rule, want := range map[string]error{
		"⟦dict values mark ⟦b⟧ and 1 == 1":              dict.ErrType,
		"⟦dict values mark ⟦e⟧ & 1 == 1":                dict.ErrType,
		"ether saddr set ⟦dict values mark ⟦i⟧":         dict.ErrType,
		"⟦dict values mark ⟦a⟧ @s":                      dict.ErrType,
		"⟦dict loose mark ⟦x⟧ @s":                       dict.ErrType,
		"⟦dict values mark ⟦nothing⟧ @s":                dict.ErrNotExist,
		"⟦dict ⟦nowhere⟧ mark x @s":                     dict.ErrNotExist,
		"⟦dict values ⟦ct id⟧ i @s":                     dict.ErrType,
		"meta mark set ⟦dict values mark ⟦s⟧":           dict.ErrType,
		"dnat to ⟦dict values mark ⟦i⟧":                 dict.ErrType,
		"dnat to 10.0.0.1 : ⟦dict values mark ⟦a4⟧":     dict.ErrType,
		"meta mark set ⟦dict values mark ⟦b⟧":           dict.ErrType,
		"meta mark set ⟦dict values dict users ⟦ct id⟧": dict.ErrInvalid,
	} {
		plain, at := marked("add rule ip t c " + rule)
		_, err := c.Finder().Find([]byte(plain), nil)
		e, ok := errors.AsType[*front.TextError](err)
		if !errors.Is(err, want) || !ok || want != dict.ErrInvalid && (e.Offset != at[1] || e.End != at[2]) {
			t.Errorf("%s: have %v at %+v, want %v at %v", plain, err, e, want, at)
		}
	}
}

// marked returns a text without its marks, and where they stood.
func marked(text string) (plain string, at []int) {
	for _, r := range text {
		if r == '⟦' || r == '⟧' {
			at = append(at, len(plain))
		} else {
			plain += string(r)
		}
	}
	return plain, at
}

// TestFinder: what the texts of one run define is known in those behind.
func TestFinder(t *testing.T) {
	c := New(ruletest.NewSchema(), &echo{})
	f := c.Finder()
	files := map[string]string{"vars.nft": "define apps = { A, \"B*\" }\n"}
	include := func(name string) error {
		_, err := f.Find([]byte(files[name]), nil)
		return err
	}
	const src = "include \"vars.nft\"\nadd rule ip t c dict sessions ct id application != $apps"
	spans, err := f.Find([]byte(src), include)
	want := []front.Span{{Start: 35, End: len(src), Text: `dict sessions ct id application != { "A", "B*" }`}}
	if diff := cmp.Diff(want, spans); diff != "" || err != nil {
		t.Errorf("%v (-want +have):\n%s", err, diff)
	}
	if spans, err := f.Find([]byte("add rule ip t c dict sessions ct id application $apps"), nil); err != nil || len(spans) != 1 {
		t.Errorf("the next text: %+v, %v", spans, err)
	}
	if _, err := c.Finder().Find([]byte("add rule ip t c dict sessions ct id application $apps"), nil); !errors.Is(err, dict.ErrNotExist) {
		t.Errorf("another run: %v", err)
	}
	broken := errors.New("broken")
	_, err = f.Find([]byte("\n\ninclude \"x\""), func(string) error { return broken })
	if e, ok := errors.AsType[*front.TextError](err); !ok || e.Offset < 2 || !errors.Is(err, broken) {
		t.Errorf("have %v", err)
	}
}

func TestValueJSON(t *testing.T) {
	c := New(ruletest.NewSchema(), &echo{})
	const object = `{"dict": {"table": "values", "key": {"meta": {"key": "mark"}}, "field": "l"}}`
	s, err := c.ValueFromJSON([]byte(object), front.UseNumber)
	want := front.Span{Kind: front.Value, Text: "dict values meta mark l", Class: front.Integer, Place: front.Argument}
	if diff := cmp.Diff(want, s); diff != "" || err != nil {
		t.Errorf("%v (-want +have):\n%s", err, diff)
	}
	if b, err := c.ToJSON(front.Value, s.Text); err != nil || string(b) != object {
		t.Errorf("have %s, %v", b, err)
	}
	if _, err := c.ValueFromJSON([]byte(object), front.UseAddress); !errors.Is(err, dict.ErrType) {
		t.Errorf("have %v", err)
	}
	for use, same := range map[front.Use]nftext.Use{
		front.UseCompared: nftext.UseMatch, front.UseComputed: nftext.UseKey, front.UseNumber: nftext.UseNumber,
		front.UsePort: nftext.UsePort, front.UseAddress: nftext.UseAddress, front.UseElement: nftext.UseElement,
		front.UseListed: nftext.UseListed, front.UseBits: nftext.UseBits, front.UseLink: nftext.UseLink,
	} {
		if nftext.Use(use) != same {
			t.Errorf("use %d of package front is %d of nftext", use, same)
		}
	}
}
