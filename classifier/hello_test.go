// SPDX-License-Identifier: MIT

package classifier

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
)

// helloSpec is a ClientHello to build.
type helloSpec struct {
	version    uint16
	ciphers    []uint16
	extensions []helloExtension
}

type helloExtension struct {
	kind uint16
	body []byte
}

func (h helloSpec) bytes() []byte {
	b := binary.BigEndian.AppendUint16(nil, h.version)
	b = append(b, make([]byte, 32)...)
	b = append(b, 0) // session id
	b = binary.BigEndian.AppendUint16(b, uint16(2*len(h.ciphers)))
	for _, c := range h.ciphers {
		b = binary.BigEndian.AppendUint16(b, c)
	}
	b = append(b, 1, 0)
	if h.extensions != nil {
		var e []byte
		for _, x := range h.extensions {
			e = binary.BigEndian.AppendUint16(e, x.kind)
			e = binary.BigEndian.AppendUint16(e, uint16(len(x.body)))
			e = append(e, x.body...)
		}
		b = binary.BigEndian.AppendUint16(b, uint16(len(e)))
		b = append(b, e...)
	}
	return append([]byte{1, 0, byte(len(b) >> 8), byte(len(b))}, b...)
}

func sniExtension(name string) helloExtension {
	b := binary.BigEndian.AppendUint16(nil, uint16(len(name)+3))
	b = append(b, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(len(name)))
	return helloExtension{extServerName, append(b, name...)}
}

func alpnExtension(names ...string) helloExtension {
	var list []byte
	for _, n := range names {
		list = append(append(list, byte(len(n))), n...)
	}
	return helloExtension{extALPN, append(binary.BigEndian.AppendUint16(nil, uint16(len(list))), list...)}
}

func listExtension(kind uint16, values ...uint16) helloExtension {
	b := binary.BigEndian.AppendUint16(nil, uint16(2*len(values)))
	for _, v := range values {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	if kind == extSupportedVersions {
		b = b[1:]
	}
	return helloExtension{kind, b}
}

// specHello is the example that the JA4 specification works through, with GREASE
// in every place a browser puts it.
func specHello() helloSpec {
	return helloSpec{
		version: 0x0303,
		ciphers: []uint16{
			0x1a1a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
		},
		extensions: []helloExtension{
			{0x2a2a, nil}, {0x001b, []byte{2, 0, 2}}, sniExtension("www.netflix.com"), {0x0033, []byte{0, 0}}, alpnExtension("h2", "http/1.1"),
			{0x4469, nil}, {0x0017, nil}, {0x002d, []byte{1, 1}}, listExtension(extSignatureAlgs, 0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601),
			{0x0005, nil}, {0x0023, nil}, {0x0012, nil}, listExtension(extSupportedVersions, 0x3a3a, 0x0304, 0x0303), {0xff01, []byte{0}},
			{0x000b, []byte{1, 0}}, {0x000a, []byte{0, 0}}, {0x0015, nil}, {0x4a4a, []byte{0}},
		},
	}
}

func TestJA4(t *testing.T) {
	noALPN := specHello()
	noALPN.extensions = noALPN.extensions[:4]
	odd := specHello()
	odd.extensions = []helloExtension{alpnExtension("\xab\xcd")}
	unnamed := helloSpec{version: 0x0301, ciphers: []uint16{0x000a}, extensions: []helloExtension{{extServerName, nil}}}
	tests := []struct {
		name      string
		hello     helloSpec
		transport byte
		want      string
	}{
		{"specification's example", specHello(), 't', "t13d1516h2_8daaf6152771_e5627efa2ab1"},
		{"the same over QUIC", specHello(), 'q', "q13d1516h2_8daaf6152771_e5627efa2ab1"},
		{"no ALPN, no versions", noALPN, 't', "t12d150300_8daaf6152771_" + digestOf("001b,0033")},
		{"ALPN of no letters, no name", odd, 't', "t12i1501ad_8daaf6152771_000000000000"},
		{"name's extension without a name", unnamed, 't', "t10d010100_" + digestOf("000a") + "_000000000000"},
		{"bare", helloSpec{version: 0x0301, ciphers: []uint16{0x000a}}, 't', "t10i010000_" + digestOf("000a") + "_000000000000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var h hello
			if got := h.parse(tt.hello.bytes()); got != whole {
				t.Fatalf("parse: %v", got)
			}
			var p ja4Print
			if h.ja4(tt.transport, new(ja4Scratch), &p); p.String() != tt.want {
				t.Errorf("got %s, want %s", p.String(), tt.want)
			}
		})
	}
}

func digestOf(text string) string { return fmt.Sprintf("%x", shortDigest([]byte(text))) }

// TestHelloPrefixes expects every prefix of a hello to be partial, and the name
// to be there as soon as its bytes are.
func TestHelloPrefixes(t *testing.T) {
	b := specHello().bytes()
	named := bytes.Index(b, []byte("www.netflix.com")) + len("www.netflix.com")
	for n := range len(b) {
		var h hello
		if got := h.parse(b[:n]); got != partial {
			t.Fatalf("%d of %d bytes: %v, want partial", n, len(b), got)
		}
		if (string(h.sni) == "www.netflix.com") != (n >= named) {
			t.Fatalf("%d bytes: name %q, its end is at %d", n, h.sni, named)
		}
	}
}

func TestHelloMalformed(t *testing.T) {
	edit := func(f func(b []byte) []byte) []byte { return f(specHello().bytes()) }
	tests := map[string][]byte{
		"another message":         edit(func(b []byte) []byte { b[0] = 2; return b }),
		"too long":                edit(func(b []byte) []byte { b[1] = 1; return b }),
		"not version 3":           edit(func(b []byte) []byte { b[4] = 4; return b }),
		"session id too long":     edit(func(b []byte) []byte { b[38] = 33; return b }),
		"odd ciphers":             edit(func(b []byte) []byte { b[40]++; return b }),
		"extensions end too late": edit(func(b []byte) []byte { b[76]++; return b }),
		"name beyond its list":    helloSpec{0x0303, []uint16{1}, []helloExtension{{extServerName, []byte{0, 5, 0, 0, 9, 'a', 'b'}}}}.bytes(),
		"odd algorithms":          helloSpec{0x0303, []uint16{1}, []helloExtension{{extSignatureAlgs, []byte{0, 3, 1, 2, 3}}}}.bytes(),
	}
	for name, b := range tests {
		t.Run(name, func(t *testing.T) {
			var h hello
			if got := h.parse(b); got != malformed {
				t.Errorf("got %v, want malformed", got)
			}
		})
	}
}

func FuzzHello(f *testing.F) {
	f.Add(specHello().bytes())
	f.Add(classicHello(f, "www.netflix.com")[5:])
	f.Add(helloSpec{version: 0x0301, ciphers: []uint16{0x000a}}.bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		var all hello
		state := all.parse(b)
		if len(b) > 300 {
			b = b[:300]
		}
		// A message that is well formed has no malformed beginning, and what a
		// beginning says holds for the whole.
		for n := range b {
			var part hello
			got := part.parse(b[:n])
			if state != malformed && got == malformed {
				t.Fatalf("malformed at %d of %d bytes, but not as a whole", n, len(b))
			}
			if got == whole && state == partial {
				t.Fatalf("whole at %d of %d bytes, but not later", n, len(b))
			}
			if state == whole && part.sni != nil && !bytes.Equal(part.sni, all.sni) {
				t.Fatalf("name %q at %d bytes, %q in all", part.sni, n, all.sni)
			}
		}
		if state == whole {
			var p ja4Print
			if all.ja4('t', new(ja4Scratch), &p) && len(p.String()) != 36 {
				t.Fatalf("fingerprint %q", p.String())
			}
		}
	})
}
