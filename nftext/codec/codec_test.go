// SPDX-License-Identifier: MIT

package codec

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nftdict/dict"
	"nftdict/nftext"
	"nftdict/nftext/front"
	"nftdict/nftext/ruletest"
)

// echo compiles a term to its text and finds it in an element named echo.
type echo struct{ released int }

func (e *echo) Compile(t nftext.Target, b nftext.Bound) (*nftext.Code, error) {
	if t.Chain == "refused" {
		return nil, dict.ErrNotSupported
	}
	return &nftext.Code{Exprs: []byte(b.Term().String()), Release: func() error { e.released++; return nil }}, nil
}

func (e *echo) Decompile(_ uint8, elems []nftext.Element) nftext.Found {
	if elems[0].Name != "echo" {
		return nftext.Found{}
	}
	return nftext.Found{Text: string(elems[0].Data), N: 1}
}

func TestCodec(t *testing.T) {
	e := &echo{}
	c := New(ruletest.NewSchema(), e)

	src := "add rule t c tcp dport dict dict sessions ct id final  true dict ct id flush"
	spans, err := c.Finder().Find([]byte(src), nil)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, s := range spans {
		texts = append(texts, s.Kind.String()+" "+src[s.Start:s.End])
	}
	want := []string{"match dict sessions ct id final  true", "statement dict ct id flush"}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Fatalf("(-want +have):\n%s", diff)
	}

	code, err := c.Compile(front.Target{Family: 2, Table: "t", Chain: "c"}, "dict sessions ct id final  true")
	if err != nil || string(code.Exprs) != "dict sessions ct id final true" {
		t.Fatalf("have %v, %v", code, err)
	}
	if err := code.Close(); err != nil || e.released != 1 {
		t.Errorf("close: %v, released %d times", err, e.released)
	}
	found, ok := c.Decompile(2, []front.Element{{Name: "echo", Data: code.Exprs}, {Name: "counter"}})
	if want := (front.Found{Text: "dict sessions ct id final true", Elements: 1}); found != want || !ok {
		t.Errorf("have %+v, %v", found, ok)
	}
	for _, e := range []front.Element{{Name: "counter"}, {Name: "echo", Data: []byte("dict x")}, {Name: "echo", Data: []byte("dict ct id flush x")}} {
		if found, ok := c.Decompile(2, []front.Element{e}); ok {
			t.Errorf("%v: decompiled as %+v", e, found)
		}
	}
}

func TestErrors(t *testing.T) {
	c := New(ruletest.NewSchema(), &echo{})
	_, err := c.Finder().Find([]byte("add rule t c dict sessions ct id x = 5"), nil)
	if e, ok := errors.AsType[*front.TextError](err); !ok || e.Offset != 35 || !errors.Is(err, dict.ErrInvalid) || strings.HasPrefix(e.Error(), "1:") {
		t.Errorf("find: have %v", err)
	}
	for text, want := range map[string]error{
		"dict sessions ct id x = 5":         dict.ErrInvalid,
		"dict sessions ct id x 5":           dict.ErrNotExist,
		"dict sessions ct id final maybe":   dict.ErrInvalid,
		"dict sessions ip saddr final true": dict.ErrType,
		"dict sessions ct id final true x":  dict.ErrInvalid,
	} {
		if _, err := c.Compile(front.Target{}, text); !errors.Is(err, want) {
			t.Errorf("%s: have %v, want %v", text, err, want)
		}
	}
	_, err = c.Compile(front.Target{}, "dict sessions ct id final maybe")
	if e, ok := errors.AsType[*front.TextError](err); !ok || e.Offset != 26 || e.End != 31 {
		t.Errorf("bind: have %v at %+v", err, e)
	}
	if _, err := c.Compile(front.Target{Chain: "refused"}, "dict sessions ct id final true"); !errors.Is(err, dict.ErrNotSupported) {
		t.Errorf("have %v, want %v", err, dict.ErrNotSupported)
	}
}
