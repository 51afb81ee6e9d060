// SPDX-License-Identifier: MIT

package ruletest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"nftdict/dict"
	"nftdict/nftext"
)

// Line is a line of nftext/testdata/*.t and nftext/testdata/values/*.t, of the
// form `rule;ok;canonical`, with - where the rule is canonical itself, or
// `rule;fail;message`. Beside each file stand the expressions that each backend
// makes of its rules: FILE.kmod and FILE.ebpf, which the tests of the backends
// write with the flag -update.
type Line struct {
	Place     string // file:line
	Rule      string // statements of a rule
	Canonical string // "" where it is refused
	Why       string // part of the message where it is refused
}

// ReadLines reads a file of lines. Empty lines and those that begin with # are
// left out.
func ReadLines(name string) (lines []Line, err error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	for n, text := range strings.Split(string(data), "\n") {
		if text == "" || text[0] == '#' {
			continue
		}
		part := strings.SplitN(text, ";", 3)
		l := Line{Place: fmt.Sprintf("%s:%d", name, n+1), Rule: part[0]}
		switch {
		case len(part) == 3 && part[1] == "ok" && part[2] != "":
			if l.Canonical = part[2]; l.Canonical == "-" {
				l.Canonical = l.Rule
			}
		case len(part) == 3 && part[1] == "fail" && part[2] != "":
			l.Why = part[2]
		default:
			return nil, fmt.Errorf("%s: %w: want rule;ok;canonical or rule;fail;message", l.Place, dict.ErrInvalid)
		}
		lines = append(lines, l)
	}
	return lines, nil
}

// Files returns the files of lines below a directory testdata.
func Files(testdata string) ([]string, error) {
	terms, err := filepath.Glob(filepath.Join(testdata, "*.t"))
	values, err2 := filepath.Glob(filepath.Join(testdata, "values", "*.t"))
	if err = errors.Join(err, err2); err == nil && (len(terms) == 0 || len(values) == 0) {
		err = fmt.Errorf("%s: %d and %d files", testdata, len(terms), len(values))
	}
	return append(terms, values...), err
}

// Part is a term of a rule, bound; Class is 0 but for a value.
type Part struct {
	nftext.Span
	Bound nftext.Bound
	Class nftext.Class
}

// lead is what stands before the statements of a line.
const lead = "add rule inet t c "

// Parts returns the terms of a rule, and the rule in canonical form.
func Parts(rule string, schema nftext.Schema) (parts []Part, canonical string, err error) {
	spans, err := nftext.Find(lead + rule)
	if err != nil {
		return nil, "", err
	}
	at := len(lead)
	for _, s := range spans {
		p := Part{Span: s}
		if p.Bound, err = nftext.Bind(s.Term, schema); err != nil {
			return nil, "", err
		}
		if l, ok := p.Bound.(*nftext.Load); ok {
			if p.Class, err = l.Class(s.Use); err != nil {
				return nil, "", err
			}
		}
		parts = append(parts, p)
		canonical += (lead + rule)[at:s.Start] + s.Term.String()
		at = s.End
	}
	return parts, canonical + (lead + rule)[at:], nil
}
