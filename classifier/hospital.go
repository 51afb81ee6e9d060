// SPDX-License-Identifier: MIT

package classifier

func dicomDetector() detector {
	return streamOnly("DICOM", "work", "\x01\x02", lookDICOM)
}

// lookDICOM reads a request for an association (PS3.8): lengths, version, and
// the names of both ends, filled up with spaces.
func lookDICOM(x *sight) verdict {
	b := x.data
	if len(b) > 1 && b[1] != 0 {
		return no
	}
	if len(b) < 42 {
		return wait
	}
	if size := num32(b[2:]); size < 68 || size > 1<<20 || be16(b[6:]) != 1 || be16(b[8:]) != 0 || !isPrintable(b[10:42]) {
		return no
	}
	return done
}

func hl7Detector() detector {
	return streamOnly("HL7", "work", "\x0b", func(x *sight) verdict {
		return certain(opens(x.data, "\x0bMSH|^~\\&"))
	})
}
