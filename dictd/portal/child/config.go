// SPDX-License-Identifier: MIT

package child

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"nftdict/dictd/portal/web"
)

// Config is what may change while the pages are shown.
type Config struct {
	// Web is what they are like; Key and Theme are filled in, and Name, where there is
	// none, by the certificate's first.
	Web web.Settings
	// Theme is a folder, "" for the built-in one.
	Theme string
	// Certificate and Key are files, PEM; both "" for none. They are read again when
	// they change.
	Certificate, Key string
	// SelfSigned are names and addresses for which a certificate is made, which nobody
	// trusts: for laboratories. It is used where there are no files.
	SelfSigned []string
}

// Check says what New would refuse, and, as complaint, what it would do without: a
// theme. It makes nothing.
func (c *Config) Check() (complaint, err error) {
	p, err := c.readPair()
	if err != nil {
		return nil, err
	}
	_, complaint, err = c.settings(p, nil, make([]byte, keyLen))
	return complaint, err
}

// settings returns those of the pages, which can be used. With a complaint about the
// theme they have another.
func (c *Config) settings(p *pair, other web.Theme, key []byte) (set *web.Settings, complaint, err error) {
	set = new(web.Settings)
	*set = c.Web
	set.Key = key
	c.complete(set, p)
	if err := set.Check(); err != nil {
		return nil, nil, fmt.Errorf("portal: %w", err)
	}
	set.Theme, complaint = web.LoadTheme(c.Theme)
	if complaint != nil {
		set.Theme = other
	}
	_, err = web.New(*set, nil, nil)
	if err != nil && complaint != nil { // the theme had a language that the other one does not have
		set.Languages = nil
		_, err = web.New(*set, nil, nil)
	}
	if err != nil {
		return nil, nil, err
	}
	return set, complaint, nil
}

// complete fills in what depends on the certificate, nil for none.
func (c *Config) complete(set *web.Settings, p *pair) {
	set.Name, set.HTTPS, set.Known = c.Web.Name, c.Web.HTTPS, c.Certificate != ""
	if p == nil {
		set.HTTPS = 0
		return
	}
	if cert, err := p.parse(); err == nil && set.Name == "" && set.Known && len(cert.Leaf.DNSNames) > 0 {
		if name := cert.Leaf.DNSNames[0]; !strings.HasPrefix(name, "*") {
			set.Name = name
		}
	}
}

// pair is a certificate and its key, PEM.
type pair struct {
	Certificate []byte `json:"certificate"`
	Key         []byte `json:"key"`
}

// parse makes it ready for use.
func (p *pair) parse() (*tls.Certificate, error) {
	c, err := tls.X509KeyPair(p.Certificate, p.Key)
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// keyLen is the length of the key that signs forms, in bytes.
const keyLen = 32

// maxPEM is how large a file of a certificate or key may be, in bytes.
const maxPEM = 256 << 10

// stamp tells whether files have changed.
type stamp [2]struct {
	size int64
	time time.Time
}

// stampOf looks at the files.
func (c *Config) stampOf() (s stamp) {
	for i, name := range []string{c.Certificate, c.Key} {
		if info, err := os.Stat(name); err == nil {
			s[i].size, s[i].time = info.Size(), info.ModTime()
		}
	}
	return s
}

// readPair reads or makes the certificate; nil if there is to be none.
func (c *Config) readPair() (*pair, error) {
	switch {
	case c.Certificate == "" && c.Key == "" && len(c.SelfSigned) == 0:
		return nil, nil
	case c.Certificate == "" && c.Key == "":
		return selfSigned(c.SelfSigned, time.Now())
	case c.Certificate == "" || c.Key == "":
		return nil, errors.New("portal: a certificate needs a key, and the other way round")
	}
	p := new(pair)
	for _, f := range []struct {
		name string
		to   *[]byte
	}{{c.Certificate, &p.Certificate}, {c.Key, &p.Key}} {
		info, err := os.Stat(f.name)
		if err == nil && (!info.Mode().IsRegular() || info.Size() > maxPEM) {
			err = fmt.Errorf("%s: not a file of at most %d bytes", f.name, maxPEM)
		}
		if err == nil {
			*f.to, err = os.ReadFile(f.name)
		}
		if err != nil {
			return nil, fmt.Errorf("portal: certificate: %w", err)
		}
	}
	if _, err := p.parse(); err != nil {
		return nil, fmt.Errorf("portal: certificate %s with key %s: %w", c.Certificate, c.Key, err)
	}
	return p, nil
}
