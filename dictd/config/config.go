// SPDX-License-Identifier: MIT

package config

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"nftdict/classifier/vendor"
	"nftdict/dict"
	"nftdict/dictd/quota/plan"
)

// Config is the whole configuration. Default has every value filled in.
type Config struct {
	Backend   string   `toml:"backend"`   // auto, kmod or ebpf
	Fail      string   `toml:"fail"`      // open or closed
	Socket    string   `toml:"socket"`    // path of the control socket
	LogLevel  string   `toml:"log_level"` // debug, info, warn or error
	State     string   `toml:"state"`     // directory of what survives a restart
	Domains   string   `toml:"domains"`   // file of domains, added to the built-in table
	Countries string   `toml:"countries"` // file in MaxMind's format; empty: none
	Vendors   []string `toml:"vendors"`   // registries of hardware addresses, or vendor.Auto alone
	Queues    Queues   `toml:"queues"`
	Rules     Rules    `toml:"rules"`
	Sessions  Sessions `toml:"sessions"`
	Reverse   Reverse  `toml:"reverse"`
	RADIUS    RADIUS   `toml:"radius"`
	Identity  Identity `toml:"identity"`
	API       API      `toml:"api"`
	Ledger    Ledger   `toml:"ledger"`
	Quota     Quota    `toml:"quota"`
	Offload   Offload  `toml:"offload"`
	Portal    Portal   `toml:"portal"`
	Operator  Operator `toml:"operator"`

	Plans []plan.Spec `toml:"plan"` // checked; QuotaPlans reads them
}

// API says who may use the control socket beside root: "user:NAME", "group:NAME",
// with an id in a name's place, too.
type API struct {
	Read  []string `toml:"read"`  // who may ask
	Write []string `toml:"write"` // who may ask and change
}

// Queues says how packets reach the daemon.
type Queues struct {
	First  int  `toml:"first"`  // number of the first queue
	Count  int  `toml:"count"`  // queues; twice as many numbers are used
	Fanout bool `toml:"fanout"` // spread by CPU
	Length int  `toml:"length"` // packets that may wait in a queue
	Copy   int  `toml:"copy"`   // bytes of a packet to look at
	Buffer int  `toml:"buffer"` // bytes of each socket's receive buffer
}

// Rules says what the daemon's nft table is like.
type Rules struct {
	Table     string `toml:"table"`
	Priority  int    `toml:"priority"`
	FinishBit uint32 `toml:"finish_bit"`     // bit of the conntrack mark; 0 means none
	Remove    bool   `toml:"remove_on_stop"` // else they stay, and bypass
}

// Sessions bounds what is kept and how long is looked.
type Sessions struct {
	Limit   int    `toml:"limit"`   // most sessions; 0 means nf_conntrack_max
	Packets uint32 `toml:"packets"` // packets of a connection to look at
	Bytes   int    `toml:"bytes"`   // bytes of a connection to look at
	// Certificates has the server's first messages looked at, too.
	Certificates bool `toml:"certificates"`
}

// Identity says who is known behind addresses, and how long.
type Identity struct {
	Leases     []string `toml:"leases"`     // files of DHCP servers
	Interfaces []string `toml:"interfaces"` // inside; none means all but where default routes leave
	Overhear   bool     `toml:"overhear"`   // what devices say to all of their link
	Hosts      int      `toml:"hosts"`      // most addresses; 0 looks at none
	Addresses  int      `toml:"addresses"`  // most addresses of a device
	Age        int      `toml:"age"`        // seconds after which a quiet address is forgotten
}

// Closed reports whether packets are dropped while the daemon is away.
func (c *Config) Closed() bool { return c.Fail == "closed" }

// Default returns the configuration of an empty file.
func Default() Config {
	return Config{
		Backend: "auto", Fail: "open", Socket: DefaultSocket, LogLevel: "info", State: DefaultState, Vendors: []string{vendor.Auto},
		Queues:   Queues{First: 5300, Count: 2, Fanout: true, Length: 4096, Copy: 65535, Buffer: 8 << 20},
		Rules:    Rules{Table: "dictd", Priority: -145, FinishBit: 1 << 30},
		Sessions: Sessions{Packets: 64, Bytes: 64 << 10, Certificates: true},
		Ledger:   Ledger{Accounting: true, Period: 4, Inside: usualInside(), RecordsSize: 64 << 20},
		Identity: Identity{Leases: usualLeases(), Interfaces: []string{}, Overhear: true, Hosts: 16384, Addresses: 64, Age: 86400},
		Quota:    defaultQuota(),
		Offload:  defaultOffload(),
		Portal:   defaultPortal(),
		Operator: Operator{Listen: "127.0.0.1:8790", Passwords: DefaultPasswords, Idle: 900, Session: 43200},
		Reverse:  Reverse{Names: ReverseInside, Servers: []string{}, Rate: 20},
		RADIUS:   RADIUS{Listen: []string{}, Timeout: 3600, Groups: []string{"Filter-Id", "Class"}},
		API:      API{Read: []string{}, Write: []string{}},
	}
}

// DefaultPath is the file that the daemon reads unless another is named.
const DefaultPath = "/etc/dictd/dictd.toml"

// usualLeases are where dnsmasq and Kea keep their leases.
func usualLeases() []string {
	return []string{"/var/lib/misc/dnsmasq.leases", "/var/lib/kea/kea-leases4.csv", "/var/lib/kea/kea-leases6.csv"}
}

// DefaultSocket is where the daemon listens and its clients look.
const DefaultSocket = "/run/dictd.sock"

// DefaultState is the directory of what survives a restart.
const DefaultState = "/var/lib/dictd"

//go:embed dictd.toml
var example string

// Example returns a commented file that says what Default does.
func Example() string { return example }

// Load reads a file.
func Load(path string) (Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	c, err := Parse(text)
	if err != nil {
		return Config{}, fmt.Errorf("%s:%w", path, err)
	}
	return c, nil
}

// Parse reads the text of a file over the defaults and checks it. The error
// begins with line and column where it has a place.
func Parse(text []byte) (Config, error) {
	c := Default()
	d := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return Config{}, explain(err)
	}
	if err := c.check(); err != nil {
		return Config{}, fmt.Errorf(" %w", err)
	}
	return c, nil
}

// explain puts the library's errors on one line each.
func explain(err error) error {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) {
		var errs []error
		for _, e := range unknown.Errors {
			row, col := e.Position()
			errs = append(errs, fmt.Errorf("%d:%d: key %s: unknown", row, col, dict.Quote(strings.Join(e.Key(), "."))))
		}
		return errors.Join(errs...)
	}
	var bad *toml.DecodeError
	if errors.As(err, &bad) {
		row, col := bad.Position()
		text := strings.TrimPrefix(bad.Error(), "toml: ")
		if key := strings.Join(bad.Key(), "."); key != "" {
			return fmt.Errorf("%d:%d: key %s: %s", row, col, dict.Quote(key), text)
		}
		return fmt.Errorf("%d:%d: %s", row, col, text)
	}
	return fmt.Errorf(" %w", err)
}

// check refuses what cannot work; it names all of it.
func (c *Config) check() error {
	var errs []error
	oneOf := func(key, v string, words ...string) {
		for _, w := range words {
			if v == w {
				return
			}
		}
		errs = append(errs, fmt.Errorf("%s %s: %w: want %s", key, dict.Quote(v), dict.ErrInvalid, strings.Join(words, ", ")))
	}
	within := func(key string, v, lo, hi int) {
		if v < lo || v > hi {
			errs = append(errs, fmt.Errorf("%s %d: %w: want %d to %d", key, v, dict.ErrRange, lo, hi))
		}
	}
	oneOf("backend", c.Backend, "auto", "kmod", "ebpf")
	oneOf("fail", c.Fail, "open", "closed")
	oneOf("log_level", c.LogLevel, "debug", "info", "warn", "error")
	if c.Socket == "" {
		errs = append(errs, fmt.Errorf("socket \"\": %w: want a path", dict.ErrInvalid))
	}
	for _, path := range c.Vendors {
		if path == "" || path == vendor.Auto && len(c.Vendors) > 1 {
			errs = append(errs, fmt.Errorf("vendors %s: %w: want files, or \"auto\" alone", dict.Quote(path), dict.ErrInvalid))
		}
	}
	within("queues.count", c.Queues.Count, 1, 256)
	within("queues.first", c.Queues.First, 0, 1<<16-2*c.Queues.Count)
	within("queues.length", c.Queues.Length, 1, 1<<20)
	within("queues.copy", c.Queues.Copy, 256, 65535)
	within("queues.buffer", c.Queues.Buffer, 64<<10, 1<<30)
	if _, err := dict.CheckName(c.Rules.Table); err != nil {
		errs = append(errs, fmt.Errorf("rules.table: %w", err))
	}
	// Conntrack looks at packets at -200; addresses are translated at -100.
	within("rules.priority", c.Rules.Priority, -199, -102)
	if bits.OnesCount32(c.Rules.FinishBit) > 1 {
		errs = append(errs, fmt.Errorf("rules.finish_bit %#x: %w: want one bit, or 0 for none", c.Rules.FinishBit, dict.ErrInvalid))
	}
	within("sessions.limit", c.Sessions.Limit, 0, 1<<24)
	within("sessions.packets", int(c.Sessions.Packets), 1, 65535)
	within("sessions.bytes", c.Sessions.Bytes, 1<<10, 16<<20)
	if c.State == "" {
		errs = append(errs, fmt.Errorf("state \"\": %w: want a directory", dict.ErrInvalid))
	}
	oneOf("reverse.names", c.Reverse.Names, ReverseInside, ReverseAll, ReverseOff)
	within("reverse.rate", c.Reverse.Rate, 1, 1000)
	errs = append(errs, c.Reverse.check()...)
	within("radius.timeout", c.RADIUS.Timeout, 60, 31*86400)
	errs = append(errs, c.RADIUS.check()...)
	within("identity.hosts", c.Identity.Hosts, 0, 65536)
	within("identity.addresses", c.Identity.Addresses, 1, 4096)
	within("identity.age", c.Identity.Age, 60, 366*86400)
	for _, path := range c.Identity.Leases {
		if !filepath.IsAbs(path) {
			errs = append(errs, fmt.Errorf("identity.leases %s: %w: want whole paths of files", dict.Quote(path), dict.ErrInvalid))
		}
	}
	for _, name := range slices.Concat(c.API.Read, c.API.Write) {
		if word, of, _ := strings.Cut(name, ":"); of == "" || word != "user" && word != "group" {
			errs = append(errs, fmt.Errorf("api %s: %w: want user:NAME or group:NAME", dict.Quote(name), dict.ErrInvalid))
		}
	}
	for _, name := range c.Identity.Interfaces {
		if !isInterface(name) {
			errs = append(errs, fmt.Errorf("identity.interfaces %s: %w: want names of interfaces", dict.Quote(name), dict.ErrInvalid))
		}
	}
	errs = append(errs, c.Ledger.check()...)
	within("operator.idle", c.Operator.Idle, 60, 86400)
	within("operator.session", c.Operator.Session, 60, 30*86400)
	errs = append(errs, c.Operator.check()...)
	errs = append(errs, c.checkQuota(), c.checkOffload(), c.Portal.check(), c.checkPortal())
	return errors.Join(errs...)
}
