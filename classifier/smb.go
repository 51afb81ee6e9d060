// SPDX-License-Identifier: MIT

package classifier

func smb1Detector() detector {
	d := streamOnly("NetBIOS", "file", "\x00\x81\x82", func(x *sight) verdict { return lookSMB(x, 0xff) })
	d.upper = "SMBV1"
	return d
}

func smb2Detector() detector {
	d := streamOnly("NetBIOS", "file", "\x00\x81\x82", func(x *sight) verdict { return lookSMB(x, 0xfe) })
	d.upper = "SMBV23"
	return d
}

// lookSMB reads a session message (RFC 1002) with a message of Windows file
// sharing in it (MS-SMB, MS-SMB2), whose mark begins with first. A client that
// offers both in the old form speaks what the server answers.
func lookSMB(x *sight, first byte) verdict {
	b := x.data
	for b[0] == 0x81 || b[0] == 0x82 { // session request and its answer
		if len(b) < 4 {
			return wait
		}
		n := 4 + be16(b[2:])
		if b[1] > 1 || b[0] == 0x81 && (n != 72 || len(b) > 4 && b[4] != 32) || b[0] == 0x82 && n != 4 {
			return no
		}
		if len(b) <= n {
			return wait
		}
		b = b[n:]
	}
	if b[0] != 0 {
		return no
	}
	mark := string([]byte{first, 'S', 'M', 'B'})
	if len(b) < 4 {
		return wait
	}
	switch v := opens(b[4:], mark); {
	case v == no && first == 0xfe && opens(b[4:], "\xfdSMB") != no: // sealed
		return opens(b[4:], "\xfdSMB")
	case v != enough:
		return v
	}
	size := num32(b) & 0xffffff
	if size < 32 {
		return no
	}
	if first == 0xfe {
		return certain(opens(b[8:], "\x40\x00"))
	}
	if len(b) < 9 {
		return wait
	}
	if b[8] == 0x72 && x.dir == Original { // negotiate: the answer decides
		o := x.peer()
		if len(o) >= 8 && o[4] == 0xfe {
			return no
		}
		return waitForAnswer(b, size)
	}
	return done
}

// waitForAnswer is found where a negotiation of size bytes offers only the old
// dialects, else wait.
func waitForAnswer(b []byte, size int) verdict {
	if len(b) < 4+size {
		return wait
	}
	if containsFold(b[4:4+size], "SMB 2.") {
		return wait
	}
	return enough
}

func netbiosSessionDetector() detector {
	return streamOnly("NetBIOS", "system", "\x81", lookNetBIOSSession)
}

// lookNetBIOSSession reads a session request: who is called and who calls, in
// letters of half a byte each (RFC 1002, 4.3.2). What the session carries names
// it afterwards.
func lookNetBIOSSession(x *sight) verdict {
	b := x.data
	const size = 72
	if x.s.detector == nil {
		for i, c := range b[:min(len(b), size)] {
			switch {
			case i == 1 || i == 2 || i == 37 || i == 71:
				if c != 0 {
					return no
				}
			case i == 3:
				if c != size-4 {
					return no
				}
			case i == 4 || i == 38:
				if c != 32 {
					return no
				}
			case i > 4 && (c < 'A' || c > 'P'):
				return no
			}
		}
		if len(b) < size {
			return wait
		}
		return found
	}
	if b[0] != 0x81 { // not the side that asked for the session
		return enough
	}
	if len(b) < size+8 {
		return found
	}
	switch b[size+4] {
	case 0xff:
		x.become("NetBIOS", "SMBV1")
	case 0xfe:
		x.become("NetBIOS", "SMBV23")
	}
	return done
}
