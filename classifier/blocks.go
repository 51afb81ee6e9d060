// SPDX-License-Identifier: MIT

package classifier

func iscsiDetector() detector {
	return streamOnly("iSCSI", "storage", "\x43\x03", lookISCSI)
}

// lookISCSI reads a login request (RFC 7143): immediate, of version 0, and with
// the name of who logs in.
func lookISCSI(x *sight) verdict {
	b := x.data
	if b[0] != 0x43 || len(b) > 2 && b[2] != 0 || len(b) > 3 && b[3] != 0 || len(b) > 4 && b[4] != 0 {
		return no
	}
	if len(b) < 48 {
		return wait
	}
	size := num32(b[4:])
	text := b[48:min(len(b), 48+size)]
	switch {
	case size < 16 || size > 8192:
		return no
	case hasText(text, "InitiatorName=iqn.") || hasText(text, "InitiatorName=eui.") || hasText(text, "SessionType="):
		return done
	case len(text) < size:
		return wait
	}
	return no
}

func cephDetector() detector {
	return streamOnly("Ceph", "storage", "c", func(x *sight) verdict {
		return certain(opensAny(x.data, "ceph v0", "ceph v2\n"))
	})
}

func afpDetector() detector {
	return streamOnly("AFP", "file", "\x00", lookAFP)
}

// lookAFP reads the header of a request to open a session (DSI): command,
// lengths and the one option there is.
func lookAFP(x *sight) verdict {
	b := x.data
	if v := opens(b, "\x00\x04"); v < found {
		return v
	}
	if len(b) < 18 {
		return wait
	}
	if num32(b[4:]) != 0 || num32(b[8:]) != 6 && num32(b[8:]) != 12 || num32(b[12:]) != 0 || b[16] > 1 || b[17] != 4 {
		return no
	}
	return done
}
