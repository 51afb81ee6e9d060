// SPDX-License-Identifier: MIT

package web

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"nftdict/dictd/portal"
	"nftdict/internal/browser"
)

// TestBrowser looks at the pages in a real browser without scripts: on the narrowest
// telephone nothing sticks out, what is to be touched is large enough, dark is dark,
// the policy lets the style through, and the way in works by the keyboard alone.
func TestBrowser(t *testing.T) {
	set := settings()
	set.HTTPS, set.Name = 0, ""
	set.Languages = []string{"de", "en", "fr", "es"} // the longest words first
	set.Continue = "https://venue.example/"
	r := newRig(t, set)
	plain, _ := r.serve(t)
	site := "http://" + plain
	b := browser.Start(t, browser.Options{Languages: "de"})
	for name, view := range map[string]browser.View{
		"narrow": {Width: 320, Height: 640, Phone: true}, "dark": {Width: 390, Height: 800, Phone: true, Dark: true}, "wide": {Width: 1440, Height: 900},
	} {
		left := int64(123_456_789)
		in := portal.Visitor{In: true, User: "a.rather.long.name@organisation.example", Way: portal.OIDC, Until: time.Now().Add(25 * time.Hour), BytesLeft: &left, CanExtend: true, Device: "02:00:00:00:00:01", Idle: 600, Ways: everyWay}
		p := b.Page(t, view)
		for path, v := range map[string]portal.Visitor{"/": {Ways: everyWay}, "/status": in, "/terms": {}, "/goodbye": {}} {
			r.desk.mu.Lock()
			r.desk.visitor = v
			r.desk.mu.Unlock()
			p.Go(site + path)
			p.Wait("h1")
			page := fmt.Sprintf("%s %s", name, path)
			var out int
			if p.Eval("document.documentElement.scrollWidth - innerWidth", &out); out > 0 {
				t.Errorf("%s: %d pixels stick out", page, out)
			}
			var sizes []float64
			p.Eval("[...document.querySelectorAll('button, .button, input:not([type=hidden])')].map(e => e.getBoundingClientRect().height)", &sizes)
			if len(sizes) > 0 && slices.Min(sizes) < 44 {
				t.Errorf("%s: heights %v", page, sizes)
			}
			var back string
			if p.Eval("getComputedStyle(document.body).backgroundColor", &back); (back == "rgb(20, 23, 27)") != view.Dark {
				t.Errorf("%s: the background is %s", page, back)
			}
			p.Whole("portal-" + name + map[string]string{"/": "-enter", "/status": "-status", "/terms": "-terms", "/goodbye": "-left"}[path])
		}
	}
	// A form of a real browser's is the portal's own.
	r.desk.mu.Lock()
	r.desk.visitor, r.desk.asked = portal.Visitor{Ways: everyWay}, nil
	r.desk.mu.Unlock()
	p := b.Page(t, browser.View{NoScript: true})
	p.Go(site + "/")
	p.Type("#name-account", "anna")
	p.Type("#secret-account", "secret")
	r.desk.mu.Lock()
	r.desk.visitor = portal.Visitor{In: true, User: "anna", Way: portal.Account}
	r.desk.mu.Unlock()
	p.Keys("\r")
	p.Wait("dl")
	if got := r.desk.changes(); !slices.Equal(got, []string{"enter"}) || p.URL() != site+"/status" {
		t.Errorf("%v, at %s", got, p.URL())
	}
}
