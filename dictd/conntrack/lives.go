// SPDX-License-Identifier: MIT

package conntrack

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Lives returns how long a network namespace (0 means the caller's) keeps the entry of
// a connection that is open and silent.
func Lives(netns int) (func(*Flow) time.Duration, error) {
	var tcp, udp time.Duration
	err := inside(netns, func() (err error) {
		if tcp, err = seconds("nf_conntrack_tcp_timeout_established"); err != nil {
			return err
		}
		udp, err = seconds("nf_conntrack_udp_timeout_stream")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("conntrack timeouts: %w", err)
	}
	return func(f *Flow) time.Duration {
		if f.Orig.Proto == unix.IPPROTO_TCP {
			return tcp
		}
		return udp
	}, nil
}

func seconds(name string) (time.Duration, error) {
	text, err := os.ReadFile("/proc/sys/net/netfilter/" + name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 31)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return time.Duration(n) * time.Second, nil
}
