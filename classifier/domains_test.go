// SPDX-License-Identifier: MIT

package classifier

import (
	"errors"
	"strings"
	"testing"
)

func TestBuiltinDomains(t *testing.T) {
	d := BuiltinDomains()
	names := make(map[string]bool)
	for _, table := range []map[string]*Application{d.exact, d.any} {
		for _, app := range table {
			names[app.Name] = true
		}
	}
	if len(names) < 110 {
		t.Errorf("%d applications", len(names))
	}
	tests := []struct{ host, want string }{
		{"netflix.com", "NETFLIX"},
		{"www.netflix.com", "NETFLIX"},
		{"a.b.c.d.e.f.www.netflix.com", "NETFLIX"},
		{"notnetflix.com", ""},
		{"netflix.com.example.org", ""},
		{"com", ""},
		{"", ""},
		{".", ""},
		{"mail.google.com", "GMAIL"},
		{"www.google.com", "GOOGLE"},
		{"www.google.co.uk", "GOOGLE"},
		{"google.de", "GOOGLE"},
		{"www.google.com.br", "GOOGLE"},
		{"google.example.com", ""},
		{"google.github.io", ""},
		{"google.blogspot.de", ""},
		{"google.zip", ""},
		{"google", ""},
		{"rr3---sn-abc.googlevideo.com", "YOUTUBE"},
		{"youtubei.googleapis.com", "YOUTUBE"},
		{"fonts.googleapis.com", "GOOGLESERVICES"},
		{"scontent.xx.fbcdn.net", "FACEBOOK"},
		{"scontent.cdninstagram.com", "INSTAGRAM"},
		{"mmg.whatsapp.net", "WHATSAPP"},
		{"www.amazon.co.jp", "AMAZON"},
		{"amazon.de", "AMAZON"},
		{"s3.eu-west-1.amazonaws.com", "AMAZONAWS"},
		{"teams.microsoft.com", "TEAMS"},
		{"api.openai.com", "CHATGPT"},
		{"turn.facebook", "FACEBOOK"},
		{"facebook", ""},
		{"dns.google", "DOH_DOT"},
		{"steamcdn-a.akamaihd.net", "STEAM"},
		{"a.steamcdn-a.akamaihd.net", "STEAM"},
		{"example-a.akamaihd.net", ""},
		{"akamaihd.net", ""},
		{"p31-buy.itunes.apple.com", "APPLESTORE"},
		{"play.itunes.apple.com", "APPLEITUNES"},
		{"captive.apple.com.edgekey.net", "APPLE"},
		{"www.netflix.com.edgekey.net.globalredir.akadns.net", "NETFLIX"},
		{"netflix.com.example.edgekey.net", ""},
		{"com.edgekey.net", ""},
	}
	for _, tt := range tests {
		if app, ok := d.Lookup(tt.host); app.Name != tt.want || ok != (tt.want != "") {
			t.Errorf("%q: %q, want %q", tt.host, app.Name, tt.want)
		}
	}
}

func TestParseDomains(t *testing.T) {
	d, err := ParseDomains(strings.NewReader("# comment\n\nexample.org EXAMPLE test # more\nwww.example.org WWW web\nshop.* SHOP test\na-*-z.example.org LABEL test\nb*.other.org LABEL test\n.brand BRAND test\nc*.cdn.example.org LABEL test\nd*.shop.uk LABEL test\n"))
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]string{"a.example.org": "EXAMPLE", "www.example.org": "WWW", "shop.fr": "SHOP", "shop.com": "SHOP", "shop.org": "",
		"a-1-z.example.org": "LABEL", "x.a-1-z.example.org": "LABEL", "a-z.example.org": "EXAMPLE", "a-1-z.www.example.org": "WWW",
		"b1.other.org": "LABEL", "a1.other.org": "", "other.org": "", "x.brand": "BRAND", "brand": "",
		"c1.cdn.example.org": "LABEL", "a1.cdn.example.org": "EXAMPLE", "cdn.example.org": "EXAMPLE", "d1.shop.uk": "LABEL", "shop.uk": "SHOP", "a1.shop.uk": "SHOP",
	} {
		if app, _ := d.Lookup(host); app.Name != want {
			t.Errorf("%q: %q, want %q", host, app.Name, want)
		}
	}
	if d.Len() != 11 { // three of them for the labels in front of them alone
		t.Errorf("%d domains, want 11", d.Len())
	}
	for name, tt := range map[string]struct{ in, want string }{
		"fields":           {"a.example A test\nexample.org EXAMPLE\n", `line 2: "example.org EXAMPLE": want domain`},
		"capitals":         {"example.org Example test", "application wants capitals"},
		"category":         {"example.org EXAMPLE Test", "category lower case"},
		"two categories":   {"a.example A test\nb.example A web", `line 2: application "A": category "web", but "test" before`},
		"twice":            {"a.example A test\na.example B web", `line 2: domain "a.example": is there twice`},
		"public suffix":    {"co.uk A test", "is a public suffix"},
		"one label":        {"com A test", "two labels"},
		"upper case":       {"Example.org A test", "not a lower-case host name"},
		"not a name":       {"exa~mple.org A test", "not a lower-case host name"},
		"dots before .*":   {"a.b.* A test", "one label"},
		"bare *":           {"*.example.org A test", "one *"},
		"two *":            {"a*b*.example.org A test", "one *"},
		"* before nothing": {"a*.example A test", "behind the label"},
		"very long lines":  {strings.Repeat("a", 1<<20), "too long"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseDomains(strings.NewReader(tt.in))
			if !errors.Is(err, ErrDomains) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestDomainsDoNotAllocate(t *testing.T) {
	d := BuiltinDomains()
	for _, host := range []string{"www.netflix.com", "a.b.c.d.example.org"} {
		if n := testing.AllocsPerRun(100, func() { d.Lookup(host) }); n != 0 {
			t.Errorf("%q: %v allocations, want 0", host, n)
		}
	}
}

func FuzzParseDomains(f *testing.F) {
	f.Add("netflix.com NETFLIX streaming\ngoogle.* GOOGLE search\n", "www.google.co.uk")
	f.Add("# nothing\n", "a.example")
	f.Add("a*.example.org A test\n.brand B test\nx.brand C test\n", "a1.example.org")
	f.Fuzz(func(t *testing.T, table, host string) {
		d, err := ParseDomains(strings.NewReader(table))
		if err != nil {
			return
		}
		app, ok := d.Lookup(host)
		if ok && (!isUpperWord(app.Name) || !isLowerWord(app.Category)) {
			t.Fatalf("application %+v", app)
		}
		// A name below one that is known is known, too.
		if _, below := d.Lookup("x." + host); ok && len(host) > 0 && host[0] != '.' && !below && isHostname(host) {
			t.Fatalf("%q is known, a name below is not", host)
		}
	})
}

func FuzzHost(f *testing.F) {
	for _, s := range []string{"www.Example.org.", "192.0.2.1", "[2001:db8::1]", "a..b", "a b", "fe80::1%eth0"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		name, address, ok := cleanHost(b)
		if !ok {
			return
		}
		if len(name) > maxHostname || !isPrintable([]byte(name)) || strings.ToLower(name) != name {
			t.Fatalf("name %q", name)
		}
		again, same, ok := cleanHost([]byte(name))
		if !ok || again != name || same != address {
			t.Fatalf("%q becomes %q", name, again)
		}
	})
}

func BenchmarkDomains(b *testing.B) {
	d := BuiltinDomains()
	for name, host := range map[string]string{
		"hit": "www.netflix.com", "deep": "ipv4-c001-fra001-ix.1.oca.nflxvideo.net", "suffix": "www.google.co.uk", "miss": "www.some-host.example.org",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d.Lookup(host)
			}
		})
	}
}
