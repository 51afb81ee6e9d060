// SPDX-License-Identifier: MIT

package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"

	"nftdict/dict"
)

// look is a theme in use.
type look struct {
	pages     map[string]*template.Template
	texts     map[string]texts // by language
	languages []string         // offered, the first for who speaks none of them
	files     map[string][]byte
	style     string // its URL, which changes when it does
	logo      string // its URL, "" if there is none
}

// newLook makes a theme ready, and tries every page in every language. Languages are
// those that are offered; none: all.
func newLook(t Theme, offered []string) (*look, error) {
	l := &look{pages: make(map[string]*template.Template), files: make(map[string][]byte)}
	if err := l.readTexts(t); err != nil {
		return nil, err
	}
	if err := l.offer(offered); err != nil {
		return nil, err
	}
	if err := l.readPages(t); err != nil {
		return nil, err
	}
	for name, file := range t {
		if kind := name[strings.LastIndexByte(name, '.'):]; mediaTypes[kind] != "" {
			l.files[name] = file
		}
	}
	for _, name := range []string{styleSheet, icon} {
		file, err := t.file(name)
		if err != nil {
			return nil, err
		}
		l.files[name] = file
	}
	hash := sha256.Sum256(l.files[styleSheet])
	l.style = "/theme/" + styleSheet + "?v=" + hex.EncodeToString(hash[:6])
	for _, name := range logos {
		if _, ok := t[name]; ok && l.logo == "" {
			l.logo = "/theme/" + name
		}
	}
	return l, l.try()
}

// readTexts reads all languages.
func (l *look) readTexts(t Theme) error {
	names := make(map[string]bool)
	have, err := builtin.ReadDir("theme/texts")
	if err != nil {
		return err
	}
	for _, f := range have {
		names["texts/"+f.Name()] = true
	}
	for name := range t {
		if strings.HasPrefix(name, "texts/") {
			names[name] = true
		}
	}
	l.texts = make(map[string]texts)
	own, err := builtin.ReadFile("theme/texts/" + reference + ".toml")
	if err != nil {
		return err
	}
	like, err := readTexts(reference, own, nil)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		file, err := t.file(name)
		if err != nil {
			return err
		}
		code := strings.TrimSuffix(strings.TrimPrefix(name, "texts/"), ".toml")
		if l.texts[code], err = readTexts(name, file, like); err != nil {
			return err
		}
	}
	return nil
}

// offer says which languages there are to be.
func (l *look) offer(languages []string) error {
	if len(languages) == 0 {
		l.languages = slices.Sorted(maps.Keys(l.texts))
		first := slices.Index(l.languages, reference)
		l.languages = append([]string{reference}, slices.Delete(l.languages, first, first+1)...)
		return nil
	}
	for _, code := range languages {
		if l.texts[code] == nil {
			return fmt.Errorf("languages %s: %w: there are %s", dict.Quote(code), dict.ErrInvalid, strings.Join(slices.Sorted(maps.Keys(l.texts)), ", "))
		}
	}
	l.languages = slices.Clone(languages)
	return nil
}

// readPages reads the templates: each page with the base around it.
func (l *look) readPages(t Theme) error {
	for _, name := range pages {
		page := template.New(name).Option("missingkey=error")
		for _, part := range append(slices.Clone(parts), name) {
			file, err := t.file(part)
			if err != nil {
				return err
			}
			to := page
			if part != name {
				to = page.New(part)
			}
			if _, err := to.Parse(string(file)); err != nil {
				return shorten(err)
			}
		}
		l.pages[name] = page
	}
	return nil
}

// shorten leaves away what the packages of templates say before the file's name.
func shorten(err error) error {
	text := err.Error()
	for _, noise := range []string{"html/template:", "template: ", "template:"} {
		text = strings.TrimPrefix(text, noise)
	}
	return fmt.Errorf("%s", strings.TrimSpace(text))
}

// try shows every page to nobody, in every language: what has gone wrong in one of
// them, as all have the same texts.
func (l *look) try() error {
	for _, p := range samples() {
		for i, code := range slices.Sorted(maps.Keys(l.texts)) {
			if i > 0 && p.Problem != "" {
				break
			}
			p.Lang, p.texts = code, l.texts[code]
			l.dress(&p)
			if err := l.show(io.Discard, &p); err != nil {
				return err
			}
		}
	}
	return nil
}

// dress gives a page what every page has.
func (l *look) dress(p *Page) {
	p.Style, p.Logo = l.style, l.logo
	p.Languages = make([]Language, len(l.languages))
	for i, code := range l.languages {
		p.Languages[i] = Language{code, l.texts[code]["language"]}
	}
}

// show writes a page.
func (l *look) show(w io.Writer, p *Page) error {
	if err := l.pages[p.template].ExecuteTemplate(w, pageBase, p); err != nil {
		return shorten(err)
	}
	return nil
}
