// SPDX-License-Identifier: MIT

package classifier

import "bytes"

// maxBanner is the longest SSH identification string, line end included.
const maxBanner = 255

func sshDetector() detector {
	return detector{
		name: "SSH", upper: "SSH", category: "remote", confidence: 98,
		starts: func(b byte) bool { return b == 'S' },
		stream: lookSSH,
	}
}

// lookSSH reads the identification string. The server's ends the inspection;
// the client's stands in for it until then.
func lookSSH(x *sight) verdict {
	b := x.data
	const prefix = "SSH-"
	if n := min(len(b), len(prefix)); string(b[:n]) != prefix[:n] {
		return no
	}
	line, _, ended := cutLine(b[:min(len(b), maxBanner)])
	if !ended {
		if len(b) >= maxBanner {
			return no
		}
		if len(b) >= len("SSH-2.0-") && sshSoftware(b) != nil {
			return found
		}
		return wait
	}
	software := sshSoftware(line)
	if software == nil {
		return no
	}
	f := x.s.heads()
	x.text(&f.banner, "ssh/banner", line)
	if f.banner == string(line) {
		x.detail(string(software))
	}
	if x.dir == Reply {
		return done
	}
	return enough
}

// sshSoftware returns what follows the version of an identification string, or
// nil if that is not one.
func sshSoftware(b []byte) []byte {
	version, software, ok := bytes.Cut(b[len("SSH-"):], []byte("-"))
	if !ok || len(version) < 3 || len(version) > 4 || !isDigit(version[0]) || version[1] != '.' || !isDigit(version[2]) || !isPrintable(software) {
		return nil
	}
	return software[:len(software):len(software)]
}
