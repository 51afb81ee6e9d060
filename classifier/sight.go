// SPDX-License-Identifier: MIT

package classifier

import (
	"strconv"
	"time"
)

// sight is what a detector is shown, what it can say, and the memory it may use
// while it looks. Nothing of it lives on after the call.
type sight struct {
	c    *Classifier
	s    *Session
	p    *Packet
	dir  Dir
	now  time.Time
	data []byte // a stream from its first byte on, or one datagram
	id   int    // place of the detector in the list
	nth  int    // number of this datagram, or segment, with payload in its direction, from 1

	hello  hello
	ja4    ja4Scratch
	joined []byte // handshake bytes of several records
	line   []byte // a text in the making
	quic   quicScratch
	dns    dnsMessage
	spare  findings // of a look that changes nothing
}

// release lets go of everything that is not x's own.
func (x *sight) release() {
	x.c, x.s, x.p, x.data = nil, nil, nil, nil
	if x.hello.used {
		x.hello = hello{extensions: x.hello.extensions[:0]}
	}
	x.dns.b = nil
}

// note adds evidence; seen may be any bytes.
func (x *sight) note(rule string, seen []byte, confidence int) {
	x.s.note(rule, printable(seen), confidence)
}

// host sets dst to the host name or address in b and what follows from it: the
// detail and the application. What is not a name, or too long, is evidence only.
func (x *sight) host(dst *string, rule string, b []byte) {
	name, address, ok := cleanHost(b)
	switch {
	case !ok:
		x.note(rule+": not a host name", b, 0)
		return
	case len(name) > x.c.opts.MaxString:
		x.note(rule+": name too long", []byte(strconv.Itoa(len(name))+" bytes: "+name), 0)
		return
	case *dst == name:
		return
	}
	*dst = name
	x.detail(name)
	f := x.s.findings()
	confidence := 0
	if !address {
		// A name without an application takes the hint's away, too: the server
		// is known now, and it is not that service.
		if f.application = x.c.opts.Domains.find(name); f.application != nil {
			confidence = confidenceName
		}
		f.confidence, f.inferred = uint8(confidence), false
	}
	x.s.note(rule, name, confidence)
	x.s.flags |= learned
	x.s.touch()
}

// text sets dst to b if it is printable and short enough, else makes it
// evidence.
func (x *sight) text(dst *string, rule string, b []byte) {
	switch {
	case len(b) == 0 || *dst == string(b):
		return
	case !isPrintable(b):
		x.note(rule+": not printable", b, 0)
		return
	case len(b) > x.c.opts.MaxString:
		x.note(rule+": too long", append(strconv.AppendInt(nil, int64(len(b)), 10), " bytes"...), 0)
		return
	}
	*dst = string(b)
	x.s.note(rule, *dst, 0)
	x.s.touch()
}

// peer returns the other direction of an undecided stream, from its first byte
// on, as far as it is kept; nil if nothing is.
func (x *sight) peer() []byte {
	if a := x.s.assembler(x.dir ^ 1); a != nil {
		return a.bytes()
	}
	return nil
}

// application names the application, in capitals, where the protocol itself
// tells it.
func (x *sight) application(name, category string, confidence int) {
	f := x.s.findings()
	if f.application != nil && f.application.Name == name && !f.inferred && int(f.confidence) == confidence {
		return
	}
	f.application, f.confidence, f.inferred = &Application{Name: name, Category: category}, uint8(confidence), false
	x.s.flags |= learned
	x.s.note("application", name, confidence)
	x.s.touch()
}

// detail sets the result's detail to s, which must be clean.
func (x *sight) detail(s string) {
	if f := x.s.findings(); f.detail != s {
		f.detail = s
		x.s.touch()
	}
}
