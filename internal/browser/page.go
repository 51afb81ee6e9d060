// SPDX-License-Identifier: MIT

package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// Patience is how long a Page waits for what a test names: long enough for a busy
// machine.
const Patience = 60 * time.Second

// View is how a page is looked at.
type View struct {
	Width, Height int // in pixels of CSS; 0 is 1440 by 900
	Dark          bool
	Phone         bool // touched, with the screen of a telephone
	NoScript      bool // without JavaScript
}

// Page is a window of a Browser. Its methods fail the test.
type Page struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex
	errors   []string
	expected []string // parts of errors that are none
}

// Page opens a window. It is closed with the test, and what its console has told of
// errors until then fails it (see Expect).
func (b *Browser) Page(t testing.TB, v View) *Page {
	t.Helper()
	ctx, end := chromedp.NewContext(b.ctx)
	p := &Page{t: t, ctx: ctx}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("chromium: page: %v", err)
	}
	listened := make(chan struct{})
	messages := chromedp.Console(ctx)
	go func() {
		defer close(listened)
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleException {
				p.mu.Lock()
				p.errors = append(p.errors, strings.TrimSpace(fmt.Sprintf("%s %s", m.Text, m.URL)))
				p.mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() {
		end()
		<-listened
		for _, text := range p.Errors() {
			if !slices.ContainsFunc(p.expected, func(part string) bool { return strings.Contains(text, part) }) {
				t.Errorf("console: %s", text)
			}
		}
	})
	p.Look(v)
	return p
}

// Look changes how the page is looked at.
func (p *Page) Look(v View) {
	p.t.Helper()
	if v.Width == 0 {
		v.Width, v.Height = 1440, 900
	}
	scheme := "light"
	if v.Dark {
		scheme = "dark"
	}
	size := []chromedp.EmulateViewportOption{}
	if v.Phone {
		size = append(size, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2))
	}
	p.Do("look", chromedp.EmulateViewport(int64(v.Width), int64(v.Height), size...),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			})
			if err == nil {
				_, err = cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: v.NoScript})
			}
			return err
		}))
}

// Expect has errors of the console that contain one of some texts not fail the test.
func (p *Page) Expect(parts ...string) { p.expected = append(p.expected, parts...) }

// Errors returns what the console has told of errors since the last call: a test that
// expects some takes them.
func (p *Page) Errors() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.errors
	p.errors = nil
	return all
}

// Go opens a URL, and returns when it has loaded.
func (p *Page) Go(url string) {
	p.t.Helper()
	p.Do("open "+url, chromedp.Navigate(url))
}

// Reload loads the page again.
func (p *Page) Reload() {
	p.t.Helper()
	p.Do("reload", chromedp.Reload())
}

// Wait waits until an element is to be seen.
func (p *Page) Wait(selector string) {
	p.t.Helper()
	p.Do("wait for "+selector, chromedp.WaitVisible(chromedp.CSS(selector)))
}

// Click clicks an element when it is to be seen.
func (p *Page) Click(selector string) {
	p.t.Helper()
	p.Do("click "+selector, chromedp.Click(chromedp.CSS(selector)))
}

// Type puts text in the place of a field's; of a page without JavaScript behind it.
func (p *Page) Type(selector, text string) {
	p.t.Helper()
	p.Wait(selector)
	quoted, _ := json.Marshal(selector) // a string: cannot fail
	ctx, cancel := context.WithTimeout(p.ctx, Patience)
	_, _ = chromedp.Run(ctx, chromedp.Evaluate[bool]("document.querySelector("+string(quoted)+").select(), true")) // where scripts run
	cancel()
	p.Do("type into "+selector, chromedp.SendKeys(chromedp.CSS(selector), text))
}

// Keys presses keys where the page has its focus; see chromedp/kb for those that are no
// text.
func (p *Page) Keys(keys string) {
	p.t.Helper()
	p.Do("press keys", chromedp.KeyEvent(keys))
}

// Text returns what is to be read in an element.
func (p *Page) Text(selector string) string {
	p.t.Helper()
	return run(p, "text of "+selector, chromedp.Text(chromedp.CSS(selector)))
}

// URL returns where the page is.
func (p *Page) URL() string {
	p.t.Helper()
	return run(p, "location", chromedp.Location())
}

// Until waits until an expression of JavaScript is true. It is asked again where the
// page changes meanwhile.
func (p *Page) Until(expression string) {
	p.t.Helper()
	deadline := time.Now().Add(Patience)
	for {
		ctx, cancel := context.WithDeadline(p.ctx, deadline)
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		cancel()
		if ok && err == nil {
			return
		}
		if time.Now().After(deadline) {
			p.fail("wait until "+expression, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Eval evaluates an expression of JavaScript, waits for it if it is a promise, and reads
// its value into v, which may be nil.
func (p *Page) Eval(expression string, v any) {
	p.t.Helper()
	text := run(p, "evaluate "+expression, chromedp.Evaluate[string](
		"(async () => { const v = await ("+expression+"); return JSON.stringify(v === undefined ? null : v) })()", chromedp.EvalAwaitPromise))
	if v == nil {
		return
	}
	if err := json.Unmarshal([]byte(text), v); err != nil {
		p.t.Fatalf("%s = %s: %v", expression, text, err)
	}
}

// Do runs actions of chromedp's own; what says what they do, for who reads that they
// failed.
func (p *Page) Do(what string, actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	run(p, what, chromedp.Steps(actions...))
}

// run runs an action, within Patience.
func run[T any](p *Page, what string, a chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, Patience)
	defer cancel()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		p.fail(what, err)
	}
	return v
}

// fail ends the test, and keeps how the page looks.
func (p *Page) fail(what string, err error) {
	p.t.Helper()
	at, file := "", ""
	ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
	defer cancel()
	if at, _ = chromedp.Run(ctx, chromedp.Location()); at != "" {
		if picture, failed := chromedp.Run(ctx, chromedp.CaptureScreenshot()); failed == nil {
			file = keep(p.t, "failed-"+p.t.Name(), picture)
		}
	}
	p.t.Fatalf("%s: %v (at %s; see %s; console: %q)", what, err, at, file, p.Errors())
}
