// SPDX-License-Identifier: MIT

package classifier

// memcachedHeader is the size of a header of memcached's binary protocol.
const memcachedHeader = 24

// memcachedBinary reads the header of a request or an answer of the binary
// protocol: which sizes go together depends on the command.
func memcachedBinary(b []byte) verdict {
	if b[0] != 0x80 && b[0] != 0x81 {
		return no
	}
	if len(b) < memcachedHeader {
		if len(b) > 5 && b[5] != 0 {
			return no
		}
		return wait
	}
	key, extras, body, cas := be16(b[2:]), int(b[4]), num32(b[8:]), num32(b[16:])|num32(b[20:])
	if b[5] != 0 || key > 250 || key+extras > body || body > 1<<20 {
		return no
	}
	fits := false
	if b[0] == 0x81 { // instead of a partition, a status
		status := be16(b[6:])
		fits = b[1] <= 0x22 && status <= 0x86 && (extras == 0 || extras == 4) && (status == 0 || key == 0 && extras == 0 && body < 64)
	} else {
		switch b[1] {
		case 0x00, 0x09, 0x0c, 0x0d, 0x04, 0x14: // get and its kin, delete
			fits = extras == 0 && key > 0 && body == key
		case 0x01, 0x02, 0x03, 0x11, 0x12, 0x13: // set, add, replace
			fits = extras == 8 && key > 0
		case 0x05, 0x06, 0x15, 0x16: // increment, decrement
			fits = extras == 20 && key > 0 && body == key+20
		case 0x07, 0x0a, 0x0b, 0x17, 0x20: // quit, nothing, version, mechanisms
			fits = body == 0 && cas == 0
		case 0x08, 0x18: // flush
			fits = (extras == 0 || extras == 4) && body == extras
		case 0x0e, 0x0f, 0x19, 0x1a: // append, prepend
			fits = extras == 0 && key > 0 && body > key
		case 0x10: // statistics
			fits = extras == 0 && body == key && cas == 0
		case 0x1c, 0x1d, 0x1e: // touch, get and touch
			fits = extras == 4 && key > 0 && body == key+4
		case 0x21, 0x22: // authentication
			fits = extras == 0 && key > 3 && key < 32 && isText(b[memcachedHeader:min(len(b), memcachedHeader+key)])
		}
	}
	if !fits {
		return no
	}
	return enough
}
