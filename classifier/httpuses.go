// SPDX-License-Identifier: MIT

package classifier

import (
	"bytes"
	"strings"
)

// contentType names the uses of HTTP that a media type tells.
func (x *sight) contentType(value []byte) {
	value, _, _ = bytes.Cut(value, []byte{';'})
	switch value = bytes.TrimRight(value, " "); {
	case equalFold(value, "application/ocsp-request"), equalFold(value, "application/ocsp-response"):
		x.application("OCSP", "security", confidenceName)
	case equalFold(value, "application/dash+xml"), equalFold(value, "video/vnd.mpeg.dash.mpd"):
		x.nameless("MPEGDASH", "streaming", confidenceName)
	case equalFold(value, "application/vnd.apple.mpegurl"), equalFold(value, "application/x-mpegurl"):
		x.nameless("HLS", "streaming", confidenceName)
	case equalFold(value, "application/soap+xml"):
		x.nameless("SOAP", "web", confidenceName)
	case equalFold(value, "application/ipp"): // RFC 8010
		x.nameless("IPP", "system", confidenceName)
	case equalFold(value, "application/dns-message"): // RFC 8484
		x.nameless("DOH_DOT", "dns", confidenceName)
	case equalFold(value, "application/json-rpc"), equalFold(value, "application/jsonrpc"), equalFold(value, "application/jsonrequest"):
		x.nameless("JSON-RPC", "network", confidenceName)
	case equalFold(value, "application/x-bittorrent"):
		x.nameless("BITTORRENT", "p2p", confidenceName)
	}
}

// agents are the beginnings of what programs call themselves, in lower case,
// where the program stands for one service whatever server it asks.
var agents = [...]struct {
	begin string
	Application
}{
	{"windows-update-agent", Application{"WINDOWSUPDATE", "software"}},
	{"microsoft-delivery-optimization", Application{"WINDOWSUPDATE", "software"}},
	{"valve/steam http client", Application{"STEAM", "gaming"}},
	{"ocs-ng_", Application{"OCS", "system"}},
	{"airplay/", Application{"AIRPLAY", "streaming"}},
	{"mediacontrol/1.0", Application{"AIRPLAY", "streaming"}},
	{"transmission/", Application{"BITTORRENT", "p2p"}},
	{"qbittorrent/", Application{"BITTORRENT", "p2p"}},
	{"utorrent", Application{"BITTORRENT", "p2p"}},
	{"bittorrent", Application{"BITTORRENT", "p2p"}},
	{"libtorrent", Application{"BITTORRENT", "p2p"}},
	{"rtorrent/", Application{"BITTORRENT", "p2p"}},
	{"deluge", Application{"BITTORRENT", "p2p"}},
	{"azureus", Application{"BITTORRENT", "p2p"}},
}

// agentUse names the service behind a program's own name.
func (x *sight) agentUse(agent string) {
	for i := range agents {
		a := &agents[i]
		if len(agent) >= len(a.begin) && strings.EqualFold(agent[:len(a.begin)], a.begin) {
			x.nameless(a.Name, a.Category, confidenceName)
			return
		}
	}
}

// httpUse names the uses of HTTP that the method, the host or the target tells.
func (x *sight) httpUse(method, target []byte) {
	path, query, _ := bytes.Cut(target, []byte{'?'})
	host := x.s.heads().host
	switch {
	case strings.HasPrefix(host, "ocsp") && strings.HasPrefix(strings.TrimLeft(host[4:], "0123456789"), "."), strings.Contains(host, ".ocsp."):
		x.application("OCSP", "security", confidenceName)
	case bytes.HasSuffix(path, []byte(".mpd")), bytes.HasSuffix(path, []byte(".m4s")): // and its segments
		x.nameless("MPEGDASH", "streaming", confidenceName)
	case bytes.HasSuffix(path, []byte(".m3u8")):
		x.nameless("HLS", "streaming", confidenceName)
	case string(method) == "RPC_IN_DATA", string(method) == "RPC_OUT_DATA": // MS-RPCH
		x.nameless("MS-RPCH", "rpc", confidenceName)
	case isDAVMethod(string(method)):
		x.nameless("WEBDAV", "file", confidenceName)
	case bytes.Contains(query, []byte("info_hash=")) && (bytes.HasSuffix(path, []byte("announce")) || bytes.HasSuffix(path, []byte("scrape")) || bytes.HasSuffix(path, []byte("announce.php"))): // BEP 3, BEP 48
		x.nameless("BITTORRENT", "p2p", confidenceName)
	case bytes.HasPrefix(path, []byte("/mmtls/")):
		x.nameless("WECHAT", "messaging", confidenceOuter)
	case bytes.Equal(path, []byte("/vpnsvc/connect.cgi")):
		x.nameless("SOFTETHER", "vpn", confidenceName)
	}
}

// isDAVMethod knows the methods that RFC 4918 adds to HTTP's.
func isDAVMethod(method string) bool {
	switch method {
	case "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK":
		return true
	}
	return false
}
