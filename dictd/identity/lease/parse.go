// SPDX-License-Identifier: MIT

package lease

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Bounds of what is read of one file.
const (
	MaxLeases = 65536
	MaxSize   = 64 << 20 // bytes
	maxLine   = 8 << 10  // bytes
)

// table collects the leases of a file by address: later lines win.
type table struct {
	now     time.Time
	leases  map[netip.Addr]Lease
	part    bool // a file ends within a line
	refused int  // lines that are not as a server writes them, and leases without a place
}

// add takes a lease, or what says that there is none any more.
func (t *table) add(l Lease, lives bool) {
	if !lives || !l.Expires.IsZero() && !l.Expires.After(t.now) {
		delete(t.leases, l.Addr)
		return
	}
	if _, there := t.leases[l.Addr]; !there && len(t.leases) >= MaxLeases {
		t.refused++
		return
	}
	t.leases[l.Addr] = l
}

// read takes the lines of a file of either kind.
func (t *table) read(in io.Reader) error {
	limited := &io.LimitedReader{R: in, N: MaxSize}
	r := bufio.NewReaderSize(limited, maxLine)
	var kea *columns
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		long := errors.Is(err, bufio.ErrBufferFull)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = r.ReadSlice('\n')
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		text := string(bytes.TrimRight(line, "\r\n"))
		switch {
		case long:
			t.refused++
		case text == "":
		case first && strings.HasPrefix(text, "address,"):
			kea = newColumns(text)
		case kea != nil && strings.HasPrefix(text, "address,"): // Kea may begin anew
			kea = newColumns(text)
		case kea != nil:
			t.kea(kea, text)
		default:
			t.dnsmasq(text)
		}
		if err != nil {
			t.part = t.part || text != ""
			if limited.N <= 0 {
				t.refused++
			}
			return nil
		}
	}
}

// dnsmasq takes "expiry MAC address name client-id", or, of IPv6, "expiry IAID
// address name DUID"; the server's own DUID has a line, too.
func (t *table) dnsmasq(line string) {
	f := strings.Split(line, " ")
	if len(f) == 2 && f[0] == "duid" {
		return
	}
	if len(f) != 5 {
		t.refused++
		return
	}
	addr, err := netip.ParseAddr(f[2])
	expires, ok := unixTime(f[0])
	if err != nil || !ok || addr.Zone() != "" {
		t.refused++
		return
	}
	l := Lease{Addr: addr, Expires: expires}
	if addr.Is4() {
		if l.MAC, ok = parseMAC(f[1]); !ok && !strings.Contains(f[1], "-") { // else of a link that is no Ethernet
			t.refused++
			return
		}
	}
	if f[3] != "*" {
		l.Hostname = f[3]
	}
	t.add(l, true)
}

// columns are where Kea has what is of interest; -1 where it has not.
type columns struct {
	count                                     int
	addr, mac, hostname, expire, valid, state int
	kind                                      int // of IPv6: address, temporary address or prefix
}

func newColumns(header string) *columns {
	c := &columns{addr: -1, mac: -1, hostname: -1, expire: -1, valid: -1, state: -1, kind: -1}
	names := strings.Split(header, ",")
	c.count = len(names)
	for i, name := range names {
		switch name {
		case "address":
			c.addr = i
		case "hwaddr":
			c.mac = i
		case "hostname":
			c.hostname = i
		case "expire":
			c.expire = i
		case "valid_lifetime":
			c.valid = i
		case "state":
			c.state = i
		case "lease_type":
			c.kind = i
		}
	}
	return c
}

// Values of Kea's columns.
const (
	keaActive = "0"          // state
	keaPrefix = "2"          // kind
	keaEver   = "4294967295" // lifetime
)

// kea takes a line of a CSV file. In fields a comma is written as &#x2c.
func (t *table) kea(c *columns, line string) {
	f := strings.Split(line, ",")
	field := func(i int) string {
		if i < 0 || i >= len(f) {
			return ""
		}
		return f[i]
	}
	addr, err := netip.ParseAddr(field(c.addr))
	expires, ok := unixTime(field(c.expire))
	if err != nil || !ok || addr.Zone() != "" || len(f) > c.count {
		t.refused++
		return
	}
	if field(c.kind) == keaPrefix {
		return
	}
	l := Lease{Addr: addr, Expires: expires, Hostname: strings.ReplaceAll(field(c.hostname), "&#x2c", ",")}
	l.MAC, _ = parseMAC(field(c.mac)) // of IPv6 it need not be known
	valid, state := field(c.valid), field(c.state)
	if valid == keaEver {
		l.Expires = time.Time{}
	}
	t.add(l, valid != "0" && (state == "" || state == keaActive))
}

// unixTime reads seconds since 1970; 0 is for ever.
func unixTime(text string) (time.Time, bool) {
	n, err := strconv.ParseUint(text, 10, 40)
	if err != nil {
		return time.Time{}, false
	}
	if n == 0 {
		return time.Time{}, true
	}
	return time.Unix(int64(n), 0), true
}

// parseMAC reads six bytes in hex with colons between.
func parseMAC(text string) (mac [6]byte, ok bool) {
	if len(text) != 17 {
		return mac, false
	}
	for i := range mac {
		if i > 0 && text[3*i-1] != ':' {
			return [6]byte{}, false
		}
		n, err := strconv.ParseUint(text[3*i:3*i+2], 16, 8)
		if err != nil {
			return [6]byte{}, false
		}
		mac[i] = byte(n)
	}
	return mac, mac[0]&1 == 0 && mac != [6]byte{}
}
