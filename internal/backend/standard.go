// SPDX-License-Identifier: MIT

package backend

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"nftdict/dict"
)

// addStandard makes the standard tables, or the fields that an older version's
// lack. Another process may be doing the same.
func addStandard(s dict.Store, sessions int) error {
	if sessions == 0 {
		sessions = conntrackMax()
	}
	for _, want := range dict.Standard(sessions) {
		t, err := s.Table(want.Name)
		if errors.Is(err, dict.ErrNotExist) {
			if err = s.AddTable(want); errors.Is(err, dict.ErrExist) {
				err = nil
			}
			if err != nil {
				return fmt.Errorf("standard tables: %w", err)
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("standard tables: %w", err)
		}
		for _, f := range want.Fields {
			if t.Index(f.Name) >= 0 {
				continue
			}
			if err := s.AddFields(t.Name, f); err != nil && !errors.Is(err, dict.ErrExist) {
				return fmt.Errorf("standard tables: %w", err)
			}
		}
	}
	return nil
}

// conntrackMax returns how many connections the kernel tracks at most, or the
// default limit of a table where it does not say.
func conntrackMax() int {
	text, err := os.ReadFile("/proc/sys/net/netfilter/nf_conntrack_max")
	if err != nil {
		return dict.DefaultLimit
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || n <= 0 {
		return dict.DefaultLimit
	}
	return min(n, dict.MaxLimit)
}
