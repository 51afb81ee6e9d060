// SPDX-License-Identifier: MIT

package identity

import (
	"testing"

	"nftdict/dictd/identity/overheard"
)

// What many say who are not there is bounded by itself.
func TestStrangersAreBounded(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Hosts = 65536 })
	for i := range 3 * maxStrangers {
		mac, _ := numbered(i)
		r.Heard(&overheard.Message{Source: overheard.DHCP, MAC: mac, Class: "MSFT 5.0"})
	}
	if len(r.said) > maxStrangers {
		t.Errorf("what %d devices said is kept, want %d at most", len(r.said), maxStrangers)
	}
}

// The kind of a device is what the first of its clues speaks for, whenever it is
// asked.
func TestProfileIsTheFirstClue(t *testing.T) {
	r := newRig(t, nil)
	r.hear("10.0.0.1", mac(1), 0)
	texts := func(text string) *overheard.Message {
		return &overheard.Message{Source: overheard.MDNS, MAC: mac(1), Services: []overheard.Service{{Type: text}}}
	}
	model := texts("_adisk._tcp")
	model.Services[0].Model = "MacBookPro18,3"
	v := r.devices[mac(1)]
	for _, m := range []*overheard.Message{
		texts("_nobody._tcp"), texts("_spotify-connect._tcp"), texts("_ipp._tcp"), texts("_matter._tcp"),
		{Source: overheard.DHCP, MAC: mac(1), Class: "MSFT 5.0", Names: []overheard.Named{{Name: "ps5-den"}}},
		{Source: overheard.DHCP, MAC: mac(1), Options: "1,121,3,6,15,119,252"}, model, {Source: overheard.DHCP, MAC: mac(1), Class: "nothing"},
	} {
		r.Heard(m)
		if got, want := r.profile(v, v.hosts...), r.clues(v, v.hosts...)[0].Profile; got != want {
			t.Errorf("after %+v: %q, want %q", m, got, want)
		}
	}
}
