// SPDX-License-Identifier: MIT

package rule

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// Protocol is a transport protocol, by its number in IP headers.
type Protocol uint8

// The protocols that nft knows by name.
const (
	ICMP    Protocol = unix.IPPROTO_ICMP
	IGMP    Protocol = unix.IPPROTO_IGMP
	TCP     Protocol = unix.IPPROTO_TCP
	UDP     Protocol = unix.IPPROTO_UDP
	DCCP    Protocol = unix.IPPROTO_DCCP
	GRE     Protocol = unix.IPPROTO_GRE
	ESP     Protocol = unix.IPPROTO_ESP
	AH      Protocol = unix.IPPROTO_AH
	ICMPv6  Protocol = unix.IPPROTO_ICMPV6
	SCTP    Protocol = unix.IPPROTO_SCTP
	UDPLite Protocol = unix.IPPROTO_UDPLITE
)

// String returns the protocol as nft writes it.
func (p Protocol) String() string {
	switch p {
	case ICMP:
		return "icmp"
	case IGMP:
		return "igmp"
	case TCP:
		return "tcp"
	case UDP:
		return "udp"
	case DCCP:
		return "dccp"
	case GRE:
		return "gre"
	case ESP:
		return "esp"
	case AH:
		return "ah"
	case ICMPv6:
		return "ipv6-icmp"
	case SCTP:
		return "sctp"
	case UDPLite:
		return "udplite"
	}
	return strconv.Itoa(int(p))
}

// Family is a network protocol of packets.
type Family uint8

// The families.
const (
	IPv4 Family = unix.NFPROTO_IPV4
	IPv6 Family = unix.NFPROTO_IPV6
)

// String returns the family as nft writes it in conditions.
func (f Family) String() string {
	switch f {
	case IPv4:
		return "ipv4"
	case IPv6:
		return "ipv6"
	}
	return strconv.Itoa(int(f))
}

// unsigned is what registers hold numbers in.
type unsigned interface {
	~uint8 | ~uint16 | ~uint32 | ~uint64
}

// hostOrder encodes numbers in this machine's order, with the text of format.
func hostOrder[T unsigned](format func(T) string) func(T) (value, error) {
	return func(v T) (value, error) {
		b, err := binary.Append(nil, binary.NativeEndian, v)
		return value{data: b, text: format(v)}, err
	}
}

// netOrder encodes numbers as packets carry them.
func netOrder[T unsigned](format func(T) string) func(T) (value, error) {
	return func(v T) (value, error) {
		b, err := binary.Append(nil, binary.BigEndian, v)
		return value{data: b, text: format(v)}, err
	}
}

func decimal[T unsigned](v T) string { return strconv.FormatUint(uint64(v), 10) }

func mark(v uint32) string { return fmt.Sprintf("0x%08x", v) }

func named[T interface {
	unsigned
	fmt.Stringer
}](v T) string {
	return v.String()
}

// address encodes addresses of one family.
func address(family Family) func(netip.Addr) (value, error) {
	return func(a netip.Addr) (value, error) {
		if a.Zone() != "" || a.Is4() != (family == IPv4) || !a.IsValid() {
			return value{}, fmt.Errorf("address %s: %w: want one of %s", a, dict.ErrInvalid, family)
		}
		return value{data: a.AsSlice(), text: a.String()}, nil
	}
}

// ethernet encodes hardware addresses.
func ethernet(a net.HardwareAddr) (value, error) {
	const length = 6
	if len(a) != length {
		return value{}, fmt.Errorf("hardware address %s: %w: want %d bytes", a, dict.ErrInvalid, length)
	}
	return value{data: []byte(a), text: a.String()}, nil
}

// ifname encodes names of interfaces. One that ends in * is a wildcard, unless
// a backslash is before the *.
func ifname(name string) (value, error) {
	if name == "" || len(strings.TrimSuffix(strings.TrimSuffix(name, "*"), `\`)) >= unix.IFNAMSIZ || strings.ContainsAny(name, "\x00\"/ \n\t") {
		return value{}, fmt.Errorf("interface %s: %w: want 1 to %d characters", dict.Quote(name), dict.ErrInvalid, unix.IFNAMSIZ-1)
	}
	text := quote(name)
	if begin, ok := strings.CutSuffix(name, "*"); ok && !strings.HasSuffix(begin, `\`) {
		if begin == "" {
			return value{}, fmt.Errorf("interface %s: %w: every packet has one: leave the condition out", dict.Quote(name), dict.ErrInvalid)
		}
		return value{data: []byte(begin), text: text, prefix: true}, nil
	} else if ok {
		name = strings.TrimSuffix(begin, `\`) + "*"
	}
	b := make([]byte, unix.IFNAMSIZ)
	copy(b, name)
	return value{data: b, text: text}, nil
}

// boolean encodes what nft writes as exists and missing, or 1 and 0: a number
// of size bytes in host order.
func boolean(size int, yes, no string) func(bool) (value, error) {
	return func(v bool) (value, error) {
		if !v {
			return value{data: zeros(size), text: no}, nil
		}
		if size == 1 {
			return value{data: []byte{1}, text: yes}, nil
		}
		return value{data: native(1), text: yes}, nil
	}
}
