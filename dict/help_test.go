// SPDX-License-Identifier: MIT

package dict_test

import "net/netip"

func netipAddr(s string) netip.Addr { return netip.MustParseAddr(s) }
