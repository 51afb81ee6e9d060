// SPDX-License-Identifier: MIT

package country

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"
)

// Table knows the country of addresses. It is immutable and may be used from
// many goroutines at once. A nil Table says of every address that nobody has
// looked.
type Table struct {
	info Info
	four stretches[uint32]
	six  stretches[address6]
}

// Info is what a database says of itself, and how much it holds.
type Info struct {
	Type      string    // "GeoLite2-Country", printable
	Built     time.Time // by its maker
	Stretches int       // of addresses in one country
	Size      int       // bytes of memory
}

// Info tells about the database.
func (t *Table) Info() Info { return t.info }

// Lookup returns the country of a, Local or Unknown. An IPv4 address that is
// mapped or embedded in an IPv6 one (6to4, NAT64) counts as itself. It does not
// allocate.
func (t *Table) Lookup(a netip.Addr) Code {
	if t == nil || !a.IsValid() {
		return 0
	}
	a = embedded(a)
	code := Code(0)
	switch {
	case isLocal(a):
		return Local
	case a.Is4():
		b := a.As4()
		n := binary.BigEndian.Uint32(b[:])
		low, high := t.four.between(bucket4(n))
		code = t.four.at(low + search4(t.four.first[low:high], n))
	default:
		n := of6(a)
		low, high := t.six.between(bucket6(n))
		code = t.six.at(low + search6(t.six.first[low:high], n))
	}
	if code == 0 {
		return Unknown
	}
	return code
}

// embedded returns the IPv4 address that an IPv6 one carries, else a itself.
func embedded(a netip.Addr) netip.Addr {
	if a.Is4() {
		return a
	}
	b := a.As16()
	switch {
	case a.Is4In6():
		return a.Unmap()
	case b[0] == 0x20 && b[1] == 0x02: // 6to4
		return netip.AddrFrom4([4]byte(b[2:6]))
	case [12]byte(b[:12]) == [12]byte{0x00, 0x64, 0xff, 0x9b}: // NAT64
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return a
}

// isLocal reports whether an address says nothing about where it is.
func isLocal(a netip.Addr) bool {
	switch {
	case a.IsPrivate(), a.IsLoopback(), a.IsUnspecified(), a.IsLinkLocalUnicast(), a.IsLinkLocalMulticast(), a.IsInterfaceLocalMulticast():
		return true
	case !a.Is4():
		return false
	}
	b := a.As4()
	return b[0] == 0 || b[0] == 100 && b[1]&0xc0 == 64 || // this network; shared, behind providers' NAT
		b[0] == 239 || b == [4]byte{255, 255, 255, 255} // multicast within a site; broadcast
}

// address6 is an IPv6 address as two halves, the upper first.
type address6 [2]uint64

func of6(a netip.Addr) address6 {
	b := a.As16()
	return address6{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// behind returns the address that follows the network of so many bits at a.
func (a address6) behind(bits int) address6 {
	if bits <= 64 {
		return address6{a[0] + 1<<(64-bits), 0}
	}
	low := a[1] + 1<<(128-bits)
	if low == 0 {
		a[0]++
	}
	return address6{a[0], low}
}

// search4 returns how many of the addresses, which are in order, do not lie
// behind a. It is written out, as is search6: a session waits for it.
func search4(first []uint32, a uint32) int {
	low, high := 0, len(first)
	for low < high {
		if mid := int(uint(low+high) / 2); first[mid] <= a {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// search6 is search4 for IPv6.
func search6(first []address6, a address6) int {
	low, high := 0, len(first)
	for low < high {
		mid := int(uint(low+high) / 2)
		if f := &first[mid]; f[0] < a[0] || f[0] == a[0] && f[1] <= a[1] {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// buckets is how many parts a search begins with: the upper 16 bits of IPv4, and
// of IPv6 those behind the three that all assigned addresses share.
const buckets = 1 << 16

// bucket4 returns the part that a lies in.
func bucket4(a uint32) int { return int(a >> 16) }

// bucket6 returns the part that a lies in: all below 2000::/3 in the first, all
// above it in the last.
func bucket6(a address6) int {
	switch top := a[0] >> 61; {
	case top < 1:
		return 0
	case top > 1:
		return buckets - 1
	}
	return int(a[0] >> 45 & (buckets - 1))
}

// stretches are addresses in order: each is the first that has its code, up to
// the next.
type stretches[A any] struct {
	first []A
	code  []Code   // 0: nothing is known
	start []uint32 // of each bucket, how many stretches begin before it; empty: nothing is known at all
}

// add notes that from a on, which lies behind all before, the code is c.
func (s *stretches[A]) add(a A, c Code) {
	if n := len(s.code); n == 0 && c == 0 || n > 0 && s.code[n-1] == c {
		return
	}
	s.first, s.code = append(s.first, a), append(s.code, c)
}

// at returns the code of an address that n stretches begin at or before.
func (s *stretches[A]) at(n int) Code {
	if n == 0 {
		return 0
	}
	return s.code[n-1]
}

// between returns where a search within a bucket begins and ends.
func (s *stretches[A]) between(bucket int) (low, high int) {
	if len(s.start) == 0 {
		return 0, 0
	}
	return int(s.start[bucket]), int(s.start[bucket+1])
}

// close gives back memory that is not needed and makes the buckets.
func (s *stretches[A]) close(bucket func(A) int) {
	s.first, s.code = slices.Clip(s.first), slices.Clip(s.code)
	if len(s.first) == 0 {
		return
	}
	s.start = make([]uint32, buckets+1)
	next := 0
	for i, a := range s.first {
		for b := bucket(a); next <= b; next++ {
			s.start[next] = uint32(i)
		}
	}
	for ; next <= buckets; next++ {
		s.start[next] = uint32(len(s.first))
	}
}

// size returns the bytes of memory that s takes, for one address of so many.
func (s *stretches[A]) size(address int) int {
	return (address+2)*len(s.first) + 4*len(s.start)
}
