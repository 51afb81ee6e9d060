// SPDX-License-Identifier: MIT

package classifier

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// Bounds of the lists of one table: what a name costs must not depend on who
// wrote a list.
const (
	maxListDepth    = 16  // lists that include one another
	maxKeywords     = 256 // each is searched for in every name that no domain fits
	maxExpressions  = 64
	maxExpression   = 256 // bytes
	minKeyword      = 3   // bytes
	maxListedNames  = 1 << 20
	maxIncludesSeen = 4096
)

// Opener opens the list called name. The caller decides where lists are; a
// name is made of letters, digits, hyphens, dots, underscores and slashes, and
// leads neither up nor to the root.
type Opener func(name string) (io.ReadCloser, error)

// pattern is a keyword or an expression of a list.
type pattern struct {
	keyword    string         // a part of the name
	expression *regexp.Regexp // nil for a keyword; takes time in proportion to the name
	app        *Application
}

// matches reports whether host fits.
func (p *pattern) matches(host string) bool {
	if p.expression != nil {
		return p.expression.MatchString(host)
	}
	return strings.Contains(host, p.keyword)
}

// listReader reads lists into a table.
type listReader struct {
	d    *Domains
	app  *Application
	open Opener
	path []string // lists being read, the outermost first
	seen int      // lists read
}

// addList reads the list called name, and what it includes, for app: a line
// holds domain:NAME or NAME (it and everything below), full:NAME (it alone),
// keyword:TEXT, regexp:EXPRESSION or include:LIST, and attributes behind it,
// "@name". Those of an include choose lines: @name wants it, @-name refuses
// it. What the table has already is left as it is.
func (d *Domains) addList(name string, app *Application, open Opener) error {
	if open == nil {
		return errors.New("lists cannot be opened here")
	}
	r := listReader{d: d, app: app, open: open}
	return r.read(name, nil)
}

// read reads one list; wanted are the attributes that its lines must have, or,
// behind a hyphen, must not.
func (r *listReader) read(name string, wanted []string) error {
	switch {
	case !isListName(name):
		return fmt.Errorf("list %q: not a name", name)
	case len(r.path) >= maxListDepth:
		return fmt.Errorf("list %q: included more than %d deep", name, maxListDepth)
	case r.seen >= maxIncludesSeen:
		return fmt.Errorf("list %q: more than %d lists", name, maxIncludesSeen)
	}
	for _, outer := range r.path {
		if outer == name {
			return fmt.Errorf("list %q: includes itself", name)
		}
	}
	f, err := r.open(name)
	if err != nil {
		return fmt.Errorf("list %q: %w", name, err)
	}
	defer f.Close()
	r.seen++
	r.path = append(r.path, name)
	defer func() { r.path = r.path[:len(r.path)-1] }()
	in := bufio.NewScanner(f)
	for line := 1; in.Scan(); line++ {
		text, _, _ := strings.Cut(in.Text(), "#")
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		if err := r.line(words[0], words[1:], wanted); err != nil {
			return fmt.Errorf("list %q: line %d: %w", name, line, err)
		}
	}
	if err := in.Err(); err != nil {
		return fmt.Errorf("list %q: %w", name, err)
	}
	return nil
}

// line reads one line's rule with its attributes.
func (r *listReader) line(rule string, attributes, wanted []string) error {
	for _, a := range attributes {
		if len(a) < 2 || a[0] != '@' && a[0] != '&' { // & names a list it belongs to as well
			return fmt.Errorf("%q: want an attribute", a)
		}
	}
	kind, value, typed := strings.Cut(rule, ":")
	if !typed {
		kind, value = "domain", rule
	}
	if kind == "include" {
		return r.read(value, attributes)
	}
	if !chosen(attributes, wanted) {
		return nil
	}
	if r.d.Len() >= maxListedNames {
		return fmt.Errorf("more than %d names", maxListedNames)
	}
	if kind != "regexp" {
		value = strings.ToLower(value)
	}
	switch kind {
	case "domain", "full":
		if !isHostname(value) {
			return fmt.Errorf("%q: not a host name", value)
		}
		into := r.d.exact
		if kind == "full" {
			into = r.d.full
		}
		if _, ok := into[value]; !ok {
			into[value] = r.app
			r.d.labels = max(r.d.labels, strings.Count(value, ".")+1)
		}
		return nil
	case "keyword":
		if len(value) < minKeyword {
			return fmt.Errorf("keyword %q: fewer than %d bytes", value, minKeyword)
		}
		return r.d.addPattern(pattern{keyword: value, app: r.app})
	case "regexp":
		if len(value) > maxExpression {
			return fmt.Errorf("regexp of %d bytes: more than %d", len(value), maxExpression)
		}
		e, err := regexp.Compile(value)
		if err != nil {
			return fmt.Errorf("regexp %q: %w", value, err)
		}
		return r.d.addPattern(pattern{expression: e, app: r.app})
	}
	return fmt.Errorf("%q: want domain, full, keyword, regexp or include", kind)
}

// addPattern adds p within the bounds.
func (d *Domains) addPattern(p pattern) error {
	keywords, expressions := 0, 0
	for _, have := range d.patterns {
		if have.expression != nil {
			expressions++
		} else {
			keywords++
		}
	}
	switch {
	case p.expression != nil && expressions >= maxExpressions:
		return fmt.Errorf("more than %d regexps", maxExpressions)
	case p.expression == nil && keywords >= maxKeywords:
		return fmt.Errorf("more than %d keywords", maxKeywords)
	}
	d.patterns = append(d.patterns, p)
	return nil
}

// findPattern matches the rules that are no domains, in their order.
func (d *Domains) findPattern(host string) *Application {
	if len(d.patterns) == 0 || !isHostname(host) {
		return nil
	}
	for i := range d.patterns {
		if p := &d.patterns[i]; p.matches(host) {
			return p.app
		}
	}
	return nil
}

// chosen reports whether a line's attributes are as wanted.
func chosen(attributes, wanted []string) bool {
	for _, w := range wanted {
		if w[0] != '@' {
			continue
		}
		name, not := strings.CutPrefix(w[1:], "-")
		has := false
		for _, a := range attributes {
			has = has || a == "@"+name
		}
		if has == not {
			return false
		}
	}
	return true
}

// isListName reports whether s can be a list's name.
func isListName(s string) bool {
	for _, part := range strings.Split(s, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	for _, c := range []byte(s) {
		if !isAlphanumeric(c) && c != '-' && c != '_' && c != '.' && c != '!' && c != '/' {
			return false
		}
	}
	return true
}
