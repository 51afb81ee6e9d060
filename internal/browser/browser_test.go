// SPDX-License-Identifier: MIT

package browser

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

const page = `<!doctype html><meta charset=utf-8><meta name=viewport content="width=device-width"><title>a page</title><link rel=icon href=data:,>
<style>body { background: white } @media (prefers-color-scheme: dark) { body { background: black } }</style>
<form method=post action=/said><input id=in name=in><button id=go>go</button></form>
<p id=late hidden>late</p><noscript><p id=bare>without</p></noscript>
<script>setTimeout(() => { document.getElementById('late').hidden = false }, 50)</script>`

func serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if r.Method == http.MethodPost {
		fmt.Fprintf(w, "<!doctype html><p id=said>%s</p><p id=language>%s</p>", r.FormValue("in"), r.Header.Get("Accept-Language"))
		return
	}
	fmt.Fprint(w, page)
}

func TestPage(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(serve))
	defer srv.Close()
	b := Start(t, Options{Languages: "de,en"})
	p := b.Page(t, View{Width: 360, Height: 640, Dark: true, Phone: true})
	p.Go(srv.URL)
	p.Wait("#late")
	p.Until(`document.getElementById("late").textContent === "late"`)
	var look struct {
		Width      int
		Background string
	}
	p.Eval(`({Width: innerWidth, Background: getComputedStyle(document.body).backgroundColor})`, &look)
	if look.Width != 360 || look.Background != "rgb(0, 0, 0)" {
		t.Errorf("looked at as %+v", look)
	}
	p.Type("#in", "other words")
	p.Type("#in", "words") // in their place
	if path := p.Shot("browser/page"); !isPNG(path) {
		t.Errorf("no picture in %s", path)
	}
	p.Click("#go")
	p.Wait("#said")
	if said, language := p.Text("#said"), p.Text("#language"); said != "words" || !strings.HasPrefix(language, "de") || p.URL() != srv.URL+"/said" {
		t.Errorf("said %q in %q at %s", said, language, p.URL())
	}
	p.Eval(`console.error("wrong"), undefined`, nil)
	p.Until("true") // the console's message is before its answer
	if all := p.Errors(); len(all) == 0 || !strings.Contains(all[0], "wrong") {
		t.Errorf("the console told %q", all)
	}

	bare := b.Page(t, View{NoScript: true})
	bare.Go(srv.URL)
	bare.Wait("#bare")
	bare.Type("#in", "unscripted")
	bare.Click("#go")
	bare.Wait("#said")
	if said := bare.Text("#said"); said != "unscripted" {
		t.Errorf("without a script: said %q", said)
	}
}

func isPNG(path string) bool {
	b, err := os.ReadFile(path)
	return err == nil && strings.HasPrefix(string(b), "\x89PNG")
}

// In a lab: its names, its certificates, its network.
func TestPageInNamespace(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	authority, _ := pem.Decode(l.Authority.PEM())
	cert, err := x509.ParseCertificate(authority.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	b := Start(t, Options{NetNS: l.Client.Path(), Trust: []*x509.Certificate{cert}})
	p := b.Page(t, View{})
	p.Go("https://" + l.Sites[0].Name + "/")
	var secure bool
	p.Eval("isSecureContext", &secure)
	if !secure || p.URL() != "https://"+l.Sites[0].Name+"/" {
		t.Errorf("at %s, secure: %v", p.URL(), secure)
	}
	p.Expect("favicon.ico") // it has none
}
