// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"nftdict/nftext"
)

// fakeCodec has terms `dict TABLE ct id FIELD VALUE` and `... FIELD set VALUE`,
// compiled to a packet mark that holds VALUE, which every kernel accepts. Their
// table is "sessions" and their field "application" after a round trip. VALUE
// 9999 does not compile, and 8888
// takes until standard input ends. A value is `dict TABLE ct id v_CLASS`, compiled
// to a constant.
type fakeCodec struct {
	closed   *int
	compiled *[]Target
}

var (
	fakeWord     = regexp.MustCompile(`"[^"]*"|#[^\n]*|[\w.@/]+`)
	fakeDefine   = regexp.MustCompile(`^(?:re)?define\s+(\w+)\s*=\s*(\w+)`)
	fakeInclude  = regexp.MustCompile(`^include\s*"([^"]*)"`)
	fakeValue    = regexp.MustCompile(`^dict(?:\s|\\\n)+[\w-]+(?:\s|\\\n)+ct(?:\s|\\\n)+id(?:\s|\\\n)+v_(int|port|big|ip4|ip6|name|bool|mac)\b`)
	fakeKey      = regexp.MustCompile(`^ \.[^\n]* map|^ map`)
	fakeKeyEnd   = regexp.MustCompile(` set [^\n]* \. $`)
	fakeArgument = regexp.MustCompile(`(?: set| to|\{|:)\s+$`)
	fakeBegin    = regexp.MustCompile(`(?:(?:meta (?:mark|priority) set|ct mark set|(?:tcp dport|ip id|ether daddr) set|[ds]nat(?: ip6?)? to|(?:add|update) @\w+ \{|jhash|(?:tcp dport|ip saddr|ether(?:\s|\\\n)+[sd]addr|@ll, ?48, ?48|dict \w+ ct id v_\w+) [.:]|)(?:\s|\\\n)*)*$`)
	fakeTerm     = regexp.MustCompile(`^dict(?:\s|\\\n)+[\w-]+(?:\s|\\\n)+ct(?:\s|\\\n)+id(?:\s|\\\n)+[\w-]+(?:\s|\\\n)+(set(?:\s|\\\n)+)?(\$?\w+)`)
)

const (
	fakeBase  = 0xd1c70000
	fakeMatch = 16 // elements: many, so that a batch outgrows the room nft made for it
)

func (c fakeCodec) Finder() Finder { return fakeFinder{} }

// fakeFinder holds variables, which stand for a VALUE.
type fakeFinder map[string]string

func (f fakeFinder) Find(src []byte, include func(string) error) (spans []Span, err error) {
	for at := 0; at < len(src); {
		w := fakeWord.FindIndex(src[at:])
		if w == nil {
			break
		}
		start, end := at+w[0], at+w[1]
		at = end
		if m := fakeDefine.FindSubmatch(src[start:]); m != nil {
			f[string(m[1])] = string(m[2])
			continue
		}
		if m := fakeInclude.FindSubmatchIndex(src[start:]); m != nil && include != nil {
			if err := include(string(src[start+m[2] : start+m[3]])); err != nil {
				return nil, &TextError{Offset: start, End: start + m[1], Err: err}
			}
			continue
		}
		if string(src[start:end]) != "dict" {
			continue
		}
		if m := fakeValue.FindSubmatchIndex(src[start:]); m != nil {
			s := Span{Start: start, End: start + m[1], Kind: Value, Class: fakeClasses[string(src[start+m[2]:start+m[3]])]}
			near := max(0, start-400) // as far back as a statement reaches here
			if fakeArgument.Match(src[near:start]) {
				s.Place = Argument
			}
			if fakeKey.Match(src[start+m[1]:]) || fakeKeyEnd.Match(src[near:start]) {
				s.Place = Key
			}
			line, _, _ := bytes.Cut(src[start:], []byte("\n"))
			if before := bytes.TrimRight(src[near:start], " "); s.Place == Key && bytes.Contains(line, []byte(" map {")) &&
				(bytes.HasSuffix(before, []byte(".")) || bytes.HasPrefix(src[start+m[1]:], []byte(" ."))) {
				s.Place = Listed
			}
			s.Statement = near + fakeBegin.FindIndex(src[near:start])[0]
			for s.Statement < start && strings.IndexByte(" \n\t\\", src[s.Statement]) >= 0 {
				s.Statement++
			}
			spans = append(spans, s)
			at = s.End
			continue
		}
		m := fakeTerm.FindSubmatchIndex(src[start:])
		if m == nil {
			return nil, &TextError{Offset: start, End: end, Err: errors.New("no dict term")}
		}
		s, value := Span{Start: start, End: start + m[1]}, string(src[start+m[4]:start+m[5]])
		if name, ok := strings.CutPrefix(value, "$"); ok {
			if value, ok = f[name]; !ok {
				return nil, &TextError{Offset: start + m[4], End: start + m[5], Err: fmt.Errorf("variable %s is not defined", name)}
			}
			s.Text = string(src[start:start+m[4]]) + value
		}
		if _, err := strconv.ParseUint(value, 10, 16); err != nil {
			return nil, &TextError{Offset: start + m[4], End: start + m[5], Err: errors.New("value is no number")}
		}
		if m[2] >= 0 {
			s.Kind = Statement
		}
		spans = append(spans, s)
		at = s.End
	}
	return spans, nil
}

var fakeClasses = map[string]Class{"int": Integer, "port": Integer16, "big": Integer64, "ip4": IPv4, "ip6": IPv6, "name": Name, "bool": Bool, "mac": Ether}

// fakeConstant is what a value of a class is.
func fakeConstant(c Class) []byte {
	if c == Bool {
		return []byte{0xd1}
	}
	return append([]byte{0xd1, 0xc7}, bytes.Repeat([]byte{byte(c)}, c.Width()-2)...)
}

func (c fakeCodec) compileValue(t Target) (*Code, error) {
	if c.compiled != nil {
		*c.compiled = append(*c.compiled, t)
	}
	imm := appendAttr32(nil, unix.NFTA_IMMEDIATE_DREG, t.Register)
	data := appendAttr(nil, unix.NFTA_DATA_VALUE, fakeConstant(t.Class))
	return &Code{Exprs: appendElement(nil, "immediate", appendAttr(imm, unix.NFTA_IMMEDIATE_DATA|unix.NLA_F_NESTED, data))}, nil
}

func (c fakeCodec) decompileValue(e Element) (Found, bool) {
	a, _ := readAttrs(e.Data, nil)
	d, _ := readAttrs(pick(a, unix.NFTA_IMMEDIATE_DATA), nil)
	for name, class := range fakeClasses {
		if e.Name == "immediate" && bytes.Equal(pick(d, unix.NFTA_DATA_VALUE), fakeConstant(class)) {
			register, _ := uint32Of(pick(a, unix.NFTA_IMMEDIATE_DREG))
			return Found{Text: "dict sessions ct id v_" + name, Kind: Value, Elements: 1, Class: class, Register: register}, true
		}
	}
	return Found{}, false
}

func (c fakeCodec) Compile(t Target, term string) (*Code, error) {
	if t.Class != 0 && strings.Contains(term, "sessions9") {
		return nil, errors.New("refused by the test")
	}
	if t.Class != 0 {
		return c.compileValue(t)
	}
	m := fakeTerm.FindStringSubmatchIndex(term)
	v, _ := strconv.ParseUint(term[m[4]:m[5]], 10, 16)
	if v == 9999 {
		return nil, &TextError{Offset: m[4], End: m[5], Err: fmt.Errorf("value %q: refused by the test", term[m[4]:m[5]])}
	}
	if v == 8888 {
		os.Stdout.WriteString("compiling\n")
		_, _ = io.Copy(io.Discard, os.Stdin)
	}
	if c.compiled != nil {
		*c.compiled = append(*c.compiled, t)
	}
	value := binary.NativeEndian.AppendUint32(nil, fakeBase|uint32(v))
	data := appendAttr(nil, unix.NFTA_DATA_VALUE, value)
	var b []byte
	if m[2] >= 0 {
		imm := appendAttr32(nil, unix.NFTA_IMMEDIATE_DREG, unix.NFT_REG_1)
		b = appendElement(b, "immediate", appendAttr(imm, unix.NFTA_IMMEDIATE_DATA|unix.NLA_F_NESTED, data))
		b = appendElement(b, "meta", appendAttr32(appendAttr32(nil, unix.NFTA_META_KEY, unix.NFT_META_MARK), unix.NFTA_META_SREG, unix.NFT_REG_1))
	} else {
		b = appendElement(b, "meta", appendAttr32(appendAttr32(nil, unix.NFTA_META_DREG, unix.NFT_REG_1), unix.NFTA_META_KEY, unix.NFT_META_MARK))
		cmp := appendAttr32(appendAttr32(nil, unix.NFTA_CMP_SREG, unix.NFT_REG_1), unix.NFTA_CMP_OP, unix.NFT_CMP_EQ)
		b = appendElement(b, "cmp", appendAttr(cmp, unix.NFTA_CMP_DATA|unix.NLA_F_NESTED, data))
		for range fakeMatch - 2 {
			b = appendElement(b, "cmp", appendAttr(cmp, unix.NFTA_CMP_DATA|unix.NLA_F_NESTED, data))
		}
	}
	return &Code{Exprs: b, Close: func() error {
		if c.closed != nil {
			*c.closed++
		}
		return nil
	}}, nil
}

func (fakeCodec) Decompile(_ uint8, elems []Element) (Found, bool) {
	if f, ok := (fakeCodec{}).decompileValue(elems[0]); ok {
		return f, true
	}
	value := func(e Element, typ uint16) (uint32, bool) {
		a, _ := readAttrs(e.Data, nil)
		d, _ := readAttrs(pick(a, typ), nil)
		b := pick(d, unix.NFTA_DATA_VALUE)
		if len(b) != 4 {
			return 0, false
		}
		v := binary.NativeEndian.Uint32(b)
		return v & 0xffff, v&0xffff0000 == fakeBase
	}
	if len(elems) >= 2 && elems[0].Name == "immediate" && elems[1].Name == "meta" {
		if v, ok := value(elems[0], unix.NFTA_IMMEDIATE_DATA); ok {
			return Found{Text: fmt.Sprintf("dict sessions ct id application set %d", v), Kind: Statement, Elements: 2}, true
		}
	}
	if len(elems) >= fakeMatch && elems[0].Name == "meta" && elems[1].Name == "cmp" {
		if v, ok := value(elems[1], unix.NFTA_CMP_DATA); ok {
			return Found{Text: fmt.Sprintf("dict sessions ct id application %d", v), Elements: fakeMatch}, true
		}
	}
	return Found{}, false
}

func (fakeCodec) FromJSON(object []byte) (Span, error) {
	t, err := nftext.ParseJSON(object)
	if e, ok := errors.AsType[*nftext.JSONError](err); ok {
		return Span{}, &PathError{e.Path, errors.New(e.Text)}
	}
	return Span{Text: t.String(), Kind: Kind(t.Kind())}, nil
}

func (fakeCodec) ValueFromJSON(object []byte, _ Use) (Span, error) {
	v, err := nftext.ParseJSONValue(object)
	if e, ok := errors.AsType[*nftext.JSONError](err); ok {
		return Span{}, &PathError{e.Path, errors.New(e.Text)}
	}
	return Span{Text: v.String(), Kind: Value, Class: fakeClasses[strings.TrimPrefix(v.Field, "v_")]}, nil
}

func (fakeCodec) ToJSON(kind Kind, text string) ([]byte, error) {
	if kind == Value {
		m, _, err := nftext.Parse(text + " exists")
		if err != nil {
			return nil, err
		}
		return nftext.JSON(&nftext.Value{Lookup: m.(*nftext.Match).Lookup}), nil
	}
	t, _, err := nftext.Parse(text)
	if err != nil {
		return nil, err
	}
	return nftext.JSON(t), nil
}

var _ Codec = fakeCodec{}
