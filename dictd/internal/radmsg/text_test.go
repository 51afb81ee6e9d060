// SPDX-License-Identifier: MIT

package radmsg

import "testing"

func TestMAC(t *testing.T) {
	want := [6]byte{2, 0xab, 0xcd, 0xef, 1, 2}
	for _, text := range []string{"02-AB-CD-EF-01-02", "02:ab:cd:ef:01:02", "02ab.cdef.0102", "02abcdef0102", "02-AB-CD-EF-01-02:home"} {
		if got, ok := MAC(text); !ok || got != want {
			t.Errorf("%q: %x, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "02-ab-cd-ef-01", "0033612345", "bob", "01-00-5e-00-00-01", "00-00-00-00-00-00", "02-ab-cd-ef-01-0g"} {
		if got, ok := MAC(text); ok {
			t.Errorf("%q: %x", text, got)
		}
	}
}
