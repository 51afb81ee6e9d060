// SPDX-License-Identifier: MIT

package classifier

import "bytes"

func sipDetector() detector {
	return detector{
		name: "SIP", upper: "SIP", category: "voip", confidence: 96,
		starts:   oneOf("IRAOBCSNPUMD"),
		stream:   lookSIPStream,
		datagram: lookSIPDatagram,
	}
}

// isSIP reads a first line of RFC 3261: a method and a URI, or a version and a
// status.
func isSIP(b []byte) verdict {
	const longest = 20 // up to the end of the URI's scheme
	if v := opens(b, "SIP/2.0 "); v == enough {
		if len(b) < 12 {
			return wait
		}
		return sure(b[8] >= '1' && b[8] <= '6' && isDigit(b[9]) && isDigit(b[10]) && b[11] == ' ')
	} else if v == wait {
		return wait
	}
	method, uri, ok := bytes.Cut(b[:min(len(b), longest)], []byte(" "))
	switch string(method) {
	case "INVITE", "REGISTER", "ACK", "OPTIONS", "BYE", "CANCEL", "SUBSCRIBE", "NOTIFY", "PUBLISH", "INFO", "PRACK", "UPDATE", "MESSAGE", "REFER":
	default:
		if ok || len(b) >= longest || !isUpper(method) {
			return no
		}
		return wait
	}
	if !ok {
		return wait
	}
	return certain(opensAny(uri, "sip:", "sips:", "tel:"))
}

// isUpper reports whether b is capital letters of ASCII.
func isUpper(b []byte) bool {
	for _, c := range b {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}

func rtspDetector() detector {
	return detector{
		name: "RTSP", upper: "RTSP", category: "streaming", confidence: 96,
		starts: oneOf("ODSPATGR"),
		stream: lookRTSP,
	}
}

// maxRTSP is how many bytes of a direction are read: sessions are set up by then.
const maxRTSP = 8 << 10

// lookRTSP reads a first line of RFC 2326 or RFC 7826. What a client asks ends
// with the version; AirPlay asks so for things that have no address of RTSP, and
// tells of itself in the head.
func lookRTSP(x *sight) verdict {
	b := x.data
	if x.s.detector == nil {
		if v := opensAny(b, "RTSP/1.0 ", "RTSP/2.0 "); v != no {
			return min(v, found)
		}
		line, _, ended := cutLine(b[:min(len(b), 1024)])
		switch {
		case !ended && (len(b) >= 1024 || !isRequestStart(b)):
			return no
		case !ended:
			return min(max(opensAny(b, "OPTIONS rtsp", "DESCRIBE rtsp", "SETUP rtsp", "PLAY rtsp", "PAUSE rtsp", "ANNOUNCE rtsp",
				"TEARDOWN rtsp", "GET_PARAMETER rtsp", "SET_PARAMETER rtsp", "RECORD rtsp"), wait), found)
		case !isRequestStart(line) || !bytes.HasSuffix(line, []byte(" RTSP/1.0")) && !bytes.HasSuffix(line, []byte(" RTSP/2.0")):
			return no
		}
	}
	if x.s.detector != nil && x.c.opts.Relations != nil {
		x.mediaLines()
	}
	_, rest, ok := cutLine(b)
	for ok {
		var line []byte
		if line, rest, ok = cutLine(rest); !ok {
			break
		}
		if len(line) == 0 {
			if x.c.opts.Relations == nil {
				return enough
			}
			continue // what is set up later has a transport
		}
		name, value, _ := bytes.Cut(line, []byte{':'})
		switch value = bytes.Trim(value, " \t"); {
		case equalFold(name, "user-agent"):
			x.text(&x.s.heads().agent, "rtsp/user-agent", value)
			x.agentUse(string(value))
		case equalFold(name, "server"):
			x.agentUse(string(value))
		case equalFold(name, "apple-challenge"), equalFold(name, "dacp-id"), equalFold(name, "x-apple-device-id"), equalFold(name, "x-apple-hkp"):
			x.nameless("AIRPLAY", "streaming", confidenceName)
		}
	}
	if len(b) > maxRTSP {
		return enough
	}
	return found
}

func mgcpDetector() detector {
	return detector{
		name: "MGCP", upper: "MGCP", category: "voip", confidence: 95,
		starts:   oneOf("ACDEMNR"),
		datagram: func(x *sight) verdict { return sure(isMGCP(x.data)) },
	}
}

// isMGCP reads the command line of RFC 3435: verb, transaction, endpoint,
// version.
func isMGCP(b []byte) bool {
	if !hasAny(b, "EPCF ", "CRCX ", "MDCX ", "DLCX ", "RQNT ", "NTFY ", "AUEP ", "AUCX ", "RSIP ") || len(b) < 20 || !isDigit(b[5]) {
		return false
	}
	line, _, ok := cutLine(b[:min(len(b), 300)])
	return ok && bytes.Contains(line, []byte(" MGCP 1.0"))
}

// megacoDetector knows the text form of H.248 (RFC 3525), long and short.
func megacoDetector() detector {
	return detector{
		name: "Megaco", upper: "MEGACO", category: "voip", confidence: 93,
		starts: oneOf("M!"),
		datagram: func(x *sight) verdict {
			b := x.data
			if !hasAny(b, "MEGACO/", "!/") {
				return no
			}
			_, b, _ = bytes.Cut(b, []byte("/"))
			return sure(len(b) > 10 && b[0] >= '1' && b[0] <= '3' && (hasAny(b[1:], " [", "\r\n[", " <")))
		},
	}
}
