// SPDX-License-Identifier: MIT

// Package vendor tells who made a network card, from the beginning of its
// hardware address: 24, 28 or 36 bits that the IEEE gives to makers (MA-L, MA-M,
// MA-S and the older IAB). It reads the registries that machines have: the IEEE's
// oui.csv, mam.csv, oui36.csv and iab.csv, and the same as .txt (Debian's
// ieee-data, hwdata), Wireshark's manuf, nmap's nmap-mac-prefixes and arp-scan's
// ieee-oui.txt. Each line says by itself which of them it is of.
//
//	t, err := vendor.Open(vendor.Installed()...)
//	...
//	t.Lookup([6]byte{0x00, 0x00, 0x0c, 1, 2, 3}) // "Cisco Systems, Inc"
//
// It refuses to name who did not make anything: addresses that are locally
// administered, as those are that phones draw by lot, addresses of groups, makers
// that keep their name private, and the registry itself, which holds what it has
// cut up for others. It refuses files, lines and numbers of entries beyond fixed
// bounds. A name is valid UTF-8 of at most MaxName bytes without control
// characters.
package vendor
