// SPDX-License-Identifier: MIT

package lab_test

import (
	"errors"
	"testing"

	"nftdict/internal/lab"
	"nftdict/internal/need"
)

// client eth0 ---- eth0 server
func TestPair(t *testing.T) {
	need.Root(t)
	p, err := lab.NewPair(timeout(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(p.Close(), p.Close()); err != nil {
			t.Error(err)
		}
	})
	capture, err := p.Server.Capture("eth0")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(p.Client.Ping(timeout(t), lab.PairServer4), p.Client.Ping(timeout(t), lab.PairServer6),
		p.Server.Ping(timeout(t), lab.PairClient4)); err != nil {
		t.Error(err)
	}
	if packets, err := capture.Packets(); err != nil || len(packets) < 6 {
		t.Errorf("%d packets seen, %v", len(packets), err)
	}
}
