// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// What of a flow is kept, unless the recipe says otherwise.
const (
	defaultPackets = 40
	defaultBytes   = 20 << 10
	defaultTime    = 90 * time.Second
)

// Recipe says how a capture is made. Scripts are of bash, run as root in the
// directory /recording, which both hosts share, with the addresses in $CLIENT,
// $SERVER, $CLIENT6 and $SERVER6; a command that fails ends its script.
type Recipe struct {
	Name string `toml:"-"` // of the file, without its suffix
	// About is one line on what the capture shows.
	About string `toml:"about"`
	// Packages of the distribution that the scripts need.
	Packages []string `toml:"packages"`
	// Names are host names that stand for the server, beside server.test.
	Names []string `toml:"names"`
	// Files are written before anything runs: path, from /recording, and text.
	Files map[string]string `toml:"files"`
	// Prepare is a script that runs to its end before the recording, at the server.
	Prepare string `toml:"prepare"`
	// Server is the script that runs at the server until the recording ends.
	Server string `toml:"server"`
	// Ready are the ports that the server must have opened before the client
	// starts, such as "tcp 80".
	Ready []string `toml:"ready"`
	// Client is the script whose end ends the recording.
	Client string `toml:"client"`
	// Late says that the recording starts with the first command of the client's
	// script, not before the server's.
	Late bool `toml:"late"`
	// Drop are ports whose packets are left out, such as "udp 53".
	Drop []string `toml:"drop"`
	// FlowPackets and FlowBytes (of IP packets) are how much of the start of
	// each flow is kept.
	FlowPackets int `toml:"flow_packets"`
	FlowBytes   int `toml:"flow_bytes"`
	// Seconds is how long the scripts may take.
	Seconds int `toml:"seconds"`
	// Tunnels says that the truth is about what is inside of tunnels.
	Tunnels bool `toml:"tunnels"`
	// Flow is the truth about the flows, which the classifier's test reads.
	Flow []map[string]any `toml:"flow"`
}

// Port is one of a transport's.
type Port struct {
	TCP    bool
	Number uint16
}

// ParsePort reads what a recipe writes for a port.
func ParsePort(s string) (Port, error) {
	kind, number, _ := strings.Cut(s, " ")
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil || kind != "tcp" && kind != "udp" {
		return Port{}, fmt.Errorf("port %q: want \"tcp N\" or \"udp N\"", s)
	}
	return Port{kind == "tcp", uint16(n)}, nil
}

// ReadRecipe reads NAME.toml in dir. A field that is not known is an error.
func ReadRecipe(dir, name string) (*Recipe, error) {
	path := filepath.Join(dir, name+".toml")
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &Recipe{Name: name}
	d := toml.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(r); err != nil {
		if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok {
			return nil, fmt.Errorf("%s: no such field:\n%s", path, strict.String())
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if r.About == "" || r.Client == "" || len(r.Flow) == 0 {
		return nil, fmt.Errorf("%s: a recipe has about, client and flow", path)
	}
	for _, s := range append(append([]string{}, r.Ready...), r.Drop...) {
		if _, err := ParsePort(s); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	if r.FlowPackets == 0 {
		r.FlowPackets = defaultPackets
	}
	if r.FlowBytes == 0 {
		r.FlowBytes = defaultBytes
	}
	return r, nil
}

// Limit returns how long the scripts may take.
func (r *Recipe) Limit() time.Duration {
	if r.Seconds > 0 {
		return time.Duration(r.Seconds) * time.Second
	}
	return defaultTime
}
