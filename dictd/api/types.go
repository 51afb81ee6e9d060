// SPDX-License-Identifier: MIT

package api

import (
	"net/netip"
	"time"

	"nftdict/classifier"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/event"
	"nftdict/dictd/identity"
	"nftdict/dictd/identity/lease"
	"nftdict/dictd/identity/overheard"
	"nftdict/dictd/identity/radius"
	"nftdict/dictd/identity/reverse"
	"nftdict/dictd/ledger"
	"nftdict/dictd/offload"
	"nftdict/dictd/session"
)

// Status is what GET /v1/status answers. Counters count from the daemon's start.
type Status struct {
	Version   string            `json:"version"`
	PID       int               `json:"pid"`
	Started   time.Time         `json:"started"`
	Uptime    float64           `json:"uptime_seconds"`
	Backend   string            `json:"backend"`
	Fail      string            `json:"fail"` // "open" or "closed"
	Kernel    Kernel            `json:"kernel"`
	Rules     Rules             `json:"rules"`
	Queues    []Queue           `json:"queues"`
	Packets   Packets           `json:"packets"`
	Sessions  session.Stats     `json:"sessions"`
	Conntrack Conntrack         `json:"conntrack"`
	Writes    Writes            `json:"writes"`
	Tables    map[string]Table  `json:"tables"`
	Hints     int               `json:"hints"` // DNS answers remembered
	Registers []Register        `json:"registers"`
	Identity  Identity          `json:"identity"`
	Ledger    *Ledger           `json:"ledger"` // null if none is kept
	Offload   offload.Status    `json:"offload"`
	Events    event.Stats       `json:"events"`
	Warnings  []string          `json:"warnings"`
	Errors    map[string]string `json:"errors,omitempty"` // figures that could not be had, and why
}

// Register is a file in which addresses are looked up.
type Register struct {
	For     string    `json:"for"` // "countries" or "vendors"
	File    string    `json:"file"`
	Date    time.Time `json:"date"`           // a database's of its making; a registry's of its last change
	Kind    string    `json:"kind,omitempty"` // what a database calls itself
	Entries int       `json:"entries"`
}

// Kernel is what was found out about the kernel at start.
type Kernel struct {
	CtID  string `json:"ct_id"` // how the conntrack id comes: "conntrack" or "mark"
	Queue string `json:"queue"` // "nft" or "xt NFQUEUE"
	Owner bool   `json:"owner"` // the daemon's table is locked against others
}

// Rules is the daemon's nft table.
type Rules struct {
	Table       string    `json:"table"`
	FinishBit   uint32    `json:"finish_bit"`
	Flush       bool      `json:"flush"` // rows of reused ids are flushed by a rule
	Installed   time.Time `json:"installed"`
	Reinstalled uint64    `json:"reinstalled"` // after somebody else changed or removed the table
}

// Queue is one nfqueue.
type Queue struct {
	Num           uint16 `json:"num"`
	First         bool   `json:"first"` // of packets that open a connection
	Packets       uint64 `json:"packets"`
	Waiting       uint64 `json:"waiting"`        // in the kernel, now
	KernelDropped uint64 `json:"kernel_dropped"` // not queued: the queue was full; 0 if that fails open
	UserDropped   uint64 `json:"user_dropped"`   // not queued: the socket was full; 0 if that fails open
	Unreadable    uint64 `json:"unreadable"`
	Panics        uint64 `json:"panics"`
	VerdictErrors uint64 `json:"verdict_errors"`
	Overruns      uint64 `json:"overruns"`
}

// Packets are the packets that were not simply inspected.
type Packets struct {
	Malformed uint64 `json:"malformed"`
	Truncated uint64 `json:"truncated"`
	Untracked uint64 `json:"untracked"` // of no session
	Finished  uint64 `json:"finished"`  // sessions seen to the end
}

// Conntrack is the stream of conntrack events.
type Conntrack struct {
	Events     uint64 `json:"events"`
	Overruns   uint64 `json:"overruns"`
	Malformed  uint64 `json:"malformed"`
	Reconciled uint64 `json:"reconciled"` // comparisons with a dump
}

// Writes is what went to the dictionary.
type Writes struct {
	Puts      uint64 `json:"puts"`
	Cells     uint64 `json:"cells"`
	Deletes   uint64 `json:"deletes"`
	Renewed   uint64 `json:"renewed"`
	Full      uint64 `json:"full"`   // refused: the table was full
	Failed    uint64 `json:"failed"` // refused for another reason
	LastError string `json:"last_error,omitempty"`
}

// Ledger is what is written down of what connections have moved.
type Ledger struct {
	ledger.Stats
	Records ledger.RecordStats `json:"records"` // of connections that are over
}

// Table is a dictionary table.
type Table struct {
	Rows    int    `json:"rows"`
	Limit   int    `json:"limit"`
	Refused uint64 `json:"refused"` // rows refused because the table was full
}

// Identity is what is known of who is behind addresses, and the stream of the
// kernel's neighbours.
type Identity struct {
	identity.Stats
	Neighbours NeighbourEvents `json:"neighbours"`
	Leases     lease.Stats     `json:"leases"`
	Overheard  overheard.Stats `json:"overheard"` // what devices say to all of their link
	Reverse    reverse.Stats   `json:"reverse"`   // names that DNS has for addresses
	RADIUS     radius.Stats    `json:"radius"`    // who is logged in
}

// NeighbourEvents count what the kernel says of neighbours.
type NeighbourEvents struct {
	Events   uint64 `json:"events"`
	Astray   uint64 `json:"astray"` // who had an address of another link's network, and was not believed
	Overruns uint64 `json:"overruns"`
	Resyncs  uint64 `json:"resyncs"` // times all was read
}

// Connection names a connection as conntrack has it: by its id, and by where it was
// opened from and to.
type Connection struct {
	CtID       uint32     `json:"ct_id"`
	Zone       uint16     `json:"zone"`
	Family     int        `json:"family"` // 4 or 6
	IPProtocol int        `json:"ip_protocol"`
	Client     netip.Addr `json:"client_address"`
	ClientPort int        `json:"client_port"`
	Server     netip.Addr `json:"server_address"`
	ServerPort int        `json:"server_port"`
}

// NewConnection returns the one of an entry.
func NewConnection(id uint32, zone uint16, orig conntrack.Tuple) Connection {
	return Connection{
		CtID: id, Zone: zone, Family: int(orig.Family), IPProtocol: int(orig.Proto),
		Client: orig.Src(), ClientPort: int(orig.SrcPort), Server: orig.Dst(), ServerPort: int(orig.DstPort),
	}
}

// Session is what is known of a connection.
type Session struct {
	Connection
	SessionID     int64     `json:"session_id"`
	Confirmed     bool      `json:"confirmed"`
	Began         time.Time `json:"began"`
	Packets       int       `json:"packets"` // inspected
	Finished      bool      `json:"finished"`
	Final         bool      `json:"final"`
	Protocol      string    `json:"protocol"`
	Application   string    `json:"application"`
	Category      string    `json:"category"`
	Chain         string    `json:"application_protochain"`
	Detail        string    `json:"detail"`
	Confidence    int       `json:"confidence"`
	Inferred      bool      `json:"inferred"`
	SNI           string    `json:"ssl_sni"`
	Hint          string    `json:"server_dns_hint"`
	JA4           string    `json:"ja4"`
	ClientCountry string    `json:"client_country,omitempty"`
	ServerCountry string    `json:"server_country,omitempty"`
	Name          string    `json:"application_name"`
	Lookup        string    `json:"lookup_application"`
	ClientHint    string    `json:"client_dns_hint"`
	JA3           string    `json:"ja3"`
	JA3S          string    `json:"ja3s"`
	TLSVersion    string    `json:"tls_version"`
	ALPN          []string  `json:"alpn"`
	ALPNChosen    string    `json:"alpn_chosen"`
	QUICVersion   string    `json:"quic_version"`
	UserAgent     string    `json:"http_user_agent"`
	URL           string    `json:"http_url"`
	SSHBanner     string    `json:"ssh_banner"`
	ClientReverse string    `json:"client_reverse_dns"`
	ServerReverse string    `json:"server_reverse_dns"`
	Hostname      string    `json:"client_hostname"`
	Username      string    `json:"username"`
	Groups        string    `json:"usergroups"` // with commas between

	Certificate *classifier.Certificate `json:"certificate,omitempty"`
}

// Why is a session with the evidence for its application, oldest first.
type Why struct {
	Session
	Evidence []classifier.Evidence `json:"evidence"`
}

// Error is an answer with a status of 400 or above.
type Error struct {
	Status int    `json:"-"`
	Text   string `json:"error"`
	Remedy string `json:"remedy,omitempty"`
}

// Error returns the text.
func (e *Error) Error() string { return e.Text }

// Describe fills in a Session from a locked session.
func Describe(s *session.Session) Session {
	r, who := s.Class.Result(), s.Client()
	client, server := s.Names()
	return Session{
		Connection: NewConnection(s.ID(), s.Zone(), s.Orig()), SessionID: s.Serial(), Confirmed: s.Confirmed(),
		Began: s.Began().UTC(), Packets: int(s.Packets), Finished: s.Finished, Final: s.Final,
		Protocol: r.Protocol, Application: r.Application, Category: r.Category, Chain: r.Chain, Detail: r.Detail,
		Confidence: r.Confidence, Inferred: r.Inferred, SNI: r.SNI, Hint: r.Hint, JA4: r.JA4,
		Name: r.Title(), Lookup: r.Lookup, ClientHint: r.ClientHint, JA3: r.JA3, JA3S: r.JA3S, TLSVersion: r.TLSVersion, ALPN: r.ALPN, ALPNChosen: r.ALPNChosen,
		ClientCountry: s.ClientCountry.String(), ServerCountry: s.ServerCountry.String(),
		QUICVersion: r.QUICVersion, UserAgent: r.UserAgent, URL: r.URL, SSHBanner: r.SSHBanner, Certificate: r.Certificate,
		ClientReverse: client, ServerReverse: server, Hostname: who.Hostname, Username: who.Username, Groups: who.Groups,
	}
}
