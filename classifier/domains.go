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
	exact  map[string]*Application // by domain, for it and everything below it
	any    map[string]*Application // by the label in front of a country's or com's suffix
	full   map[string]*Application // by host name, for it alone
	labels int                     // most labels of a domain in exact
	// patterns are the rules of lists that are no domains; they come last.
	patterns []pattern
}

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
// that ends in a country code. A public suffix itself is refused, as it would
// claim what belongs to others. Errors name the line and wrap ErrDomains.
func ParseDomains(r io.Reader) (*Domains, error) { return ParseDomainLists(r, nil) }

// ParseDomainLists is ParseDomains for a table that may have "list:NAME" in the
// place of a domain: the list called NAME, of the form that v2fly's community
// keeps, stands for the application. Where several fit a name, full names come
// before domains, and domains before keywords and expressions.
func ParseDomainLists(r io.Reader, open Opener) (*Domains, error) {
	d := &Domains{exact: make(map[string]*Application), any: make(map[string]*Application), full: make(map[string]*Application)}
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
	if label, ok := strings.CutSuffix(domain, ".*"); ok {
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
	if _, ok := into[domain]; ok {
		return errors.New("is there twice")
	}
	into[domain] = app
	if n := strings.Count(domain, ".") + 1; n > d.labels {
		d.labels = n
	}
	return nil
}

// Len returns the number of domains and other rules in the table.
func (d *Domains) Len() int { return len(d.exact) + len(d.any) + len(d.full) + len(d.patterns) }

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
	if app := d.findDomain(host); app != nil {
		return app
	}
	return d.findPattern(host)
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
		if app := d.exact[rest]; app != nil {
			return app
		}
		dot := strings.IndexByte(rest, '.')
		if dot < 0 {
			return d.findAny(host)
		}
		rest = rest[dot+1:]
	}
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
