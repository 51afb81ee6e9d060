// SPDX-License-Identifier: MIT

package classifier

import "bytes"

func mqttDetector() detector {
	return streamOnly("MQTT", "iot", "\x10\x30\x31\x32\x33\x34\x35\x3a\x3b\x3c\x3d", lookMQTT)
}

// lookMQTT reads the packet a client connects with: its length, the protocol's
// name, a version (MQTT 3.1, 3.1.1 and 5). Of a connection that was there before,
// it may be a publication: to a topic of several levels.
func lookMQTT(x *sight) verdict {
	b, size := x.data[1:], 0
	for i := 0; ; i++ {
		if len(b) == 0 {
			return wait
		}
		size |= int(b[0]&0x7f) << (7 * i)
		last := b[0] < 0x80
		b = b[1:]
		if last {
			break
		}
		if i == 3 {
			return no
		}
	}
	if size < 12 {
		return no
	}
	if x.data[0] != 0x10 {
		return mqttTopic(b, size)
	}
	for _, name := range [...]string{"\x00\x04MQTT", "\x00\x06MQIsdp"} {
		switch v := opens(b, name); v {
		case wait:
			return wait
		case enough:
			switch rest := b[len(name):]; {
			case len(rest) < 2:
				return wait
			case rest[0] < 3 || rest[0] > 5 || rest[1]&1 != 0 || rest[1]&0x18 == 0x18:
				return no
			}
			return done
		}
	}
	return no
}

// mqttTopic reads the name of a topic in size bytes.
func mqttTopic(b []byte, size int) verdict {
	if len(b) < 2 {
		return wait
	}
	n := be16(b)
	if n < 8 || n > 256 || n+2 > size {
		return no
	}
	topic := b[2:min(len(b), 2+n)]
	for _, c := range topic {
		if !isAlphanumeric(c) && bytes.IndexByte([]byte("/_-.:$ "), c) < 0 {
			return no
		}
	}
	switch {
	case len(topic) < n:
		return wait
	case bytes.IndexByte(topic, '/') < 0:
		return no
	}
	return done
}

func amqpDetector() detector {
	return streamOnly("AMQP", "rpc", "A\x01", lookAMQP)
}

// lookAMQP reads the protocol header: identifier and version of AMQP 0-8 to
// 0-10 and 1.0. Of a connection that was there before, it may be a frame of
// version 0-9: a method, and the mark of its end.
func lookAMQP(x *sight) verdict {
	b := x.data
	if b[0] == 1 {
		return lookAMQPMethod(b)
	}
	if v := opens(b, "AMQP"); v != enough {
		return v
	}
	if len(b) < 8 {
		return wait
	}
	if b[4] > 3 || b[5] > 1 || b[6] > 10 || b[7] > 10 {
		return no
	}
	return done
}

// lookAMQPMethod reads a frame with a method.
func lookAMQPMethod(b []byte) verdict {
	if len(b) < 11 {
		return wait
	}
	size, class, method := num32(b[3:]), be16(b[7:]), be16(b[9:])
	if size < 4 || size > 4096 || class < 10 || class > 90 || class%10 != 0 && class != 85 || method < 10 || method > 120 {
		return no
	}
	if len(b) < 8+size {
		return wait
	}
	if b[7+size] != 0xce {
		return no
	}
	return done
}

func stompDetector() detector {
	return streamOnly("STOMP", "rpc", "CS", lookSTOMP)
}

// lookSTOMP reads the frame a connection starts with, and its first header.
func lookSTOMP(x *sight) verdict {
	b := x.data
	if v := opensAny(b, "CONNECT\n", "CONNECT\r\n", "CONNECTED\n", "CONNECTED\r\n", "STOMP\n", "STOMP\r\n"); v != enough {
		return v
	}
	_, rest, _ := textLine(b)
	line, _, ended := textLine(rest)
	switch {
	case len(line) > 256 || !isText(line):
		return no
	case !ended:
		return wait
	}
	if key, _, ok := bytes.Cut(line, []byte(":")); !ok || !isWord(key) {
		return no
	}
	return done
}

func natsDetector() detector {
	return streamOnly("NATS", "rpc", "IC", func(x *sight) verdict {
		return certain(opensAny(x.data, `INFO {"server_id":`, `INFO {"server_name":`, `CONNECT {"verbose":`))
	})
}

func kafkaDetector() detector {
	return streamOnly("Kafka", "rpc", "\x00", lookKafka)
}

// lookKafka reads the header of a request: its kind and version, and the name
// the client gives itself.
func lookKafka(x *sight) verdict {
	b := x.data
	if len(b) < 14 {
		if len(b) > 6 && (b[4] != 0 || b[5] > 74 || b[6] != 0) {
			return no
		}
		return wait
	}
	size, n := num32(b), be16(b[12:])
	if size < 10 || size > 1<<24 || be16(b[4:]) > 74 || be16(b[6:]) > 17 || n > 255 || n < 1 || 10+n > size {
		return no
	}
	if name := b[14:min(len(b), 14+n)]; !isText(name) {
		return no
	}
	if len(b) < 14+min(n, 64) {
		return wait
	}
	if n < 3 && len(b) != 4+size {
		return no
	}
	return done
}

func coapDetector() detector {
	d := datagramOnly("CoAP", "iot", "", lookCoAP)
	d.starts = func(b byte) bool { return b>>6 == 1 && b&0x0f <= 8 }
	return d
}

// lookCoAP reads a message (RFC 7252): its options must be known ones and fill
// it, or end at the mark of the payload. A request that names what it wants is
// believed, anything else when the other side has sent the same number.
func lookCoAP(x *sight) verdict {
	b := x.data
	if len(b) < 4 || b[0]>>6 != 1 || b[0]&0x0f > 8 || len(b) < 4+int(b[0]&0x0f) {
		return no
	}
	code, kind, id := b[1], b[0]>>4&3, be16(b[2:])
	request := code >= 1 && code <= 7
	switch class, detail := code>>5, code&0x1f; {
	case request && kind <= 1:
	case (class == 2 || class == 4 || class == 5) && detail < 16:
	case code == 0 && len(b) == 4 && kind >= 2:
	default:
		return no
	}
	path, number, known := false, 0, 0
	for b = b[4+int(b[0]&0x0f):]; len(b) > 0; known++ {
		if b[0] == 0xff {
			if len(b) == 1 {
				return no
			}
			break
		}
		delta, size, rest := int(b[0]>>4), int(b[0]&15), b[1:]
		var ok bool
		if delta, rest, ok = coapNibble(delta, rest); !ok {
			return no
		}
		if size, rest, ok = coapNibble(size, rest); !ok || size > len(rest) {
			return no
		}
		number += delta
		value := rest[:size]
		switch number {
		case 3, 11, 15, 35, 39: // host, path, query, proxy: text
			if !isPrintable(value) || size > 255 {
				return no
			}
			path = path || size > 1 && (size > 3 || x.port(5683, 5684))
		case 1, 4, 5, 6, 7, 8, 9, 12, 14, 16, 17, 20, 23, 27, 28, 60, 252, 258, 292:
			if size > 40 {
				return no
			}
		default:
			return no
		}
		b = rest[size:]
	}
	if request && path && known > 0 {
		return done
	}
	m := x.memo()
	switch {
	case m == nil:
		return no
	case m[0] == 1+byte(x.dir^1) && be16(m[1:]) == id:
		return done
	}
	m[0], m[1], m[2] = 1+byte(x.dir), byte(id>>8), byte(id)
	return wait
}

// coapNibble widens a delta or a length that is continued behind its byte.
func coapNibble(v int, b []byte) (int, []byte, bool) {
	switch {
	case v < 13:
		return v, b, true
	case v == 13 && len(b) >= 1:
		return int(b[0]) + 13, b[1:], true
	case v == 14 && len(b) >= 2:
		return be16(b) + 269, b[2:], true
	}
	return 0, nil, false
}

func fixDetector() detector {
	return streamOnly("FIX", "rpc", "8", lookFIX)
}

// lookFIX reads the fields a message begins with: the version, or what a
// variant calls itself, and the length of the body.
func lookFIX(x *sight) verdict {
	b := x.data
	if v := opens(b, "8="); v < found {
		return v
	}
	version, _, ok := bytes.Cut(b[2:min(len(b), 12)], []byte{1})
	switch {
	case len(version) > 0 && !isWord(version) || ok && len(version) == 0 || !ok && len(version) > 8:
		return no
	case !ok:
		return wait
	}
	rest := b[2+len(version)+1:]
	if v := opens(rest, "9="); v < found {
		return v
	}
	for i, c := range rest[2:] {
		switch {
		case c == 1 && i > 0:
			return done
		case !isDigit(c) || i > 8:
			return no
		}
	}
	return wait
}
