// SPDX-License-Identifier: MIT

package web

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/net/html"

	"nftdict/dictd/portal"
)

// TestPages reads every page in every language as a reader of pages does.
func TestPages(t *testing.T) {
	l, err := newLook(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"en", "de", "es", "fr"}; !slices.Equal(l.languages, want) {
		t.Errorf("languages %v, want %v", l.languages, want)
	}
	largest := 0
	for i, p := range samples() {
		for _, lang := range l.languages {
			p.Lang, p.texts = lang, l.texts[lang]
			l.dress(&p)
			var page bytes.Buffer
			if err := l.show(&page, &p); err != nil {
				t.Fatalf("%s in %s: %v", p.template, lang, err)
			}
			largest = max(largest, page.Len())
			name := fmt.Sprintf("%s %d %s", p.template, i, lang)
			accessible(t, name, page.Bytes(), lang)
			if strings.Contains(page.String(), "{") {
				t.Errorf("%s: something was not filled in:\n%s", name, &page)
			}
		}
	}
	whole := largest + len(l.files[styleSheet]) + len(l.files[icon])
	t.Logf("the largest page has %d bytes, its stylesheet %d", largest, len(l.files[styleSheet]))
	if whole >= 50_000 {
		t.Errorf("a page with all that belongs to it has %d bytes", whole)
	}
}

// accessible checks what a page needs for those who do not see it.
func accessible(t *testing.T, name string, page []byte, lang string) {
	t.Helper()
	doc, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	ids, labels, refers := map[string]int{}, map[string]bool{}, map[string]bool{}
	count := map[string]int{}
	var level int
	var inputs []string
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode {
			a := map[string]string{}
			for _, x := range n.Attr {
				a[x.Key] = x.Val
				if strings.HasPrefix(x.Key, "on") || x.Key == "style" {
					t.Errorf("%s: %s has %s, which the policy forbids", name, n.Data, x.Key)
				}
			}
			count[n.Data]++
			if id := a["id"]; id != "" {
				ids[id]++
			}
			for _, key := range []string{"aria-labelledby", "aria-describedby"} {
				if a[key] != "" {
					refers[a[key]] = true
				}
			}
			switch n.Data {
			case "html":
				if a["lang"] != lang || a["dir"] == "" {
					t.Errorf("%s: html lang %q dir %q", name, a["lang"], a["dir"])
				}
			case "h1", "h2", "h3":
				l := int(n.Data[1] - '0')
				if l > level+1 {
					t.Errorf("%s: %s after h%d", name, n.Data, level)
				}
				level = l
			case "label":
				labels[a["for"]] = true
			case "input":
				if a["type"] != "hidden" {
					inputs = append(inputs, a["id"])
					if a["autocomplete"] == "" {
						t.Errorf("%s: input %s says nothing of autocompletion", name, a["id"])
					}
				}
			case "img":
				if _, ok := a["alt"]; !ok {
					t.Errorf("%s: img without alt", name)
				}
			case "script", "iframe", "style":
				t.Errorf("%s: %s", name, n.Data)
			case "form":
				if a["method"] != "post" || !strings.HasPrefix(a["action"], "/") {
					t.Errorf("%s: form %v", name, a)
				}
			case "a", "button", "title", "h":
				if text(n) == "" {
					t.Errorf("%s: %s without a text", name, n.Data)
				}
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(doc)
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%s: id %s is there %d times", name, id, n)
		}
	}
	for _, id := range inputs {
		if id == "" || !labels[id] {
			t.Errorf("%s: input %q without a label", name, id)
		}
	}
	for id := range refers {
		if ids[id] == 0 {
			t.Errorf("%s: %q is referred to, and not there", name, id)
		}
	}
	for _, one := range []string{"h1", "main", "header", "footer", "title"} {
		if count[one] != 1 {
			t.Errorf("%s: %d of %s", name, count[one], one)
		}
	}
}

// text is what is written in an element.
func text(n *html.Node) string {
	if n.Type == html.TextNode {
		return strings.TrimSpace(n.Data)
	}
	all := ""
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		all += text(c)
	}
	return all
}

// TestContrast measures the stylesheet's colours, light and dark: 4.5 for text, 3
// for the edges of fields (WCAG 2, AA).
func TestContrast(t *testing.T) {
	file, err := builtin.ReadFile("theme/" + styleSheet)
	if err != nil {
		t.Fatal(err)
	}
	colours := regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(string(file), -1)
	if len(colours) != 18 {
		t.Fatalf("%d colours", len(colours))
	}
	for i, scheme := range []string{"light", "dark"} {
		of := map[string]float64{}
		for _, c := range colours[9*i : 9*i+9] {
			of[c[1]] = luminance(t, c[2])
		}
		for _, pair := range []struct {
			front, back string
			least       float64
		}{
			{"text", "back", 4.5}, {"text", "card", 4.5}, {"soft", "back", 4.5}, {"soft", "card", 4.5}, {"main", "back", 4.5}, {"main", "card", 4.5},
			{"on-main", "main", 4.5}, {"bad", "bad-back", 4.5}, {"line", "card", 3},
		} {
			a, b := of[pair.front], of[pair.back]
			if ratio := (max(a, b) + .05) / (min(a, b) + .05); ratio < pair.least {
				t.Errorf("%s: %s on %s: %.2f, want %.1f", scheme, pair.front, pair.back, ratio, pair.least)
			}
		}
	}
}

// luminance of a colour, as WCAG has it.
func luminance(t *testing.T, hex string) (sum float64) {
	t.Helper()
	for i, weight := range []float64{.2126, .7152, .0722} {
		v, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(v) / 255
		if c <= .04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

// TestTexts compares the languages: every problem has a text, names in braces are
// the same, and nothing was left in English.
func TestTexts(t *testing.T) {
	l, err := newLook(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	braces := regexp.MustCompile(`\{[a-z]+\}`)
	for lang, have := range l.texts {
		for _, p := range problems {
			if have["problem_"+p] == "" {
				t.Errorf("%s: no text about %s", lang, p)
			}
		}
		for key, text := range l.texts[reference] {
			if want, got := braces.FindAllString(text, -1), braces.FindAllString(have[key], -1); !slices.Equal(want, got) {
				t.Errorf("%s: %s has %v, not %v", lang, key, got, want)
			}
			if lang != reference && strings.Contains(text, " ") && have[key] == text {
				t.Errorf("%s: %s is English", lang, key)
			}
		}
	}
}

// TestValues writes what is left.
func TestValues(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0\u00a0s", 59 * time.Second: "59\u00a0s", time.Minute: "1\u00a0min",
		2*time.Hour + 5*time.Minute: "2\u00a0h 05\u00a0min", 76*time.Hour + time.Minute: "3\u00a0d 4\u00a0h",
	} {
		if got := period(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	for left, want := range map[int64]string{-5: "0\u00a0B", 999: "999\u00a0B", 1999: "1,9\u00a0kB", 20_000_000: "20,0\u00a0MB", 1_960_000_000: "1,9\u00a0GB"} {
		p := Page{Visitor: portal.Visitor{BytesLeft: &left}, texts: texts{"decimal": ","}}
		if got := p.VolumeLeft(); got != want {
			t.Errorf("%d: %q, want %q", left, got, want)
		}
	}
}

// TestLanguage chooses by a link, a cookie and the browser, in this order.
func TestLanguage(t *testing.T) {
	r := newRig(t, settings())
	for _, tt := range []struct{ query, cookie, accept, want string }{
		{"", "", "", "en"},
		{"", "", "de-AT,en;q=0.7", "de"},
		{"", "", "nl, fr;q=0.5, es;q=0.8", "es"},
		{"", "", "de;q=0, fr;q=0.1", "fr"},
		{"", "", "de;q=nonsense,fr", "fr"},
		{"", "", strings.Repeat("x", 300) + ",de", "en"},
		{"", "__Host-dictd-portal-language=fr", "de", "fr"},
		{"?lang=es", "__Host-dictd-portal-language=fr", "de", "es"},
		{"?lang=%22%3E%3Cscript%3E", "", "de", "de"},
	} {
		w := r.do(visit{url: base + "/" + tt.query, header: http.Header{"Cookie": {tt.cookie}, "Accept-Language": {tt.accept}}})
		if got := w.Header().Get("Content-Language"); got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
		if set := strings.Contains(fmt.Sprint(w.Header()["Set-Cookie"]), "__Host-dictd-portal-language="+tt.want); set != (tt.query == "?lang=es") {
			t.Errorf("%+v: cookie set: %v", tt, set)
		}
	}
}

// TestTheme replaces a template, a text and the picture, and adds a language.
func TestTheme(t *testing.T) {
	folder := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		name = filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	english, err := builtin.ReadFile("theme/texts/en.toml")
	if err != nil {
		t.Fatal(err)
	}
	put("terms.html", "{{define \"title\"}}House rules{{end}}{{define \"main\"}}<p>No smoking, {{.Venue}}.</p>{{end}}")
	put("logo.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>")
	put("style.css", "body { color: red }")
	put("texts/nl.toml", strings.Replace(string(english), "language = \"English\"", "language = \"Nederlands\"", 1))
	put("README.md", "not of the theme")
	put(".git", "neither")
	set := settings()
	if set.Theme, err = LoadTheme(folder); err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(set.Theme)); !slices.Equal(got, []string{"logo.svg", "style.css", "terms.html", "texts/nl.toml"}) {
		t.Errorf("files %v", got)
	}
	set.Languages = []string{"nl", "de"}
	r := newRig(t, set)
	page := r.do(visit{url: base + "/terms"}).Body.String()
	for _, want := range []string{"<h1>House rules</h1>", "No smoking, Café &lt;Zentral&gt;.", `<html lang="nl"`, "/theme/logo.svg", "Deutsch"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
	if strings.Contains(page, "English") {
		t.Error("a language that is not offered")
	}
	if w := r.do(visit{url: base + "/theme/logo.svg"}); w.Header().Get("Content-Type") != "image/svg+xml" || w.Header().Get("Content-Security-Policy") != policy {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := r.do(visit{url: base + "/theme/style.css"}); w.Body.String() != "body { color: red }" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, name := range []string{"terms.html", "texts%2Fnl.toml", "..%2Fstyle.css", "none.png"} {
		if w := r.do(visit{url: base + "/theme/" + name}); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}

// TestExample is the theme that the documents show.
func TestExample(t *testing.T) {
	set := settings()
	var err error
	if set.Theme, err = LoadTheme("../../../docs/examples/portal-theme"); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, set)
	for lang, want := range map[string]string{"de": "leise", "fr": "quiet"} {
		page := r.do(visit{url: base + "/terms?lang=" + lang}).Body.Bytes()
		if !bytes.Contains(page, []byte(want)) || !bytes.Contains(page, []byte("/theme/logo.svg")) {
			t.Errorf("%s:\n%s", lang, page)
		}
		accessible(t, "terms in "+lang, page, lang)
	}
}

// TestBrokenThemes are refused by file and line.
func TestBrokenThemes(t *testing.T) {
	long := strings.Repeat("x", maxThemeFile+1)
	for _, tt := range []struct{ file, text, want string }{
		{"status.html", "{{define \"title\"}}{{end}}\n{{define \"main\"}}\n{{.Nothing}}{{end}}", "status.html:3:"},
		{"status.html", "{{define \"title\"}}{{end}}\n{{define \"main\"}}{{if}}{{end}}", "status.html:2:"},
		{"status.html", "{{define \"title\"}}{{end}}{{define \"main\"}}\n\n<a href=\"{{if .Problem}}\"{{end}}>{{end}}", "status.html:3:"},
		{"status.html", "{{define \"title\"}}{{end}}{{define \"main\"}}\n{{.T \"nothing\"}}{{end}}", "status.html:2:"},
		{"enter.html", "{{define \"title\"}}{{end}}", "main"},
		{"base.html", "{{template \"main\" .}}{{.texts}}", "base.html:1:"},
		{"texts/it.toml", "dir = \"ltr\"\nlanguage = ", "texts/it.toml:2:"},
		{"texts/de.toml", "# nothing\n\nnothing = \"x\"", "texts/de.toml:3: nothing"},
		{"texts/de.toml", "dir = \"ltr\"", "missing"},
		{"welcome.html", "", "welcome.html: not a part"},
		{"page.js", "", "page.js: not a part"},
		{"images/a.png", "", "one folder"},
		{"a.png", long, "too large"},
	} {
		theme, err := readTheme(fstest.MapFS{tt.file: {Data: []byte(tt.text)}})
		if err == nil {
			_, err = newLook(theme, nil)
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %.60q: %v, want %q", tt.file, tt.text, err, tt.want)
		}
	}
	many := fstest.MapFS{}
	for i := range maxThemeFiles + 1 {
		many[fmt.Sprintf("%d.png", i)] = &fstest.MapFile{}
	}
	if _, err := readTheme(many); err == nil {
		t.Error("too many files")
	}
	folder := t.TempDir()
	if err := os.Symlink("/etc/hostname", filepath.Join(folder, "logo.png")); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadTheme(folder); err == nil {
		t.Error("a link that leads out")
	}
	if _, err := LoadTheme(filepath.Join(folder, "none")); err == nil {
		t.Error("no folder")
	}
}

// TestSettings refuses what cannot work.
func TestSettings(t *testing.T) {
	for _, tt := range []struct {
		change func(*Settings)
		want   string
	}{
		{func(s *Settings) { s.Name = "portal.example:8443" }, "name"},
		{func(s *Settings) { s.Name = "a/b" }, "name"},
		{func(s *Settings) { s.Name = "-a" }, "name"},
		{func(s *Settings) { s.Name = "fe80::1%eth0" }, "name"},
		{func(s *Settings) { s.VenueURL = "http://venue.example/" }, "venue_url"},
		{func(s *Settings) { s.Continue = "javascript:alert(1)" }, "continue_url"},
		{func(s *Settings) { s.Continue = "//evil.example" }, "continue_url"},
		{func(s *Settings) { s.Continue = "https://a@evil.example/" }, "continue_url"},
		{func(s *Settings) { s.HTTP = 0 }, "http"},
		{func(s *Settings) { s.Languages = []string{"de", "tlh"} }, "languages"},
	} {
		set := settings()
		tt.change(&set)
		if _, err := New(set, nil, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v", set, err)
		}
	}
	for _, name := range []string{"", "portal.example", "PORTAL", "192.0.2.1", "2001:db8::1", "xn--caf-dma.example"} {
		set := settings()
		set.Name = name
		if err := set.Check(); err != nil {
			t.Error(err)
		}
	}
}
