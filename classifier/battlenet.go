// SPDX-License-Identifier: MIT

package classifier

func battleNetDetector() detector {
	return streamOnly("BattleNet", "gaming", "\x01", lookBattleNet)
}

// lookBattleNet reads what opens a connection to Battle.net as it was until 2012
// and as its emulators still are: the client chooses the protocol by a byte 1,
// and each message is a mark, a number, and its length in little endian, these
// four included. The first says for which machine and which game the client is made.
func lookBattleNet(x *sight) verdict {
	b := x.data
	if v := opens(b, "\x01\xff\x50"); v != enough {
		return v
	}
	if len(b) < 5+12 {
		return wait
	}
	if n := le16(b[3:]); n < 40 || n > 256 || le32(b[5:]) != 0 {
		return no
	}
	switch string(b[9:13]) { // the platform, read backwards
	case "68XI", "CAMP", "CAMX":
	default:
		return no
	}
	switch string(b[13:17]) { // the game
	case "RATS", "PXES", "RTSJ", "RHSS":
		x.application("STARCRAFT", "gaming", confidenceName)
	case "3RAW", "PX3W", "NB2W", "MD3W":
		x.application("WARCRAFT3", "gaming", confidenceName)
	case "VD2D", "PX2D", "LTRD", "RHSD":
		x.application("DIABLO", "gaming", confidenceName)
	}
	return done
}
