// SPDX-License-Identifier: MIT

package classifier

// Rating says what an application means for a place of work, each from 1, little,
// to 5, much; 0 where nothing is known of it.
type Rating struct {
	Productivity uint8 `json:"productivity"` // of use to work
	Risk         uint8 `json:"risk"`         // of loss, of abuse, of leaving the reach of rules
}

// Rating returns the rating of the result's application.
func (r *Result) Rating() Rating { return RateApplication(r.Application, r.Category) }

// RateApplication returns the rating of an application, in capitals, of a
// category: the category's, but for applications that stand out of theirs.
func RateApplication(application, category string) Rating {
	switch application {
	case "TELNET", "RLOGIN", "RSH", "TFTP", "SMBV1":
		return Rating{3, 5} // passwords in the clear, or holes known for long
	case "TOR", "PSIPHON", "ULTRASURF", "IODINE":
		return Rating{1, 5}
	case "BITTORRENT", "EDONKEY", "GNUTELLA", "SOULSEEK", "DIRECTCONNECT":
		return Rating{1, 5}
	case "FTP_CONTROL", "FTP_DATA", "SOCKS", "TEAMVIEWER", "ANYDESK", "RDP", "VNC":
		return Rating{4, 4}
	case "SSH", "LDAP", "KERBEROS", "RADIUS":
		return Rating{5, 2}
	case "IPSEC", "WIREGUARD":
		return Rating{4, 3}
	}
	switch category {
	case "adult":
		return Rating{1, 4}
	case "advertising", "analytics":
		return Rating{1, 3}
	case "ai", "search":
		return Rating{4, 2}
	case "cdn", "cloud", "web":
		return Rating{3, 2}
	case "check", "dns", "network", "push", "rpc", "security", "speed", "system":
		return Rating{3, 1}
	case "conferencing", "mail", "voip":
		return Rating{4, 2}
	case "cryptocurrency":
		return Rating{1, 5}
	case "database":
		return Rating{5, 3}
	case "development", "education", "reference", "work":
		return Rating{5, 1}
	case "file", "sharing":
		return Rating{3, 4}
	case "finance", "home", "travel":
		return Rating{3, 1}
	case "gaming", "social", "sport", "streaming":
		return Rating{1, 2}
	case "industrial", "iot":
		return Rating{4, 4}
	case "messaging":
		return Rating{2, 3}
	case "music", "news", "shopping":
		return Rating{2, 1}
	case "p2p":
		return Rating{1, 5}
	case "remote":
		return Rating{4, 4}
	case "software":
		return Rating{4, 1}
	case "storage":
		return Rating{4, 3}
	case "vpn":
		return Rating{2, 4}
	}
	return Rating{}
}
