// SPDX-License-Identifier: MIT

package classifier

// Result is what is known of a session. Strings hold printable ASCII and at
// most Options.MaxString bytes; empty means unknown. A Result is a copy: it
// does not change with the session and shares no memory with packets.
type Result struct {
	// Protocol is the innermost protocol recognised, e.g. "TLS" or "DNS".
	Protocol string
	// Application is the service in capitals, e.g. "NETFLIX"; the protocol's
	// name in capitals where no service is known; empty where that is unknown
	// too.
	Application string
	// Category of the application (or of the bare protocol), one word such as
	// "streaming" or "social".
	Category string
	// Chain is the path from the network layer up, "IP/TCP/TLS/NETFLIX".
	Chain string
	// Detail is the most telling name: server name, host, name asked for, or
	// the software of a banner.
	Detail string
	// Confidence in Application, 0..100. 100 is never given to what a peer can
	// choose freely.
	Confidence int
	// Inferred says that Application and Category rest on Hint alone: no packet
	// of this session named them.
	Inferred bool

	SNI         string   // server name of a ClientHello, lower case
	ALPN        []string // protocols offered in a ClientHello
	JA4         string   // fingerprint of a complete ClientHello
	HTTPHost    string   // host of the first HTTP request, lower case, without port
	URL         string   // "http://host/path" of the first HTTP request
	UserAgent   string   // of the first HTTP request
	QUICVersion string   // "1", "2", "draft-29"
	SSHBanner   string   // identification string; the server's, once seen
	// Hint is the DNS name this client last asked for that resolved to the
	// server's address.
	Hint string

	// Version grows with every change of the fields above; 0 means that nothing
	// is known yet.
	Version uint64
}

// Evidence is one step of how a session's result came about.
type Evidence struct {
	Packet     int    `json:"packet"`     // number of the packet in the session, from 1; 0 for what was known before
	Rule       string `json:"rule"`       // detector and step, e.g. "tls/sni"
	Seen       string `json:"seen"`       // what was seen, printable, at most 128 bytes
	Confidence int    `json:"confidence"` // 0..100; 0 for a note that decides nothing
}

// State says whether a session wants more packets.
type State uint8

// States of a session.
const (
	More State = iota // show the next packet too
	Done              // nothing more will change, for good
)

// String returns "more" or "done".
func (s State) String() string {
	if s == Done {
		return "done"
	}
	return "more"
}
