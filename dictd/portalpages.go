// SPDX-License-Identifier: MIT

package dictd

import (
	"errors"
	"fmt"
	"net"
	"os/user"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/dictd/config"
	"nftdict/dictd/netns"
	"nftdict/dictd/portal/child"
)

// userIDs returns whose rights a user's processes have.
func userIDs(name string) (uid, gid uint32, err error) {
	u, err := user.Lookup(name)
	if err != nil {
		var other error
		if u, other = user.LookupId(name); other != nil {
			return 0, 0, err
		}
	}
	ids := [2]uint64{}
	for i, text := range []string{u.Uid, u.Gid} {
		if ids[i], err = strconv.ParseUint(text, 10, 32); err != nil {
			return 0, 0, err
		}
	}
	return uint32(ids[0]), uint32(ids[1]), nil
}

// pagesEnd is for how long a port is waited for that somebody has.
const pagesEnd = 2 * time.Second

// listenPages listens at a port of all addresses, of both families.
func (d *Daemon) listenPages(port int) ([]*net.TCPListener, error) {
	var ln net.Listener
	listen := func() (err error) {
		ln, err = net.Listen("tcp", ":"+strconv.Itoa(port))
		return err
	}
	err := netns.Do(d.o.NetNS, listen)
	// The pages of a daemon that was killed end in the moment after it.
	for end := time.Now().Add(pagesEnd); errors.Is(err, unix.EADDRINUSE) && time.Now().Before(end); err = netns.Do(d.o.NetNS, listen) {
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		return nil, fmt.Errorf("portal: %w", err)
	}
	return []*net.TCPListener{ln.(*net.TCPListener)}, nil
}

// pagesOf is what the pages are like, apart from a certificate that is made.
func pagesOf(p *config.Portal) child.Config {
	return child.Config{Web: p.Web(), Theme: p.Theme, Certificate: p.Cert, Key: p.Key}
}

// CheckPages says what is wrong with the files that the portal's pages are made of: the
// daemon does not start without the certificate, and, as complaint, does without
// a theme.
func CheckPages(p *config.Portal) (complaint, err error) {
	if !p.Enable {
		return nil, nil
	}
	pages := pagesOf(p)
	return pages.Check()
}

// pagesConfig is what the pages are like.
func (d *Daemon) pagesConfig(c *config.Config) child.Config {
	p := &c.Portal
	conf := pagesOf(p)
	if p.SelfSigned {
		if conf.SelfSigned = d.addressesOf(p.Interfaces); p.Name != "" {
			conf.SelfSigned = []string{p.Name}
		}
	}
	return conf
}

// addressesOf returns the addresses that interfaces have now.
func (d *Daemon) addressesOf(interfaces []string) (all []string) {
	err := netns.Do(d.o.NetNS, func() error {
		for _, name := range interfaces {
			i, err := net.InterfaceByName(name)
			if err != nil {
				continue // it may come
			}
			addrs, err := i.Addrs()
			if err != nil {
				return err
			}
			for _, a := range addrs {
				if ip, ok := a.(*net.IPNet); ok && !ip.IP.IsLinkLocalUnicast() {
					all = append(all, ip.IP.String())
				}
			}
		}
		return nil
	})
	if err != nil {
		d.o.Log.Warn("a certificate is made without addresses", "err", err)
	}
	return all
}

// portalWarnings are what a status says of the portal.
func (d *Daemon) portalWarnings() (found []string) {
	if d.portal.keeper.Load() == nil {
		return nil
	}
	p := &d.config.Load().Portal
	for _, name := range p.Interfaces {
		err := netns.Do(d.o.NetNS, func() error {
			_, err := net.InterfaceByName(name)
			return err
		})
		if err != nil {
			found = append(found, fmt.Sprintf("portal.interfaces %s: there is no such interface", dict.Quote(name)))
		}
		if err := d.isAbove(name); err != nil {
			found = append(found, err.Error())
		}
	}
	if !p.TLS() {
		found = append(found, "the portal has no certificate: passwords travel in the clear, and systems cannot ask it whether they are let in; remedy: portal.certificate")
	}
	if p.NamesMix() {
		found = append(found, fmt.Sprintf("portal.oidc.user_claim %s: who may choose it at the provider can take the name of an account or a user of RADIUS; remedy: \"email\" or \"sub\"", dict.Quote(p.OIDC.UserClaim)))
	}
	if d.portal.pages.PID() == 0 {
		found = append(found, "nobody shows the portal's pages at the moment: the log says why")
	}
	return found
}
