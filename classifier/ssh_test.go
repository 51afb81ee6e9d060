// SPDX-License-Identifier: MIT

package classifier

import (
	"strings"
	"testing"
)

func TestSSH(t *testing.T) {
	type turn struct {
		dir Dir
		in  string
	}
	tests := []struct {
		name   string
		turns  []turn
		banner string
		detail string
		state  State
	}{
		{"server first", []turn{{Reply, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"}}, "SSH-2.0-OpenSSH_9.2p1 Debian-2", "OpenSSH_9.2p1 Debian-2", Done},
		{"client first", []turn{{Original, "SSH-2.0-PuTTY\r\n"}}, "SSH-2.0-PuTTY", "PuTTY", More},
		{"both", []turn{{Original, "SSH-2.0-PuTTY\r\n"}, {Reply, "SSH-1.99-Cisco\n"}}, "SSH-1.99-Cisco", "Cisco", Done},
		{"banner incomplete", []turn{{Reply, "SSH-2.0-Open"}}, "", "", More},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newConversation(t, New(Options{}))
			v.open()
			state := More
			for _, turn := range tt.turns {
				state = v.at(turn.dir, 0, []byte(turn.in))
			}
			r := v.s.Result()
			if r.Protocol != "SSH" || r.Application != "SSH" || r.Category != "remote" || r.SSHBanner != tt.banner || r.Detail != tt.detail || state != tt.state {
				t.Errorf("state %v, %+v", state, r)
			}
		})
	}
	for name, in := range map[string]string{
		"no version":      "SSH-x.0-OpenSSH\r\n",
		"control in name": "SSH-2.0-Open\x07SSH\r\n",
		"endless":         "SSH-2.0-" + strings.Repeat("a", 300),
		"another word":    "SSL-2.0-a\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			v := newConversation(t, New(Options{}))
			v.at(Reply, 0, []byte(in))
			if r := v.s.Result(); r.Protocol != "" {
				t.Errorf("got %+v", r)
			}
		})
	}
}

func FuzzSSH(f *testing.F) {
	f.Add([]byte("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), 9)
	f.Add([]byte("SSH-1.99-\n"), 4)
	c := New(Options{})
	f.Fuzz(func(t *testing.T, b []byte, cut int) { fuzzStream(t, c, b, cut) })
}
