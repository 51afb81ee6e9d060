// SPDX-License-Identifier: MIT

package dictd

import (
	"errors"
	"time"

	"nftdict/dictd/config"
	"nftdict/dictd/identity"
	"nftdict/dictd/identity/radius"
)

// openRADIUS listens to those who let people in, if it should.
func (d *Daemon) openRADIUS(c *config.Config) error {
	if len(c.RADIUS.Listen) == 0 {
		return nil
	}
	clients, err := c.RADIUS.Known()
	if err != nil {
		return err
	}
	d.who.radius, err = radius.Listen(radius.Config{
		NetNS: d.o.NetNS, Listen: c.RADIUS.Addresses(), Clients: clients, Groups: c.RADIUS.Groups,
		Handle: func(a *radius.Account) error {
			return d.who.account(a, time.Now(), time.Duration(c.RADIUS.Timeout)*time.Second)
		},
	})
	return err
}

// account takes in what was told of somebody's session. What has ended already is
// taken in by leaving it so.
func (w *who) account(a *radius.Account, now time.Time, timeout time.Duration) error {
	if a.Kind == radius.Stop || a.Kind == radius.Restart {
		_, err := w.Logout(a.By, a.Session)
		return err
	}
	err := w.Login(identity.Login{
		By: a.By, Session: a.Session, User: a.User, Groups: a.Groups, MAC: a.MAC, Addrs: a.Addrs, Since: now.Add(-a.Delay), Until: now.Add(timeout),
	})
	if errors.Is(err, identity.ErrEnded) {
		return nil
	}
	return err
}
