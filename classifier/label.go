// SPDX-License-Identifier: MIT

package classifier

// label is a protocol's name where one detector recognises several that share
// their messages.
type label struct {
	name     string // as Result.Protocol shows it
	category string // one lower-case word
}

// Labels of the protocols that are spoken in TLS, HTTP and DNS.
var (
	labelIMAPS    = label{"IMAPS", "mail"}
	labelPOPS     = label{"POPS", "mail"}
	labelSMTPS    = label{"SMTPS", "mail"}
	labelFTPS     = label{"FTPS", "file"}
	labelRDP      = label{"TLS", "remote"}
	labelProxy    = label{"HTTP_Proxy", "web"}
	labelConnect  = label{"HTTP_Connect", "web"}
	labelSocket   = label{"WebSocket", "web"}
	labelDNSCrypt = label{"DNScrypt", "network"}
	labelCisco    = label{"CiscoVPN", "vpn"}
	labelAvast    = label{"AVASTSecureDNS", "network"}
)

// label gives the session's protocol another name than its detector's.
func (x *sight) label(l *label) {
	f := x.s.findings()
	if f.label == l {
		return
	}
	f.label = l
	x.s.note("protocol", l.name, 0)
	x.s.touch()
}

// registered returns the smaller port of x's packet, which is the server's
// wherever the server has a registered one.
func (x *sight) registered() uint16 { return min(x.p.SrcPort, x.p.DstPort) }
