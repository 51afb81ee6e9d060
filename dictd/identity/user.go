// SPDX-License-Identifier: MIT

package identity

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"nftdict/dict"
)

// Bounds of a State.
const (
	maxUsers = 65536
	maxBound = 65536 // devices that have a user
)

// ErrTooMany says that a State is full.
var ErrTooMany = errors.New("too many")

// CheckUser refuses what is no name of a user: 1 to 128 bytes of UTF-8 that can
// be printed, without space at its ends. The error wraps dict.ErrInvalid or
// dict.ErrTooLong.
func CheckUser(name string) error {
	if _, err := dict.StringKey(name); err != nil {
		return fmt.Errorf("user %s: %w", dict.Quote(name), err)
	}
	if name == "." || name == ".." { // no part of a path
		return fmt.Errorf("user %s: %w: want a name", dict.Quote(name), dict.ErrInvalid)
	}
	if strings.TrimSpace(name) != name || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Errorf("user %s: %w: want characters that can be printed, and none of space at the ends", dict.Quote(name), dict.ErrInvalid)
	}
	return nil
}

// JoinGroups returns groups as the field usergroups has them: sorted, with
// commas between. The error wraps dict.ErrInvalid or dict.ErrTooLong.
func JoinGroups(groups []string) (string, error) {
	groups = slices.Clone(groups)
	slices.Sort(groups)
	groups = slices.Compact(groups)
	for _, g := range groups {
		if g == "" || strings.TrimSpace(g) != g || strings.ContainsFunc(g, func(r rune) bool { return r == ',' || !unicode.IsPrint(r) }) {
			return "", fmt.Errorf("group %s: %w: want characters that can be printed, and no comma", dict.Quote(g), dict.ErrInvalid)
		}
	}
	joined := strings.Join(groups, ",")
	if joined == "" {
		return "", nil
	}
	if _, err := dict.StringValue(joined); err != nil {
		return "", fmt.Errorf("groups %s: %w", dict.Quote(joined), err)
	}
	return joined, nil
}

// SetUser makes a user, or gives him other groups. Rows say so when it returns.
func (d *Directory) SetUser(name string, groups []string) error {
	if err := CheckUser(name); err != nil {
		return err
	}
	joined, err := JoinGroups(groups)
	if err != nil {
		return err
	}
	if err := d.cfg.State.set(name, joined); err != nil {
		return err
	}
	d.userChanged(name, d.cfg.State.devicesOf(name))
	return nil
}

// DeleteUser forgets a user; his devices have none then. dict.ErrNotExist.
func (d *Directory) DeleteUser(name string) error {
	if !d.cfg.State.known(name) {
		return fmt.Errorf("user %s: %w", dict.Quote(name), dict.ErrNotExist)
	}
	devices, err := d.cfg.State.remove(name)
	if err != nil {
		return err
	}
	d.userChanged(name, devices)
	return nil
}

// Bind gives a device to a user, who is made if need be.
func (d *Directory) Bind(mac [6]byte, name string) error {
	if err := CheckUser(name); err != nil {
		return err
	}
	if mac == ([6]byte{}) || mac[0]&1 != 0 {
		return fmt.Errorf("device %s: %w: want the address of one device", dict.EtherValue(mac), dict.ErrInvalid)
	}
	if err := d.cfg.State.bind(mac, name); err != nil {
		return err
	}
	d.userChanged(name, [][6]byte{mac})
	return nil
}

// Unbind takes a device from its user. dict.ErrNotExist if it has none.
func (d *Directory) Unbind(mac [6]byte) error {
	name := d.cfg.State.boundTo(mac)
	had, err := d.cfg.State.unbind(mac)
	if err == nil && !had {
		err = fmt.Errorf("user of device %s: %w", dict.EtherValue(mac), dict.ErrNotExist)
	}
	if err != nil {
		return err
	}
	d.userChanged(name, [][6]byte{mac})
	return nil
}

// DeviceAt returns the device that has an address. dict.ErrNotExist.
func (d *Directory) DeviceAt(addr netip.Addr) ([6]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if h := d.hosts[addr]; h != nil {
		return h.device.mac, nil
	}
	return [6]byte{}, fmt.Errorf("device at %s: %w", addr, dict.ErrNotExist)
}

// userChanged writes what follows from a change of a user and devices.
func (d *Directory) userChanged(name string, devices [][6]byte) {
	d.mu.Lock()
	d.changed.users[name] = struct{}{}
	for _, mac := range devices {
		d.markUserOf(mac)
	}
	d.mu.Unlock()
	d.Flush()
}

// markUserOf has the rows of a device written whose user has changed. One that is
// not there is known for as long as it has a user.
func (d *Directory) markUserOf(mac [6]byte) {
	v := d.device(mac)
	d.markDevice(v)
	if len(v.hosts) == 0 && d.userOf(v) == "" {
		delete(d.devices, mac)
	}
}

// userOf returns who uses a device, "" if nobody.
func (d *Directory) userOf(v *device) string {
	return d.cfg.State.userOf(v.mac, func(yield func(netip.Addr) bool) {
		for _, h := range v.hosts {
			if !yield(h.addr) {
				return
			}
		}
	})
}

// hasUser reports whether somebody uses the device of a MAC.
func (d *Directory) hasUser(mac [6]byte) bool {
	if v := d.devices[mac]; v != nil {
		return d.userOf(v) != ""
	}
	return d.cfg.State.userOf(mac, func(func(netip.Addr) bool) {}) != ""
}
