// SPDX-License-Identifier: MIT

package classifier

func srtpDetector() detector {
	return detector{
		name: "SRTP", upper: "SRTP", category: "voip", confidence: 85, answers: answersSRTP,
		starts:   func(byte) bool { return false }, // sessions are handed over to it
		datagram: lookSRTP,
	}
}

// lookSRTP goes on where lookSTUN has handed over. Media alone are not told
// from RTP.
func lookSRTP(x *sight) verdict {
	if x.s.detector == nil {
		return no
	}
	if size, ok := stunMessage(x.data); ok && size == len(x.data) && stunAttributes(x, x.data[20:]) {
		x.relate()
		return done
	}
	if x.related() {
		return done
	}
	return found
}
