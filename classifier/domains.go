// SPDX-License-Identifier: MIT

package classifier

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// ErrDomains is wrapped by every error of ParseDomains.
var ErrDomains = errors.New("domain table")

//go:embed domains.txt
var builtinDomains string

// Application is what a domain stands for.
type Application struct {
	Name     string // capitals, digits and underscores: "NETFLIX"
	Category string // one lower-case word: "streaming"
}

// Domains maps host names to applications. It is immutable and lookups may run
// concurrently.
type Domains struct {
	exact    map[string]*Application // by domain, for it and everything below it
	any      map[string]*Application // by the label in front of a country's or com's suffix
	full     map[string]*Application // by host name, for it alone
	labelled map[string][]labelled   // by domain in exact, for what is below labels that fit
	labels   int                     // most labels of a domain in exact
	// patterns are the rules of lists that are no domains; they come last.
	patterns []pattern
}

// labelled is an application by the label directly in front of a domain that
// belongs to another: the one that the label's owner is a customer of.
type labelled struct {
	before, after string // of the label, around a *
	application   *Application
}

// unnamed stands for a domain that is in the table for labels in front of it.
var unnamed = new(Application)

// aliases are where the names of customers of a network for content end, behind
// the name that the customer has shown to be his own.
var aliases = [...]string{".edgekey.net", ".edgesuite.net", ".globalredir.akadns.net", ".akadns.net", ".cdn.cloudflare.net"}

// maxAliases bounds the aliases of one name.
const maxAliases = 3

// BuiltinDomains returns the table that comes with the package.
func BuiltinDomains() *Domains {
	d, err := ParseDomains(strings.NewReader(builtinDomains))
	if err != nil {
		panic(err) // the text is part of the program and parsed by a test
	}
	return d
}

// ParseDomains reads a table. A line holds a domain, an application and a
// category, divided by blanks; # starts a comment. The domain stands for itself
// and everything below it; the longest one that fits a name wins. "name.*"
// stands for the label name directly in front of com or of any public suffix
// that ends in a country code, "part*part.domain" for what is below
// the labels that fit, and ".name" for a top-level domain that is
// all one owner's. Else a public suffix itself is refused, as it would claim what
// belongs to others. Errors name the line and wrap ErrDomains.
func ParseDomains(r io.Reader) (*Domains, error) { return ParseDomainLists(r, nil) }

// ParseDomainLists is ParseDomains for a table that may have "list:NAME" in the
// place of a domain: the list called NAME, of the form that v2fly's community
// keeps, stands for the application. Where several fit a name, full names come
// before domains, and domains before keywords and expressions.
func ParseDomainLists(r io.Reader, open Opener) (*Domains, error) {
	d := &Domains{exact: make(map[string]*Application), any: make(map[string]*Application), full: make(map[string]*Application), labelled: make(map[string][]labelled)}
	applications := make(map[string]*Application)
	in := bufio.NewScanner(r)
	for line := 1; in.Scan(); line++ {
		text, _, _ := strings.Cut(in.Text(), "#")
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		if len(words) != 3 {
			return nil, fmt.Errorf("%w: line %d: %q: want domain, application and category", ErrDomains, line, text)
		}
		app := &Application{words[1], words[2]}
		if known, ok := applications[app.Name]; ok {
			if known.Category != app.Category {
				return nil, fmt.Errorf("%w: line %d: application %q: category %q, but %q before", ErrDomains, line, app.Name, app.Category, known.Category)
			}
			app = known
		} else if !isUpperWord(app.Name) || !isLowerWord(app.Category) {
			return nil, fmt.Errorf("%w: line %d: %q: application wants capitals, category lower case", ErrDomains, line, text)
		}
		applications[app.Name] = app
		if list, ok := strings.CutPrefix(words[0], "list:"); ok {
			if err := d.addList(list, app, open); err != nil {
				return nil, fmt.Errorf("%w: line %d: %w", ErrDomains, line, err)
			}
			continue
		}
		if err := d.add(words[0], app); err != nil {
			return nil, fmt.Errorf("%w: line %d: domain %q: %w", ErrDomains, line, words[0], err)
		}
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDomains, err)
	}
	return d, nil
}

func (d *Domains) add(domain string, app *Application) error {
	into := d.exact
	if label, parent, ok := strings.Cut(domain, "."); ok && strings.Contains(label, "*") {
		return d.addLabelled(label, parent, app)
	}
	if top, ok := strings.CutPrefix(domain, "."); ok && !strings.Contains(top, ".") {
		domain = top
	} else if label, ok := strings.CutSuffix(domain, ".*"); ok {
		into, domain = d.any, label
		if strings.Contains(label, ".") {
			return errors.New("want one label before .*")
		}
	} else if !strings.Contains(domain, ".") {
		return errors.New("want two labels at least")
	}
	if !isHostname(domain) || strings.ToLower(domain) != domain {
		return errors.New("not a lower-case host name")
	}
	if suffix, icann := publicsuffix.PublicSuffix(domain); icann && suffix == domain && strings.Contains(domain, ".") {
		return errors.New("is a public suffix")
	}
	if app := into[domain]; app != nil && app != unnamed {
		return errors.New("is there twice")
	}
	into[domain] = app
	if n := strings.Count(domain, ".") + 1; n > d.labels {
		d.labels = n
	}
	return nil
}

func (d *Domains) addLabelled(label, parent string, app *Application) error {
	before, after, _ := strings.Cut(label, "*")
	switch {
	case !isHostname("a"+before+"a"+after+"a") || strings.ToLower(label) != label || before == "" && after == "":
		return errors.New("not a lower-case host name with one *")
	case !isHostname(parent) || !strings.Contains(parent, ".") || strings.ToLower(parent) != parent:
		return errors.New("not a lower-case host name behind the label")
	}
	if d.exact[parent] == nil { // found then, and nobody's itself
		d.exact[parent] = unnamed
		d.labels = max(d.labels, strings.Count(parent, ".")+1)
	}
	d.labelled[parent] = append(d.labelled[parent], labelled{before, after, app})
	return nil
}

// Len returns the number of domains and other rules in the table.
func (d *Domains) Len() int {
	n := len(d.exact) + len(d.any) + len(d.full) + len(d.patterns)
	for _, l := range d.labelled {
		n += len(l)
	}
	return n
}

// Lookup returns the application of a host name, which must be in lower case
// and without a dot at the end.
func (d *Domains) Lookup(host string) (Application, bool) {
	if app := d.find(host); app != nil {
		return *app, true
	}
	return Application{}, false
}

// find is Lookup without a copy.
func (d *Domains) find(host string) *Application {
	if app := d.full[host]; app != nil {
		return app
	}
	if name := withoutAliases(host); name != host {
		if app := d.findDomain(name); app != nil {
			return app
		}
	}
	if app := d.findDomain(host); app != nil {
		return app
	}
	return d.findPattern(host)
}

// withoutAliases takes the ends off host that networks for content have put
// behind a customer's name.
func withoutAliases(host string) string {
	for range maxAliases {
		was := len(host)
		for _, end := range aliases {
			if name, ok := strings.CutSuffix(host, end); ok && strings.Contains(name, ".") {
				host = name
				break
			}
		}
		if len(host) == was {
			break
		}
	}
	return host
}

// findDomain matches the domains that stand for what is below them.
func (d *Domains) findDomain(host string) *Application {
	if d.labels == 0 && len(d.any) == 0 {
		return nil
	}
	// No more of the last labels can match than the longest entry has.
	start := len(host)
	for range d.labels {
		if start = strings.LastIndexByte(host[:start], '.'); start < 0 {
			break
		}
	}
	for rest := host[start+1:]; ; {
		dot := strings.IndexByte(rest, '.')
		if app := d.exact[rest]; app != nil && (dot >= 0 || len(rest) < len(host)) {
			if app = d.findLabelled(host, rest, app); app != nil {
				return app
			} // else a shorter one may have it
		}
		if dot < 0 {
			return d.findAny(host)
		}
		rest = rest[dot+1:]
	}
}

// findLabelled returns the application of the label in front of a domain that is
// in the table, or the domain's own.
func (d *Domains) findLabelled(host, domain string, app *Application) *Application {
	all := d.labelled[domain]
	own := app
	if app == unnamed {
		own = nil
	}
	if len(all) == 0 || len(host) == len(domain) {
		return own
	}
	label := host[:len(host)-len(domain)-1]
	label = label[strings.LastIndexByte(label, '.')+1:]
	for _, l := range all {
		if len(label) >= len(l.before)+len(l.after) && strings.HasPrefix(label, l.before) && strings.HasSuffix(label, l.after) {
			return l.application
		}
	}
	return own
}

// findAny matches the entries that leave the suffix open.
func (d *Domains) findAny(host string) *Application {
	end := strings.LastIndexByte(host, '.')
	if end < 0 || len(host)-end-1 != 2 && host[end+1:] != "com" {
		return nil
	}
	for range 2 { // suffixes have one or two labels: "de", "co.uk"
		dot := strings.LastIndexByte(host[:end], '.')
		if app := d.any[host[dot+1:end]]; app != nil && isHostname(host) {
			if suffix, icann := publicsuffix.PublicSuffix(host); icann && suffix == host[end+1:] {
				return app
			}
		}
		if dot < 0 {
			return nil
		}
		end = dot
	}
	return nil
}

func isUpperWord(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return s != ""
}

func isLowerWord(s string) bool {
	for _, c := range []byte(s) {
		if c < 'a' || c > 'z' {
			return false
		}
	}
	return s != ""
}
