// SPDX-License-Identifier: MIT

package fakenic

import (
	"os"
	"strconv"
	"testing"
	"time"

	"nftdict/internal/lab"
	"nftdict/internal/need"
)

// file is where the module is spoken to, in the namespace of the thread.
const file = "/proc/thread-self/net/fakenic"

// Card is the card of one namespace.
type Card struct {
	tb testing.TB
	ns *lab.Namespace
}

// New returns the card of a namespace, which has the devices from now on: their
// feature hw-tc-offload is on. Flowtables made before know nothing of it.
func New(tb testing.TB, ns *lab.Namespace, devices ...string) *Card {
	tb.Helper()
	need.Feature(tb, "fakenic", func() error {
		return ns.Do(func() error {
			_, err := os.Stat(file)
			return err
		})
	})
	c := &Card{tb, ns}
	c.Claim(devices...)
	return c
}

// Claim gives the card more devices.
func (c *Card) Claim(devices ...string) {
	c.tb.Helper()
	for _, d := range devices {
		c.tell("claim " + d)
	}
}

// Refuse lets the card refuse n rules to come, all of them where n is negative.
func (c *Card) Refuse(n int) {
	c.tb.Helper()
	if n < 0 {
		c.tell("refuse all")
		return
	}
	c.tell("refuse " + strconv.Itoa(n))
}

// Forward sets whether the card forwards what its rules match, or lets the stack.
func (c *Card) Forward(on bool) { c.tb.Helper(); c.tell("forward " + onOff(on)) }

// Learn has the card take so long over each rule to come, for each device.
func (c *Card) Learn(d time.Duration) {
	c.tb.Helper()
	c.tell("learn " + strconv.FormatInt(d.Milliseconds(), 10))
}

// Count sets whether the card tells of what it forwards.
func (c *Card) Count(on bool) { c.tb.Helper(); c.tell("count " + onOff(on)) }

// State returns what the card has and has done.
func (c *Card) State() State {
	c.tb.Helper()
	var text []byte
	err := c.ns.Do(func() (err error) {
		text, err = os.ReadFile(file)
		return err
	})
	if err != nil {
		c.tb.Fatal(err)
	}
	s, err := parse(string(text))
	if err != nil {
		c.tb.Fatal(err)
	}
	return s
}

func (c *Card) tell(command string) {
	c.tb.Helper()
	err := c.ns.Do(func() error { return os.WriteFile(file, []byte(command), 0) })
	if err != nil {
		c.tb.Fatalf("fakenic: %q: %v", command, err)
	}
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
