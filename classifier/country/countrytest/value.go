// SPDX-License-Identifier: MIT

package countrytest

import (
	"fmt"
	"maps"
	"slices"
)

// Types of values as the format numbers them. Those above 7 stand in a byte of
// their own, less 7.
const (
	typeString = 2
	typeUint16 = 5
	typeUint32 = 6
	typeMap    = 7
	typeUint64 = 9
	typeArray  = 11
)

// encode appends a value.
func encode(b []byte, v any) []byte {
	switch v := v.(type) {
	case Record:
		b = control(b, typeMap, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			b = encode(encode(b, name), v[name])
		}
		return b
	case []string:
		b = control(b, typeArray, len(v))
		for _, s := range v {
			b = encode(b, s)
		}
		return b
	case string:
		return append(control(b, typeString, len(v)), v...)
	case uint16:
		return number(b, typeUint16, uint64(v))
	case uint32:
		return number(b, typeUint32, uint64(v))
	case uint64:
		return number(b, typeUint64, v)
	}
	panic(fmt.Sprintf("countrytest: a value of type %T", v))
}

// control appends what stands before a value: its type and its size.
func control(b []byte, kind, size int) []byte {
	short, more := size, -1
	switch {
	case size >= 29+256:
		panic("countrytest: a value of more than 284 parts")
	case size >= 29:
		short, more = 29, size-29
	}
	if kind > 7 {
		b = append(b, byte(short), byte(kind-7))
	} else {
		b = append(b, byte(kind<<5|short))
	}
	if more >= 0 {
		b = append(b, byte(more))
	}
	return b
}

// number appends an unsigned number in as few bytes as it needs.
func number(b []byte, kind int, n uint64) []byte {
	var bytes []byte
	for ; n > 0; n >>= 8 {
		bytes = append(bytes, byte(n))
	}
	slices.Reverse(bytes)
	return append(control(b, kind, len(bytes)), bytes...)
}
