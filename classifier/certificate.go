// SPDX-License-Identifier: MIT

package classifier

import "strings"

// Certificate is what a server's certificate says of itself. Strings are
// printable ASCII; a field that is not, or is too long, is left out.
type Certificate struct {
	Subject CertificateName `json:"subject"`
	Issuer  CertificateName `json:"issuer"`
	// Names are the host names it is for, wildcards included, lower case.
	Names []string `json:"names,omitempty"`
	// IssuerNames are the host names of who has issued it; few have any.
	IssuerNames []string `json:"issuer_names,omitempty"`
}

// CertificateName is a distinguished name by its usual parts.
type CertificateName struct {
	CN string `json:"cn,omitempty"` // common name
	SN string `json:"sn,omitempty"` // surname
	C  string `json:"c,omitempty"`  // country
	O  string `json:"o,omitempty"`  // organisation
	OU string `json:"ou,omitempty"` // organisational unit
	L  string `json:"l,omitempty"`  // locality
	P  string `json:"p,omitempty"`  // state or province
	SA string `json:"sa,omitempty"` // street address
	PC string `json:"pc,omitempty"` // postal code
}

// maxCertificateNames bounds the host names kept of one certificate.
const maxCertificateNames = 64

// learnCertificate reads the first certificate of a Certificate message of TLS
// 1.2 and before. Its names tell the application where the client named none.
func (x *sight) learnCertificate(b []byte) {
	if len(b) < 6 {
		return
	}
	size := int(b[3])<<16 | int(b[4])<<8 | int(b[5])
	f := x.s.findings()
	h := x.s.handshake()
	if size > len(b)-6 || h.certificate != nil && x.dir == Original {
		return
	}
	c, ok := parseCertificate(b[6:6+size], x.c.opts.MaxString)
	if !ok {
		return
	}
	h.certificate = c
	x.s.note("tls/certificate", c.Subject.CN, 0)
	x.s.touch()
	if h.sni != "" && f.application != nil && !f.inferred {
		return
	}
	if c.isTor() {
		x.application("TOR", "vpn", confidenceName)
		return
	}
	if app := c.application(x.c.opts.Domains); app != nil {
		f.application, f.confidence, f.inferred = app, confidenceName, false
		x.s.flags |= learned
		x.s.note("application", app.Name, confidenceName)
	}
}

// isTor reports whether the certificate is as Tor's relays make them for each
// connection: signed by someone who is as little as its subject, both named
// after hosts drawn by chance, www.NAME.net and www.NAME.com, and nothing else.
func (c *Certificate) isTor() bool {
	drawn := func(n *CertificateName, end string) bool {
		name, ok := strings.CutPrefix(n.CN, "www.")
		name, ended := strings.CutSuffix(name, end)
		if !ok || !ended || len(name) < 8 || len(name) > 20 {
			return false
		}
		return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz234567") == "" && *n == CertificateName{CN: n.CN}
	}
	return drawn(&c.Subject, ".net") && drawn(&c.Issuer, ".com") && len(c.Names) == 0 &&
		strings.TrimSuffix(c.Subject.CN, ".net") != strings.TrimSuffix(c.Issuer.CN, ".com")
}

// application returns the application that the certificate's names agree on.
func (c *Certificate) application(d *Domains) *Application {
	if app := d.find(bareName(c.Subject.CN)); app != nil {
		return app
	}
	var only *Application
	for _, name := range c.Names {
		app := d.find(bareName(name))
		if app == nil || only != nil && app != only {
			return nil
		}
		only = app
	}
	return only
}

// bareName takes the wildcard off a certificate's name, and makes it one that a
// table can be asked for.
func bareName(name string) string {
	if len(name) > 2 && name[:2] == "*." {
		name = name[2:]
	}
	name = lower([]byte(name))
	if !isHostname(name) {
		return ""
	}
	return name
}

// DER tags that are read.
const (
	derInteger  = 0x02
	derOctets   = 0x04
	derOID      = 0x06
	derSequence = 0x30
	derSet      = 0x31
	derVersion  = 0xa0
	derExts     = 0xa3
	derDNSName  = 0x82
)

// derNext takes the first value off b. ok is false if b does not begin with a
// whole one.
func derNext(b []byte) (tag byte, value, rest []byte, ok bool) {
	if len(b) < 2 {
		return 0, nil, nil, false
	}
	tag, size, at := b[0], int(b[1]), 2
	if size >= 0x80 {
		n := size & 0x7f
		if n == 0 || n > 3 || len(b) < 2+n {
			return 0, nil, nil, false
		}
		size = 0
		for _, c := range b[2 : 2+n] {
			size = size<<8 | int(c)
		}
		at += n
	}
	if size > len(b)-at {
		return 0, nil, nil, false
	}
	return tag, b[at : at+size], b[at+size:], true
}

// derTake is derNext for a value whose tag is known.
func derTake(b []byte, want byte) (value, rest []byte, ok bool) {
	tag, value, rest, ok := derNext(b)
	return value, rest, ok && tag == want
}

// parseCertificate reads the names of an X.509 certificate (RFC 5280) and
// verifies nothing. Strings longer than limit are left out.
func parseCertificate(b []byte, limit int) (*Certificate, bool) {
	outer, _, ok := derTake(b, derSequence)
	if !ok {
		return nil, false
	}
	tbs, _, ok := derTake(outer, derSequence)
	if !ok {
		return nil, false
	}
	if _, rest, ok := derTake(tbs, derVersion); ok {
		tbs = rest
	}
	var issuer, subject []byte
	for i, want := range []byte{derInteger, derSequence, derSequence, derSequence, derSequence, derSequence} {
		var value []byte
		if value, tbs, ok = derTake(tbs, want); !ok {
			return nil, false
		}
		switch i {
		case 2:
			issuer = value
		case 4:
			subject = value
		}
	}
	c := new(Certificate)
	c.Subject.parse(subject, limit)
	c.Issuer.parse(issuer, limit)
	for len(tbs) > 0 {
		var tag byte
		var value []byte
		if tag, value, tbs, ok = derNext(tbs); !ok {
			break
		}
		if tag == derExts {
			c.alternatives(value, limit)
		}
	}
	return c, true
}

// parse reads a distinguished name.
func (n *CertificateName) parse(b []byte, limit int) {
	for len(b) > 0 {
		set, rest, ok := derTake(b, derSet)
		if !ok {
			return
		}
		b = rest
		pair, _, ok := derTake(set, derSequence)
		if !ok {
			continue
		}
		kind, value, ok := derTake(pair, derOID)
		if !ok || len(kind) != 3 || kind[0] != 0x55 || kind[1] != 0x04 {
			continue
		}
		_, text, _, ok := derNext(value)
		if !ok || len(text) > limit || !isPrintable(text) {
			continue
		}
		if field := n.field(kind[2]); field != nil && *field == "" {
			*field = string(text)
		}
	}
}

// field returns the part of n that an attribute of X.520 stands for.
func (n *CertificateName) field(attribute byte) *string {
	switch attribute {
	case 3:
		return &n.CN
	case 4:
		return &n.SN
	case 6:
		return &n.C
	case 7:
		return &n.L
	case 8:
		return &n.P
	case 9:
		return &n.SA
	case 10:
		return &n.O
	case 11:
		return &n.OU
	case 17:
		return &n.PC
	}
	return nil
}

// alternatives reads the alternative names of subject and issuer out of the extensions.
func (c *Certificate) alternatives(b []byte, limit int) {
	list, _, ok := derTake(b, derSequence)
	for ok && len(list) > 0 {
		var one, kind, value []byte
		if one, list, ok = derTake(list, derSequence); !ok {
			return
		}
		if kind, value, ok = derTake(one, derOID); !ok {
			return
		}
		into := &c.Names
		switch string(kind) {
		case "\x55\x1d\x11": // of the subject
		case "\x55\x1d\x12":
			into = &c.IssuerNames
		default:
			continue
		}
		tag, octets, rest, whole := derNext(value)
		if whole && tag != derOctets { // the mark that it is critical
			octets, _, whole = derTake(rest, derOctets)
		}
		if !whole {
			return
		}
		names, _, _ := derTake(octets, derSequence)
		for len(names) > 0 && len(*into) < maxCertificateNames {
			var tag byte
			var name []byte
			if tag, name, names, whole = derNext(names); !whole {
				return
			}
			if tag == derDNSName && len(name) <= limit && isPrintable(name) {
				*into = append(*into, lower(name))
			}
		}
	}
}
