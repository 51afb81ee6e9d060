// SPDX-License-Identifier: MIT

package dictd

import (
	"fmt"
	"net"
	"time"

	"nftdict/dictd/config"
	"nftdict/dictd/netns"
	"nftdict/dictd/operator"
)

// openPage opens the operator's page, if there should be one.
func (d *Daemon) openPage(c *config.Config) error {
	if !c.Operator.Enable {
		return nil
	}
	at, err := c.Operator.Address()
	if err != nil {
		return err
	}
	var ln net.Listener
	err = netns.Do(d.o.NetNS, func() (err error) {
		ln, err = net.Listen("tcp", at.String())
		return err
	})
	if err != nil {
		return fmt.Errorf("operator's page: %w", err)
	}
	d.page, err = operator.New(operator.Config{
		Listener: ln, Certificate: c.Operator.Certificate, Key: c.Operator.Key, Passwords: c.Operator.Passwords,
		Idle: time.Duration(c.Operator.Idle) * time.Second, Session: time.Duration(c.Operator.Session) * time.Second,
		Read: d.api.Page(false), Write: d.api.Page(true), Version: d.o.Version, Clock: time.Now, Log: d.o.Log,
	})
	return err
}
