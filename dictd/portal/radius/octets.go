// SPDX-License-Identifier: MIT

package radius

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"

	"nftdict/dictd/portal"
)

// limit is how a vendor grants bytes, both ways: two numbers of 32 bits, the second
// counts 4 GiB each.
type limit struct {
	vendor           uint32
	octets, gigwords byte
	name             string
}

var limits = []limit{
	{14559, 3, 23, "ChilliSpot-Max-Total-Octets"},
	{14988, 17, 18, "Mikrotik-Total-Limit"},
}

// volume returns how many bytes an Access-Accept grants, nil if it sets no bound: the
// least of what it says.
func volume(p *radius.Packet) (*int64, error) {
	var least *int64
	for _, l := range limits {
		low, there, err := vendorNumber(p, l.vendor, l.octets)
		high, more, failed := vendorNumber(p, l.vendor, l.gigwords)
		if err = errors.Join(err, failed); err != nil {
			return nil, fmt.Errorf("%s: %w", l.name, err)
		}
		if !there && !more {
			continue
		}
		n := uint64(high)<<32 | uint64(low)
		if n > math.MaxInt64 {
			return nil, fmt.Errorf("%s: %w", l.name, errZero)
		}
		if granted := int64(n); least == nil || granted < *least {
			least = &granted
		}
	}
	return least, nil
}

// vendorNumber returns a vendor's attribute that is a number (RFC 2865, 5.26).
func vendorNumber(p *radius.Packet, vendor uint32, typ byte) (n uint32, there bool, err error) {
	for _, avp := range p.Attributes {
		if avp.Type != rfc2865.VendorSpecific_Type {
			continue
		}
		id, b, err := radius.VendorSpecific(avp.Attribute)
		if err != nil {
			return 0, false, fmt.Errorf("Vendor-Specific: %w", err)
		}
		if id != vendor {
			continue
		}
		for len(b) >= 2 {
			size := int(b[1])
			if size < 2 || size > len(b) {
				return 0, false, errors.New("Vendor-Specific: it is cut")
			}
			if b[0] == typ {
				if size != 6 {
					return 0, false, fmt.Errorf("it has %d bytes, want 4", size-2)
				}
				n, there = binary.BigEndian.Uint32(b[2:]), true
			}
			b = b[size:]
		}
	}
	return n, there, nil
}

// figures says what a session has moved. Input is what came from the device.
func figures(p *radius.Packet, f *portal.Figures) error {
	return errors.Join(
		rfc2866.AcctInputOctets_Set(p, rfc2866.AcctInputOctets(uint32(f.BytesIn))),
		rfc2869.AcctInputGigawords_Set(p, rfc2869.AcctInputGigawords(f.BytesIn>>32)),
		rfc2866.AcctOutputOctets_Set(p, rfc2866.AcctOutputOctets(uint32(f.BytesOut))),
		rfc2869.AcctOutputGigawords_Set(p, rfc2869.AcctOutputGigawords(f.BytesOut>>32)),
		rfc2866.AcctInputPackets_Set(p, rfc2866.AcctInputPackets(uint32(f.PacketsIn))),
		rfc2866.AcctOutputPackets_Set(p, rfc2866.AcctOutputPackets(uint32(f.PacketsOut))))
}
