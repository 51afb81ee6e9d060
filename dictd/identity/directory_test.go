// SPDX-License-Identifier: MIT

package identity

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/dictd/identity/lease"
	"nftdict/dictd/identity/neighbour"
	"nftdict/dictd/identity/overheard"
	"nftdict/dictd/session"
)

// rig is a Directory on a store in memory, with a clock moved by hand.
type rig struct {
	*Directory
	t     *testing.T
	store *dicttest.Mem
	clock *dicttest.Clock
	told  map[string]session.Client
}

func newRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, store: dicttest.NewStandard(t), clock: dicttest.NewClock(), told: map[string]session.Client{}}
	c := Config{
		Store: r.store, Hosts: 100, Addresses: 4, Age: time.Hour, State: OpenState(""), Clock: r.clock.Now,
		Vendor: func(mac [6]byte) string {
			if mac[1] == 7 {
				return "Seven"
			}
			return ""
		},
		Identify: func(changes map[netip.Addr]*session.Client) {
			for addr, c := range changes {
				if delete(r.told, addr.String()); c != nil {
					r.told[addr.String()] = *c
				}
			}
		},
	}
	if change != nil {
		change(&c)
	}
	var err error
	if r.Directory, err = New(c); err != nil {
		t.Fatal(err)
	}
	return r
}

func mac(n byte) [6]byte { return [6]byte{2, 0, 0, 0, 0, n} }

// hear has the kernel tell of a neighbour, and writes.
func (r *rig) hear(addr string, m [6]byte, quiet time.Duration) {
	r.Neighbours(&neighbour.Update{Neighbours: []neighbour.Neighbour{{Addr: netip.MustParseAddr(addr), MAC: m, Interface: "lan0", Quiet: quiet}}})
	r.Flush()
}

// text returns a table's rows as "key: field=value ...".
func (r *rig) text(table string) string {
	r.t.Helper()
	var lines []string
	for row, err := range r.store.Rows(table) {
		if err != nil {
			r.t.Fatal(err)
		}
		line := row.Key.String() + ":"
		for _, c := range row.Cells {
			line += fmt.Sprintf(" %s=%s", c.Field, c.Value)
		}
		lines = append(lines, line)
	}
	return lineUp(lines)
}

func (r *rig) want(table string, lines ...string) {
	r.t.Helper()
	if diff := cmp.Diff(lineUp(lines), r.text(table)); diff != "" {
		r.t.Errorf("%s (-want +got):\n%s", table, diff)
	}
}

func lineUp(lines []string) string {
	return strings.Join(slices.Sorted(slices.Values(lines)), "\n")
}

func TestAddressesOfADevice(t *testing.T) {
	r := newRig(t, nil)
	for _, addr := range []string{"10.0.0.1", "fe80::1", "2001:db8::1", "2001:db8::abcd"} {
		r.hear(addr, [6]byte{2, 7, 0, 0, 0, 1}, 0)
	}
	const row = ": mac_address=02:07:00:00:00:01 mac_address_vendor=Seven interface=lan0"
	r.want(dict.Hosts, "10.0.0.1"+row, "fe80::1"+row, "2001:db8::1"+row, "2001:db8::abcd"+row)
	r.want(dict.Devices, "02:07:00:00:00:01: mac_address_vendor=Seven interface=lan0")
	// One more is one too many: the one heard of longest ago makes room.
	r.clock.Advance(time.Minute)
	for _, addr := range []string{"fe80::1", "2001:db8::1", "2001:db8::abcd"} {
		r.hear(addr, [6]byte{2, 7, 0, 0, 0, 1}, 0)
	}
	r.hear("2001:db8::beef", [6]byte{2, 7, 0, 0, 0, 1}, 0)
	r.want(dict.Hosts, "2001:db8::beef"+row, "fe80::1"+row, "2001:db8::1"+row, "2001:db8::abcd"+row)
	if s := r.Stats(); s.Hosts != 4 || s.Devices != 1 || s.Evicted != 1 {
		t.Errorf("counted %+v", s)
	}
}

func TestAddressMoves(t *testing.T) {
	r := newRig(t, nil)
	r.SetLeases([]lease.Lease{{Addr: netip.MustParseAddr("10.0.0.9"), MAC: mac(1), Hostname: "laptop"}})
	r.hear("10.0.0.1", mac(1), 0)
	r.take(evidence{netip.MustParseAddr("10.0.0.1"), mac(1), "Mozilla/5.0"})
	if err := r.Bind(mac(1), "al"); err != nil {
		t.Fatal(err)
	}
	r.want(dict.Hosts, "10.0.0.1: mac_address=02:00:00:00:00:01 interface=lan0 hostname=laptop http_user_agent=Mozilla/5.0 username=al")
	// What others have written stays.
	key := dict.AddrKey(netip.MustParseAddr("10.0.0.1"))
	if err := r.store.Put(dict.Hosts, dict.Row{Key: key, Cells: []dict.Cell{{Field: "quota_size", Value: dict.Int64Value(5)}}}); err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(time.Second)
	r.hear("10.0.0.1", mac(2), time.Minute)
	if s := r.Stats(); s.Moves != 0 {
		t.Error("an older claim wins")
	}
	r.hear("10.0.0.1", mac(2), 0)
	r.want(dict.Hosts, "10.0.0.1: mac_address=02:00:00:00:00:02 interface=lan0 quota_size=5")
	// The former device has a user and stays; it is not there.
	r.want(dict.Devices, "02:00:00:00:00:01: hostname=laptop username=al", "02:00:00:00:00:02: interface=lan0")
	if len(r.told) != 0 {
		t.Errorf("still told: %v", r.told)
	}
	if err := r.Unbind(mac(1)); err != nil {
		t.Fatal(err)
	}
	r.want(dict.Devices, "02:00:00:00:00:02: interface=lan0")
	// The row of an address that is forgotten stays where others wrote into it.
	r.clock.Advance(time.Hour)
	r.Tend()
	r.Flush()
	r.want(dict.Hosts, "10.0.0.1: quota_size=5")
	r.want(dict.Devices)
	if s := r.Stats(); s.Aged != 1 || s.Hosts != 0 || s.Devices != 0 || s.Failed != 0 {
		t.Errorf("counted %+v", s)
	}
}

func TestAge(t *testing.T) {
	r := newRig(t, nil)
	r.hear("10.0.0.1", mac(1), 0)
	r.hear("10.0.0.2", mac(2), 59*time.Minute)
	r.hear("10.0.0.3", mac(3), time.Hour) // the kernel remembers longer
	r.clock.Advance(2 * time.Minute)
	r.Tend()
	r.Flush()
	r.want(dict.Hosts, "10.0.0.1: mac_address=02:00:00:00:00:01 interface=lan0")
	r.want(dict.Devices, "02:00:00:00:00:01: interface=lan0")
}

func TestFull(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Hosts = 3 })
	if err := r.Bind(mac(1), "al"); err != nil {
		t.Fatal(err)
	}
	for i := range byte(4) {
		r.hear(fmt.Sprintf("10.0.0.%d", i), mac(i+1), 0)
	}
	if s := r.Stats(); s.Hosts != 3 || s.Refused != 1 {
		t.Errorf("counted %+v", s)
	}
	r.clock.Advance(idle)
	r.hear("10.0.0.2", mac(3), 0)
	r.hear("10.0.0.3", mac(4), 0)
	// Of those that are quiet the one with a user stays.
	r.want(dict.Hosts, "10.0.0.0: mac_address=02:00:00:00:00:01 interface=lan0 username=al",
		"10.0.0.2: mac_address=02:00:00:00:00:03 interface=lan0", "10.0.0.3: mac_address=02:00:00:00:00:04 interface=lan0")
}

// Filling all places does not keep a new address of a user's device out.
func TestFullForUsers(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Hosts = 2 })
	for _, err := range []error{r.Bind(mac(1), "al"), r.Bind(mac(2), "bo")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	r.hear("10.0.0.8", mac(8), 0)
	r.hear("10.0.0.9", mac(9), 0)
	r.hear("10.0.0.1", mac(1), 0)
	r.hear("10.0.0.2", mac(2), 0)
	const al, bo = "10.0.0.1: mac_address=02:00:00:00:00:01 interface=lan0 username=al", "10.0.0.2: mac_address=02:00:00:00:00:02 interface=lan0 username=bo"
	r.want(dict.Hosts, al, bo)
	r.hear("10.0.0.3", mac(2), 0) // users do not take each other's
	r.want(dict.Hosts, al, bo)
	if s := r.Stats(); s.Evicted != 2 || s.Refused != 1 {
		t.Errorf("counted %+v", s)
	}
}

// An interface that goes outside takes its hosts with it.
func TestInside(t *testing.T) {
	r := newRig(t, nil)
	r.hear("10.0.0.1", mac(1), 0)
	r.Neighbours(&neighbour.Update{Inside: []string{"lan1"}})
	r.Flush()
	r.want(dict.Hosts)
	r.want(dict.Devices)
}

// An interface that has another name has the same hosts; one that is another has
// none of them.
func TestInterfaceIsRenamed(t *testing.T) {
	r := newRig(t, nil)
	links := func(index uint32, name string) {
		r.Neighbours(&neighbour.Update{Inside: []string{name}, Links: map[uint32]string{index: name}})
		r.Flush()
	}
	links(2, "lan0")
	r.hear("10.0.0.1", mac(1), 0)
	r.take(evidence{netip.MustParseAddr("10.0.0.1"), mac(1), "curl/8"})
	links(2, "home")
	r.want(dict.Hosts, "10.0.0.1: mac_address=02:00:00:00:00:01 interface=home http_user_agent=curl/8")
	links(3, "lan1")
	r.want(dict.Hosts)
}

func TestNames(t *testing.T) {
	r := newRig(t, nil)
	addr := netip.MustParseAddr("10.0.0.1")
	r.hear("10.0.0.1", mac(1), 0)
	r.hear("fd00::1", mac(1), 0)
	wants := func(four, six, device string) {
		t.Helper()
		r.Flush()
		name := func(s string) string {
			if s != "" {
				return " hostname=" + s
			}
			return ""
		}
		r.want(dict.Hosts, "10.0.0.1: mac_address=02:00:00:00:00:01 interface=lan0"+name(four), "fd00::1: mac_address=02:00:00:00:00:01 interface=lan0"+name(six))
		r.want(dict.Devices, "02:00:00:00:00:01: interface=lan0"+name(device))
		if got := r.told["fd00::1"].Hostname; got != six {
			t.Errorf("told %q, want %q", got, six)
		}
	}
	wants("", "", "")
	r.Heard(&overheard.Message{MAC: mac(1), Names: []overheard.Named{{Name: "Said"}}})
	wants("said", "said", "said")
	r.Heard(&overheard.Message{MAC: mac(1), Names: []overheard.Named{{Name: "bad name"}}})
	wants("said", "said", "said")
	six := lease.Lease{Addr: netip.MustParseAddr("fd00::1"), Hostname: "six"}
	r.SetLeases([]lease.Lease{six})
	wants("six", "six", "six")
	r.SetLeases([]lease.Lease{six, {Addr: addr, MAC: mac(1), Hostname: "four"}, {Addr: netip.MustParseAddr("10.9.9.9"), Hostname: "-bad"}})
	wants("four", "six", "four")
	r.SetLeases(nil)
	wants("said", "said", "said")
}

func TestHostname(t *testing.T) {
	label := strings.Repeat("a", 63)
	for in, want := range map[string]string{
		"Laptop": "laptop", "my-pc.lan.": "my-pc.lan", "3com": "3com", "a": "a", label: label,
		label + "." + label + "." + label: label, // longer than a value: its own label
		"":                                "", ".": "", "-a": "", "a-": "", "a..b": "", "a_b": "", "a b": "", "a\x00b": "", "ä": "", "10.0.0.1": "", "42": "",
		label + "a": "", strings.Repeat("a.", 128): "", "x;reboot": "", "$(reboot)": "", "a\nb": "", "*": "",
	} {
		if got := Hostname(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestUserAgents(t *testing.T) {
	r := newRig(t, nil)
	addr := netip.MustParseAddr("10.0.0.1")
	r.hear("10.0.0.1", mac(1), 0)
	for _, c := range []struct {
		after     time.Duration
		say, want string
	}{
		{0, "curl/8", "curl/8"},
		{0, "apt/2", "curl/8"}, // in turns
		{time.Minute, "apt/2", "apt/2"},
		{0, "Mozilla/5.0 A", "Mozilla/5.0 A"}, // a browser's tells more
		{time.Hour, "curl/8", "Mozilla/5.0 A"},
		{0, "Mozilla/5.0 B", "Mozilla/5.0 B"},
		{0, strings.Repeat("Mozilla/", 40), "Mozilla/5.0 B"},
	} {
		r.clock.Advance(c.after)
		r.take(evidence{addr, mac(1), c.say})
		r.take(evidence{netip.MustParseAddr("10.0.0.2"), mac(1), c.say}) // nobody known
		r.take(evidence{addr, mac(9), "Mozilla/5.0 forged"})
		r.Flush()
		r.want(dict.Hosts, "10.0.0.1: mac_address=02:00:00:00:00:01 interface=lan0 http_user_agent="+c.want)
	}
}

// A daemon that comes after takes over the rows, and no others'.
func TestAdopt(t *testing.T) {
	r := newRig(t, nil)
	if err := r.Bind(mac(1), "al"); err != nil {
		t.Fatal(err)
	}
	r.hear("10.0.0.1", mac(1), 0)
	r.hear("10.0.0.2", mac(2), 0)
	r.Heard(&overheard.Message{MAC: mac(2), Names: []overheard.Named{{Name: "two"}}})
	r.take(evidence{netip.MustParseAddr("10.0.0.2"), mac(2), "curl/8"})
	r.Flush()
	others := dict.Row{Key: dict.AddrKey(netip.MustParseAddr("10.9.9.9")), Cells: []dict.Cell{{Field: "mac_address", Value: dict.EtherValue(mac(9))}}}
	if err := r.store.Put(dict.Hosts, others); err != nil {
		t.Fatal(err)
	}
	next := newRig(t, func(c *Config) { c.Store, c.Clock = r.store, r.clock.Now }) // and no users
	next.store, next.clock = r.store, r.clock
	next.Flush()
	const stays = "10.9.9.9: mac_address=02:00:00:00:00:09"
	next.want(dict.Hosts, "10.0.0.1: mac_address=02:00:00:00:00:01 interface=lan0",
		"10.0.0.2: mac_address=02:00:00:00:00:02 interface=lan0 hostname=two http_user_agent=curl/8", stays)
	next.want(dict.Devices, "02:00:00:00:00:01: interface=lan0", "02:00:00:00:00:02: interface=lan0 hostname=two")
	r.clock.Advance(time.Hour)
	next.Tend()
	next.Flush()
	next.want(dict.Hosts, stays)
	next.want(dict.Devices)
}

// The kernel knows better than an earlier run who has an address, however long it
// has not heard of the device.
func TestAdoptYields(t *testing.T) {
	r := newRig(t, nil)
	if err := r.Bind(mac(1), "al"); err != nil {
		t.Fatal(err)
	}
	r.hear("10.0.0.1", mac(1), 0)
	next := newRig(t, func(c *Config) { c.Store, c.Clock, c.State = r.store, r.clock.Now, r.cfg.State })
	next.store, next.clock = r.store, r.clock
	next.hear("10.0.0.1", mac(2), time.Minute)
	next.want(dict.Hosts, "10.0.0.1: mac_address=02:00:00:00:00:02 interface=lan0")
	if len(next.told) != 0 {
		t.Errorf("told %v", next.told)
	}
	next.hear("10.0.0.1", mac(3), 2*time.Minute)
	next.want(dict.Hosts, "10.0.0.1: mac_address=02:00:00:00:00:02 interface=lan0")
}

// A daemon that was killed between the state and the rows makes up for it.
func TestAdoptUsers(t *testing.T) {
	r := newRig(t, nil)
	for _, err := range []error{r.SetUser("al", []string{"staff"}), r.SetUser("bo", []string{"staff"}), r.cfg.State.set("al", "")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	others := dict.Row{Key: mustKey(t, "zoe"), Cells: []dict.Cell{{Field: "usergroups", Value: dict.MustString("kids")}}}
	if err := r.store.Put(dict.Users, others); err != nil {
		t.Fatal(err)
	}
	next := newRig(t, func(c *Config) { c.Store, c.State = r.store, r.cfg.State })
	next.store = r.store
	next.Flush()
	next.Tend()
	next.Flush()
	next.want(dict.Users, "al:", "bo: usergroups=staff", "zoe: usergroups=kids")
}

// A device that left a link does not seem to be back when all is told again.
func TestRoams(t *testing.T) {
	r := newRig(t, nil)
	r.hear("10.0.0.1", mac(1), 0)
	r.clock.Advance(time.Minute)
	on := func(link string, quiet time.Duration) {
		r.Neighbours(&neighbour.Update{Neighbours: []neighbour.Neighbour{{Addr: netip.MustParseAddr("10.0.0.1"), MAC: mac(1), Interface: link, Quiet: quiet}}})
		r.Flush()
	}
	on("wlan0", 0)
	on("lan0", time.Minute)
	r.want(dict.Hosts, "10.0.0.1: mac_address=02:00:00:00:00:01 interface=wlan0")
}

// What somebody deleted is there again within a minute.
func TestRowsAreWrittenAgain(t *testing.T) {
	r := newRig(t, nil)
	r.hear("10.0.0.1", mac(1), 0)
	if _, err := dict.Flush(r.store, dict.Hosts); err != nil {
		t.Fatal(err)
	}
	r.Tend()
	r.Flush()
	r.want(dict.Hosts, "10.0.0.1: mac_address=02:00:00:00:00:01 interface=lan0")
}

func TestUsers(t *testing.T) {
	r := newRig(t, nil)
	r.hear("10.0.0.1", mac(1), 0)
	r.hear("fd00::1", mac(1), 0)
	for _, err := range []error{r.SetUser("al", []string{"staff", "sales", "staff"}), r.Bind(mac(1), "al"), r.Bind(mac(2), "bo"), r.SetUser("cy", nil)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	r.want(dict.Users, "al: usergroups=sales,staff", "bo:", "cy:")
	r.want(dict.Devices, "02:00:00:00:00:01: interface=lan0 username=al", "02:00:00:00:00:02: username=bo")
	if diff := cmp.Diff(map[string]session.Client{
		"10.0.0.1": {Username: "al", Groups: "sales,staff"}, "fd00::1": {Username: "al", Groups: "sales,staff"},
	}, r.told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]User{
		{"al", []string{"sales", "staff"}, []string{"02:00:00:00:00:01"}}, {"bo", []string{}, []string{"02:00:00:00:00:02"}}, {"cy", []string{}, []string{}},
	}, r.Users()); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	if got, err := r.DeviceAt(netip.MustParseAddr("fd00::1")); err != nil || got != mac(1) {
		t.Errorf("device %x, %v", got, err)
	}
	if _, err := r.DeviceAt(netip.MustParseAddr("fd00::2")); !errors.Is(err, dict.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	for _, err := range []error{r.SetUser("al", nil), r.DeleteUser("bo")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	r.want(dict.Users, "al:", "cy:")
	r.want(dict.Devices, "02:00:00:00:00:01: interface=lan0 username=al")
	if err := r.Unbind(mac(2)); !errors.Is(err, dict.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	for _, err := range []error{
		r.Bind([6]byte{}, "al"), r.Bind([6]byte{1}, "al"), r.Bind(mac(1), ""), r.Bind(mac(1), "a\nb"), r.Bind(mac(1), " al"),
		r.SetUser("al", []string{"a,b"}), r.SetUser("al", []string{""}),
	} {
		if !errors.Is(err, dict.ErrInvalid) {
			t.Errorf("got %v", err)
		}
	}
	if err := r.SetUser("al", []string{strings.Repeat("g", 129)}); !errors.Is(err, dict.ErrTooLong) {
		t.Errorf("got %v", err)
	}
}

// stubborn is a store that refuses to delete.
type stubborn struct {
	*dicttest.Mem
	refuse bool
}

func (s *stubborn) Delete(table string, k dict.Key, fields ...string) error {
	if s.refuse {
		return fmt.Errorf("stubborn: %w", dict.ErrBusy)
	}
	return s.Mem.Delete(table, k, fields...)
}

// What could not be deleted goes later: nobody keeps a user by a failure.
func TestDeletedLater(t *testing.T) {
	store := &stubborn{Mem: dicttest.NewStandard(t)}
	r := newRig(t, func(c *Config) { c.Store = store })
	r.store = store.Mem
	r.hear("10.0.0.1", mac(1), 0)
	r.hear("10.0.0.2", mac(2), 0)
	if err := r.Bind(mac(1), "al"); err != nil {
		t.Fatal(err)
	}
	store.refuse = true
	if err := r.Unbind(mac(1)); err != nil {
		t.Fatal(err)
	}
	r.forget(r.hosts[netip.MustParseAddr("10.0.0.2")])
	r.Flush()
	if s := r.Stats(); s.Failed == 0 {
		t.Error("nothing failed")
	}
	store.refuse = false
	r.Flush()
	r.want(dict.Hosts, "10.0.0.1: mac_address=02:00:00:00:00:01 interface=lan0")
	r.want(dict.Devices, "02:00:00:00:00:01: interface=lan0")
}

func mustKey(t *testing.T, name string) dict.Key {
	t.Helper()
	k, err := dict.StringKey(name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Who takes a leased address without the lease has not its name, and a name
// without a device is that of the first at its address.
func TestLeaseOfAnother(t *testing.T) {
	r := newRig(t, nil)
	four, six := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fd00::1")
	all := []lease.Lease{{Addr: four, MAC: mac(1), Hostname: "nas"}, {Addr: six, Hostname: "six"}}
	r.SetLeases(all)
	r.hear("10.0.0.1", mac(2), 0)
	r.hear("fd00::1", mac(3), 0)
	r.want(dict.Hosts, "10.0.0.1: mac_address=02:00:00:00:00:02 interface=lan0", "fd00::1: mac_address=02:00:00:00:00:03 interface=lan0 hostname=six")
	r.clock.Advance(time.Second)
	r.hear("10.0.0.1", mac(1), 0)
	r.hear("fd00::1", mac(4), 0)
	r.SetLeases(all)
	r.Flush()
	r.want(dict.Hosts, "10.0.0.1: mac_address=02:00:00:00:00:01 interface=lan0 hostname=nas", "fd00::1: mac_address=02:00:00:00:00:04 interface=lan0")
}

// Link-local addresses of two links do not take turns.
func TestLinkLocalOfTwoLinks(t *testing.T) {
	r := newRig(t, nil)
	on := func(link string, m [6]byte) {
		r.Neighbours(&neighbour.Update{Neighbours: []neighbour.Neighbour{{Addr: netip.MustParseAddr("fe80::1"), MAC: m, Interface: link}}})
		r.Flush()
	}
	on("lan0", mac(1))
	r.clock.Advance(time.Minute)
	on("lan1", mac(2))
	r.want(dict.Hosts, "fe80::1: mac_address=02:00:00:00:00:01 interface=lan0")
	if s := r.Stats(); s.Disputed != 1 || s.Moves != 0 {
		t.Errorf("counted %+v", s)
	}
	on("lan0", mac(3)) // on its own link it moves
	r.clock.Advance(idle)
	on("lan1", mac(2)) // whoever had it is gone
	r.want(dict.Hosts, "fe80::1: mac_address=02:00:00:00:00:02 interface=lan1")
}

// choosy is a store that refuses rows of one key.
type choosy struct {
	*dicttest.Mem
	key dict.Key
}

func (s *choosy) Put(table string, rows ...dict.Row) error {
	for _, r := range rows {
		if r.Key == s.key {
			return fmt.Errorf("choosy: %w", dict.ErrInvalid)
		}
	}
	return s.Mem.Put(table, rows...)
}

// A row that is refused keeps no others of its batch out.
func TestOneBadRow(t *testing.T) {
	store := &choosy{Mem: dicttest.NewStandard(t), key: dict.AddrKey(netip.MustParseAddr("10.0.0.5"))}
	r := newRig(t, func(c *Config) { c.Store = store })
	var u neighbour.Update
	for i := range byte(10) {
		u.Neighbours = append(u.Neighbours, neighbour.Neighbour{Addr: netip.AddrFrom4([4]byte{10, 0, 0, i}), MAC: mac(i), Interface: "lan0"})
	}
	r.Neighbours(&u)
	r.Flush()
	n := 0
	for _, err := range store.Rows(dict.Hosts) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if s := r.Stats(); n != 9 || s.Failed != 1 {
		t.Errorf("%d rows; counted %+v", n, s)
	}
}

// What is said counts for who sent it, and of addresses for who has them.
func TestHeard(t *testing.T) {
	r := newRig(t, nil)
	one := netip.MustParseAddr("10.0.0.1")
	named := func(name, addr string) overheard.Named {
		return overheard.Named{Name: name, Addr: netip.MustParseAddr(addr)}
	}
	// Before the address is known.
	r.Heard(&overheard.Message{Source: overheard.DHCP, MAC: mac(1), Class: "MSFT 5.0", Names: []overheard.Named{{Name: "pc"}}})
	r.hear("10.0.0.1", mac(1), 0)
	r.hear("10.0.0.2", mac(2), 0)
	// A reflector answers for others; it has a name of its own, too.
	r.Heard(&overheard.Message{Source: overheard.MDNS, MAC: mac(2), From: netip.MustParseAddr("10.0.0.2"),
		Names:    []overheard.Named{named("victim", "10.0.0.1"), named("router", "10.0.0.2")},
		Services: []overheard.Service{{Type: "_pdl-datastream._tcp", Target: "victim"}, {Type: "_sonos._tcp"}, {Type: "_workstation._tcp", Target: "router"}}})
	r.Flush()
	const two = "10.0.0.2: mac_address=02:00:00:00:00:02 interface=lan0 hostname=router host_profile=computer/linux"
	r.want(dict.Hosts, "10.0.0.1: mac_address=02:00:00:00:00:01 interface=lan0 hostname=pc host_profile=computer/windows", two)
	// A source that is less trusted does not replace it.
	r.Heard(&overheard.Message{Source: overheard.LLMNR, MAC: mac(1), From: one, Names: []overheard.Named{{Name: "other"}}})
	r.Heard(&overheard.Message{Source: overheard.MDNS, MAC: mac(1), From: one, Names: []overheard.Named{named("a\x1bb", "10.0.0.1")}})
	r.take(evidence{one, mac(1), "Mozilla/5.0 (PlayStation 5)"})
	r.Flush()
	const changed = "10.0.0.1: mac_address=02:00:00:00:00:01 interface=lan0 hostname=pc host_profile=console http_user_agent=Mozilla/5.0 (PlayStation 5)"
	r.want(dict.Hosts, changed, two)
	r.want(dict.Devices, "02:00:00:00:00:01: interface=lan0 hostname=pc device_profile=console", "02:00:00:00:00:02: interface=lan0 hostname=router device_profile=computer/linux")
}

// Strangers that say much do not push out what known devices said.
func TestHeardIsBounded(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Hosts = 32 })
	r.hear("10.0.0.1", mac(1), 0)
	say := func(m [6]byte) {
		r.Heard(&overheard.Message{Source: overheard.DHCP, MAC: m, Names: []overheard.Named{{Name: "pc"}}})
	}
	say(mac(1))
	for i := range 1000 {
		r.clock.Advance(time.Second / 8)
		say([6]byte{6, 0, 0, 0, byte(i >> 8), byte(i)})
	}
	if n := len(r.said); n > 32 || r.said[mac(1)] == nil {
		t.Errorf("%d devices are heard", n)
	}
	many := overheard.Message{Source: overheard.MDNS, MAC: mac(1)}
	for i := range 100 {
		many.Services = append(many.Services, overheard.Service{Type: fmt.Sprintf("_s%d._tcp", i), Model: fmt.Sprint(i)})
	}
	r.Heard(&many)
	if s := r.said[mac(1)]; len(s.services) != maxServices || len(s.models) != maxModels {
		t.Errorf("%d services, %d models", len(s.services), len(s.models))
	}
	r.clock.Advance(2 * time.Hour)
	r.Tend()
	r.Tend()
	if len(r.said) != 0 {
		t.Errorf("%d devices are heard for ever", len(r.said))
	}
}
