// SPDX-License-Identifier: MIT

// Package country tells in which country an address is, from a database in
// MaxMind's format (MMDB): GeoLite2, GeoIP2, DB-IP, IPinfo and others, of
// countries or of cities.
//
//	t, err := country.Open("/var/lib/GeoIP/GeoLite2-Country.mmdb")
//	...
//	t.Lookup(netip.MustParseAddr("192.0.2.1")).String() // "NL", "XU", ...
//
// A database is walked once, from end to end, and made into a Table of its own:
// the first address of each stretch of one country, and that country. So a file
// that is replaced, cut short or taken away afterwards does no harm, and what is
// broken in it is found when it is opened and never when a packet waits.
//
// It refuses a file whose tree or countries contradict themselves anywhere, one
// that tells no countries, and one beyond MaxSize. It keeps nothing of a database
// but countries, fetches none, and asks nobody about an address.
package country
