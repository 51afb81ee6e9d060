// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// debugged is a writer for what nft prints with -d. It shows terms wherever it can
// tell their placeholders: in rules, in source lines, and in the expressions of
// -d netlink, where a term stands as nft has them. It never fails for one that
// stands elsewhere, such as the bytes of -d mnl.
type debugged struct {
	terms  *terms
	json   JSONCodec // nil where nft prints text
	to     io.Writer
	part   []byte  // the last line so far
	held   []byte  // a line that may be the first of a placeholder
	values []*term // whose carriers are to come
}

// Write keeps a line that is not whole yet.
func (d *debugged) Write(p []byte) (int, error) {
	var out []byte
	d.part = append(d.part, p...)
	for {
		i := bytes.IndexByte(d.part, '\n')
		if i < 0 {
			break
		}
		out = append(out, d.line(d.part[:i+1])...)
		d.part = d.part[i+1:]
	}
	_, err := d.to.Write(out)
	return len(p), err
}

// Close writes what is left.
func (d *debugged) Close() error {
	rest := append(d.held, d.terms.describe(d.part)...)
	d.held, d.part = nil, nil
	_, err := d.to.Write(rest)
	return err
}

// line returns what is to be printed for a line.
func (d *debugged) line(line []byte) (out []byte) {
	if d.held != nil {
		held := d.held
		d.held = nil
		if e := d.terms.compared(line); e != nil && e.kind == Value {
			d.values = append(d.values, e)
			return nil
		} else if e != nil && e.kind == Match {
			return []byte("  [ " + e.text + " ]\n")
		}
		out = held
	}
	for i, e := range d.values {
		if m := e.carrier.debug(d.terms.base).FindSubmatch(line); m != nil {
			d.values = slices.Delete(d.values, i, i+1)
			return fmt.Appendf(out, "  [ %s => reg %s ]\n", e.text, m[1])
		}
	}
	if bytes.HasPrefix(line, []byte("  [ meta load bri_iifname => reg ")) {
		d.held = bytes.Clone(line)
		return out
	}
	e, at := d.terms.find(line)
	if e == nil {
		return append(out, line...)
	}
	if d.json != nil && isJSON(line) {
		if shown, err := d.terms.revealJSON(d.json, line); err == nil {
			return append(out, shown...)
		}
	}
	const objref = "  [ objref type 2 name "
	if e.kind == Statement && bytes.HasPrefix(line, []byte(objref)) && at == len(objref) {
		return append(out, "  [ "+e.text+" ]\n"...)
	}
	if l, ok := d.terms.anySource(strings.TrimSuffix(string(line), "\n")); ok {
		return append(out, l.shown+"\n"...)
	}
	return append(out, d.terms.describe(line)...)
}

// compared returns the term whose token an expression of -d netlink compares with.
func (t *terms) compared(line []byte) *term {
	m := regexp.MustCompile(`^  \[ cmp eq reg \d+ ((?:0x[0-9a-f]{8} )+)\]\n$`).FindSubmatch(line)
	if m == nil {
		return nil
	}
	var name []byte
	for _, word := range strings.Fields(string(m[1])) {
		v, err := strconv.ParseUint(strings.TrimPrefix(word, "0x"), 16, 32)
		if err != nil {
			return nil
		}
		name = binary.NativeEndian.AppendUint32(name, uint32(v))
	}
	return t.exactly(name)
}

// debug matches the line in which -d netlink shows the carrier, and the number of
// its register.
func (c carrier) debug(base uint32) *regexp.Regexp {
	const register = `(\d+)`
	text := ""
	switch {
	case c.mark:
		text = fmt.Sprintf("%s load mark => reg %s", strings.Fields(c.text(base))[0], register)
	case c.class == Integer && !c.raw:
		offset := base + uint32(c.n)
		text = fmt.Sprintf("numgen reg %s = inc mod %d offset %d", register, -offset, offset)
	case c.port || c.class == IPv4 || c.class == IPv6:
		words := strings.Fields(c.text(base)) // ct reply ip saddr, ct reply proto-src
		key := strings.ReplaceAll(words[2], "-", "_")
		if len(words) > 3 {
			key = map[string]string{"saddr": "src_", "daddr": "dst_"}[words[3]] + words[2]
			key = strings.TrimSuffix(key, "_ip") + map[bool]string{true: "(?:_ip)?"}[words[2] == "ip"]
		}
		text = fmt.Sprintf("ct load %s => reg %s , dir %s", key, register, words[1])
	case c.class == Name:
		key := strings.TrimPrefix(c.text(base), "meta ")
		key = strings.NewReplacer("obrname", "bri_oifname", "ibrname", "bri_iifname").Replace(key)
		text = fmt.Sprintf("meta load %s => reg %s", key, register)
	default:
		text = fmt.Sprintf(`payload load %db @ transport header \+ %d => reg %s`, c.class.Width(), carrierOffset/8+c.n, register)
	}
	return regexp.MustCompile(`^  \[ ` + text + ` \]\n$`)
}
