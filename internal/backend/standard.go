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
// lack. Another process may be doing the same. What cannot be mended so is told by
// Differences.
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
		if t.Open || t.Key != want.Key {
			continue // a user's, from before there was a standard one: it can be deleted only if this goes on
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

// Differences returns in what the standard tables are not those of this version, an
// error for each table, nil if they are. Tables outlive programs: an older version's
// may have an alias as a field of its own, or a field that a user added before this
// version had one of the name. A rule on the one never matches then, and every row
// with the other is refused.
func Differences(s dict.Store) []error {
	var all []error
	for _, want := range dict.Standard(dict.DefaultLimit) {
		t, err := s.Table(want.Name)
		if err == nil {
			err = differs(&t, &want)
		}
		if err != nil {
			all = append(all, fmt.Errorf("table %s: %w", want.Name, err))
		}
	}
	return all
}

func differs(t, want *dict.Table) error {
	if t.Open {
		return errors.New("it is open")
	}
	if t.Key != want.Key {
		return fmt.Errorf("its key is %s, not %s", t.Key, want.Key)
	}
	var errs []error
	for _, f := range want.Fields {
		i := t.Index(f.Name)
		if i < 0 {
			errs = append(errs, fmt.Errorf("there is no field %s, and one of its names is another's", f.Name))
			continue
		}
		if has := t.Fields[i]; has.Type != f.Type || has.Default != f.Default {
			errs = append(errs, fmt.Errorf("field %s is %s, not %s", f.Name, typed(has), typed(f)))
		}
		for _, alias := range f.Aliases {
			if t.Index(alias) != i {
				errs = append(errs, fmt.Errorf("%s is no name of field %s", alias, f.Name))
			}
		}
	}
	return errors.Join(errs...)
}

// typed says what a field is.
func typed(f dict.Field) string {
	if f.Default.IsZero() {
		return f.Type.String()
	}
	return f.Type.String() + " default " + f.Default.Text()
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
