// SPDX-License-Identifier: MIT

package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"nftdict/dictd/portal"
)

// Page is what a template knows.
type Page struct {
	Lang      string // of the page
	Languages []Language
	Path      string // of the page, for links to it in other languages
	Base      string // URL of the portal, without a slash at its end
	Style     string // URL of the stylesheet
	Logo      string // URL of the picture, "" if there is none
	Venue     string // what the place is called
	VenueURL  string
	Continue  string // where a page leads who is in, "" is nowhere
	Away      string // where a way in leads
	Token     string // of forms
	// Problem is what has gone wrong: a portal.Code, or one of the pages' own; "" is nothing.
	Problem string
	Tried   Tried
	Visitor portal.Visitor

	template string
	texts    texts
	now      time.Time
	after    time.Duration // when to try again
}

// Language is one that pages can be had in.
type Language struct{ Code, Name string }

// Tried is what somebody has given who was not let in; never a secret.
type Tried struct{ Way, Name string }

// Problems that are no portal.Code.
const (
	problemForm     = "form"
	problemNotFound = "not_found"
	problemFailed   = "failed"
)

// T returns a text in the page's language, with values for names that stand in
// braces in it: T "problem_too_fast" "seconds" "30".
func (p *Page) T(key string, pairs ...string) (string, error) { return p.texts.say(key, pairs...) }

// Why is the text about Problem.
func (p *Page) Why() (string, error) {
	if _, ok := p.texts["problem_"+p.Problem]; !ok {
		return p.T("problem_" + problemFailed)
	}
	seconds := max(1, (p.after+time.Second-1)/time.Second)
	return p.T("problem_"+p.Problem, "seconds", strconv.Itoa(int(seconds)))
}

// At is the way in that has gone wrong, of those that there are: the problem is told
// beside its fields. "" is none.
func (p *Page) At() string {
	if p.Problem == "" || !slices.Contains(p.Visitor.Ways, p.Tried.Way) {
		return ""
	}
	return p.Tried.Way
}

// User is who is in; "" for those who are nobody in particular.
func (p *Page) User() string {
	if p.Visitor.Way == portal.Click {
		return ""
	}
	return p.Visitor.User
}

// TimeLeft is until the session ends, "" if it does not.
func (p *Page) TimeLeft() string {
	if p.Visitor.Until.IsZero() {
		return ""
	}
	return period(p.Visitor.Until.Sub(p.now))
}

// IdleEnd is after how long without traffic the session ends, "" if it does not.
func (p *Page) IdleEnd() string {
	if p.Visitor.Idle <= 0 {
		return ""
	}
	return period(time.Duration(p.Visitor.Idle) * time.Second)
}

// VolumeLeft is what the device may still move, "" if there is no bound.
func (p *Page) VolumeLeft() string {
	if p.Visitor.BytesLeft == nil {
		return ""
	}
	left := max(*p.Visitor.BytesLeft, 0)
	for _, u := range []struct {
		name string
		size int64
	}{{"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}} {
		if left >= u.size {
			text := strconv.FormatFloat(float64(left/(u.size/10))/10, 'f', 1, 64) // never more than there is
			return strings.Replace(text, ".", p.texts["decimal"], 1) + "\u00a0" + u.name
		}
	}
	return strconv.FormatInt(left, 10) + "\u00a0B"
}

// period writes a time in units that are the same in all languages.
func period(d time.Duration) string {
	d = max(d, 0)
	days, hours, minutes := int(d/(24*time.Hour)), int(d/time.Hour)%24, int(d/time.Minute)%60
	switch {
	case days > 0:
		return fmt.Sprintf("%d\u00a0d %d\u00a0h", days, hours)
	case hours > 0:
		return fmt.Sprintf("%d\u00a0h %02d\u00a0min", hours, minutes)
	case minutes > 0:
		return fmt.Sprintf("%d\u00a0min", minutes)
	}
	return fmt.Sprintf("%d\u00a0s", int(d/time.Second))
}

// samples are pages with everything on them that a page may have, and with nothing.
func samples() []Page {
	left, now := int64(1_500_000), time.Unix(1_800_000_000, 0)
	ways := []string{portal.Click, portal.Account, portal.Voucher, portal.RADIUS, portal.OIDC}
	all := []Page{
		{template: pageEnter, Visitor: portal.Visitor{Ways: ways}},
		{template: pageEnter},
		{template: pageStatus, Continue: "https://example.org/", Visitor: portal.Visitor{
			In: true, User: "somebody", Way: portal.Account, Since: now, Until: now.Add(time.Hour), Idle: 60, BytesLeft: &left, CanExtend: true, Device: "02:00:00:00:00:01",
		}},
		{template: pageStatus, Visitor: portal.Visitor{In: true}},
		{template: pageStatus, Problem: string(portal.CodeCannotExtend), Visitor: portal.Visitor{In: true}},
		{template: pageLeft},
		{template: pageAway, Away: "https://example.org/"},
		{template: pageTerms},
	}
	for _, problem := range problems {
		all = append(all, Page{template: pageError, Problem: problem})
		for _, way := range ways {
			all = append(all, Page{template: pageEnter, Problem: problem, Tried: Tried{way, "somebody"}, Visitor: portal.Visitor{Ways: ways}})
		}
	}
	for i := range all {
		p := &all[i]
		p.now, p.Path, p.Base, p.Token = now, "/", "https://portal.example", "token"
		if i%2 == 0 {
			p.Venue, p.VenueURL = "Somewhere", "https://example.org/"
		}
	}
	return all
}

// problems are all that a page may tell of.
var problems = []string{
	string(portal.CodeWrong), string(portal.CodeExpired), string(portal.CodeRevoked), string(portal.CodeUsedUp),
	string(portal.CodeTooManyDevices), string(portal.CodeUnreachable), string(portal.CodeUnknownDevice), string(portal.CodeTooFast),
	string(portal.CodeNotIn), string(portal.CodeCannotExtend), string(portal.CodeRefused), string(portal.CodeNoWay),
	problemForm, problemNotFound, problemFailed,
}
