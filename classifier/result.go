// SPDX-License-Identifier: MIT

package classifier

// Result is what is known of a session. Strings hold printable ASCII and at
// most Options.MaxString bytes; empty means unknown. A Result is a copy: it
// does not change with the session and shares no memory with packets.
type Result struct {
	// Protocol is the innermost protocol recognised, e.g. "TLS" or "DNS".
	Protocol string `json:"protocol,omitempty"`
	// Application is the service in capitals, e.g. "NETFLIX"; the protocol's
	// name in capitals where no service is known; empty where that is unknown
	// too.
	Application string `json:"application,omitempty"`
	// Category of the application (or of the bare protocol), one word such as
	// "streaming" or "social".
	Category string `json:"category,omitempty"`
	// Chain is the path from the network layer up, "IP/TCP/TLS/NETFLIX".
	Chain string `json:"chain,omitempty"`
	// Detail is the most telling name: server name, host, name asked for, or
	// the software of a banner.
	Detail string `json:"detail,omitempty"`
	// Confidence in Application, 0..100. 100 is never given to what a peer can
	// choose freely.
	Confidence int `json:"confidence,omitempty"`
	// Inferred says that Application, Category and the end of Chain rest on Hint
	// alone, or on what earlier sessions to this server were: no packet of this
	// session named them.
	Inferred bool `json:"inferred,omitempty"`

	SNI         string       `json:"sni,omitempty"`          // server name of a ClientHello, lower case
	ALPN        []string     `json:"alpn,omitempty"`         // protocols offered in a ClientHello
	JA4         string       `json:"ja4,omitempty"`          // fingerprint of a complete ClientHello
	JA3         string       `json:"ja3,omitempty"`          // MD5 of a complete ClientHello, in hex
	JA3S        string       `json:"ja3s,omitempty"`         // MD5 of a ServerHello, in hex
	TLSVersion  string       `json:"tls_version,omitempty"`  // the server's choice, "TLSv1.2", "DTLSv1.2"
	ALPNChosen  string       `json:"alpn_chosen,omitempty"`  // the server's choice, where it is not encrypted
	Certificate *Certificate `json:"certificate,omitempty"`  // the server's, where it is not encrypted; not to be changed
	HTTPHost    string       `json:"http_host,omitempty"`    // host of the first HTTP request, lower case, without port
	URL         string       `json:"url,omitempty"`          // "http://host/path" of the first HTTP request
	UserAgent   string       `json:"user_agent,omitempty"`   // of the first HTTP request
	QUICVersion string       `json:"quic_version,omitempty"` // "1", "2", "draft-29"
	SSHBanner   string       `json:"ssh_banner,omitempty"`   // identification string; the server's, once seen
	// Lookup is the service, in capitals, whose name a DNS session asked for last;
	// empty where that name is of none that is known.
	Lookup string `json:"lookup,omitempty"`
	// Hint is the DNS name this client last asked for that resolved to the
	// server's address.
	Hint string `json:"hint,omitempty"`
	// ClientHint is the DNS name that the server last asked for and that resolved
	// to the client's address.
	ClientHint string `json:"client_hint,omitempty"`

	// Version grows with every change of the fields above; 0 means that nothing
	// is known yet.
	Version uint64 `json:"version"`
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

// States of a session, in their order.
const (
	More  State = iota // show the next packet too
	Final              // the application is settled: the next packets may refine it, by a certificate or a later name
	Done               // nothing more will change, for good
)

// String returns "more", "final" or "done".
func (s State) String() string {
	switch s {
	case Done:
		return "done"
	case Final:
		return "final"
	}
	return "more"
}
