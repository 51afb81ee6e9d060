// SPDX-License-Identifier: MIT

package desk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"unicode"
	"unicode/utf8"

	"nftdict/dictd/portal"
)

// maxMessage is how long a message may be, in bytes.
const maxMessage = 32 << 10

// verb is a method of portal.Desk.
type verb string

const (
	visitor verb = "visitor"
	enter   verb = "enter"
	leave   verb = "leave"
	extend  verb = "extend"
	begin   verb = "begin"
	finish  verb = "finish"
)

// slow reports whether others may have to be asked, or a password to be hashed.
func (v verb) slow() bool { return v == enter || v == begin || v == finish }

// question is what is asked.
type question struct {
	ID          uint64              `json:"id"`
	Verb        verb                `json:"verb"`
	From        portal.From         `json:"from"`
	Credentials *portal.Credentials `json:"credentials,omitempty"`
	Way         string              `json:"way,omitempty"`
	State       string              `json:"state,omitempty"`
	Code        string              `json:"code,omitempty"`
}

// answer is what is answered to the question with that ID.
type answer struct {
	ID       uint64          `json:"id"`
	Visitor  *portal.Visitor `json:"visitor,omitempty"`
	Redirect string          `json:"redirect,omitempty"`
	Refusal  *portal.Refusal `json:"refusal,omitempty"`
	Failed   string          `json:"failed,omitempty"` // an error that is no Refusal
}

// Bounds of what is in a question, in bytes.
const (
	maxName     = 256
	maxSecret   = 256
	maxWay      = 32
	maxCookie   = 256
	maxLanguage = 32
	maxState    = 1024
	maxCode     = 4096
)

// parse reads a question, and refuses what no Client writes.
func parse(text []byte) (*question, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	q := new(question)
	if err := d.Decode(q); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errors.New("more than one question")
	}
	return q, q.check()
}

// check refuses a question that cannot be.
func (q *question) check() error {
	a := q.From.Addr
	if !a.IsValid() || a.Is4In6() || a.Zone() != "" || a.IsUnspecified() || a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return errors.New("from: no address of a client")
	}
	switch q.Verb {
	case visitor, leave, extend, begin, finish:
		if q.Credentials != nil {
			return errors.New("credentials: not asked for")
		}
	case enter:
		if q.Credentials == nil {
			return errors.New("credentials: none")
		}
	default:
		return errors.New("verb: there is no such one")
	}
	if q.Verb != finish && (q.State != "" || q.Code != "") || q.Verb != finish && q.Verb != begin && q.Way != "" {
		return errors.New("way: not asked for")
	}
	for _, f := range q.fields() {
		if len(*f.text) > f.most {
			return fmt.Errorf("%s: longer than %d bytes", f.name, f.most)
		}
		if !printable(*f.text) {
			return fmt.Errorf("%s: not a text", f.name)
		}
	}
	return nil
}

// named is a field of a question.
type named struct {
	name string
	text *string
	most int
}

// fields are all that are texts.
func (q *question) fields() []named {
	all := []named{
		{"cookie", &q.From.Cookie, maxCookie}, {"language", &q.From.Language, maxLanguage},
		{"way", &q.Way, maxWay}, {"state", &q.State, maxState}, {"code", &q.Code, maxCode},
	}
	if c := q.Credentials; c != nil {
		all = append(all, named{"way", &c.Way, maxWay}, named{"name", &c.Name, maxName}, named{"secret", &c.Secret, maxSecret})
	}
	return all
}

// printable reports whether text is UTF-8 without control characters.
func printable(text string) bool {
	if !utf8.ValidString(text) {
		return false
	}
	for _, c := range text {
		if unicode.IsControl(c) {
			return false
		}
	}
	return true
}
