// SPDX-License-Identifier: MIT

package genl

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestRefusalText(t *testing.T) {
	for want, r := range map[string]refusal{
		"table is full":                 {unix.ENOSPC, "table is full"},
		"table is full: 64 fields":      {unix.ENOSPC, "64 fields"},
		"table is full: no room":        {unix.ENOSPC, "no room"},
		"does not exist":                {unix.ENOENT, ""},
		"in use: a rule uses the table": {unix.EBUSY, "a rule uses the table"},
		"permission denied: needs CAP_NET_ADMIN, in the user namespace of the network namespace": {unix.EPERM, ""},
	} {
		if got := r.Error(); got != want {
			t.Errorf("%v %q: %q, want %q", r.errno, r.text, got, want)
		}
	}
}
