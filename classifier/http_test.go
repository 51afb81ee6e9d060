// SPDX-License-Identifier: MIT

package classifier

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2/hpack"
)

func TestHTTP(t *testing.T) {
	const browser = "Mozilla/5.0 (X11; Linux x86_64)"
	long := strings.Repeat("x", 200)
	tests := []struct {
		name, in string
		want     Result
		state    State
	}{
		{name: "request", in: "GET /watch?v=1 HTTP/1.1\r\nHost: www.netflix.com\r\nUser-Agent: " + browser + "\r\n\r\n", state: Done, want: Result{
			Application: "NETFLIX", Category: "streaming", Detail: "www.netflix.com", HTTPHost: "www.netflix.com",
			URL: "http://www.netflix.com/watch?v=1", UserAgent: browser,
		}},
		{name: "port and case", in: "POST / HTTP/1.0\nhOST:\t WWW.Example.Org:8080 \nuser-AGENT: a\n\n", state: Done, want: Result{
			Application: "HTTP", Category: "web", Detail: "www.example.org", HTTPHost: "www.example.org",
			URL: "http://WWW.Example.Org:8080/", UserAgent: "a",
		}},
		{name: "connect", in: "CONNECT www.facebook.com:443 HTTP/1.1\r\nHost: other.example\r\n\r\n", state: Done, want: Result{
			Protocol: "HTTP_Connect", Application: "FACEBOOK", Category: "social", Detail: "www.facebook.com", HTTPHost: "www.facebook.com",
		}},
		{name: "to a proxy", in: "GET http://user:pw@www.bbc.co.uk/news HTTP/1.1\r\nHost: other.example\r\n\r\n", state: Done, want: Result{
			Protocol: "HTTP_Proxy", Application: "BBC", Category: "news", Detail: "www.bbc.co.uk", HTTPHost: "www.bbc.co.uk", URL: "http://www.bbc.co.uk/news",
		}},
		{name: "behind empty lines", in: "\r\n\n\r\nGET / HTTP/1.1\r\nHost: vimeo.com\r\n\r\n", state: Done, want: Result{
			Application: "VIMEO", Category: "streaming", Detail: "vimeo.com", HTTPHost: "vimeo.com", URL: "http://vimeo.com/",
		}},
		{name: "IPv6 host", in: "GET / HTTP/1.1\r\nHost: [2001:DB8::1]:80\r\n\r\n", state: Done, want: Result{
			Application: "HTTP", Category: "web", Detail: "2001:db8::1", HTTPHost: "2001:db8::1", URL: "http://[2001:DB8::1]:80/",
		}},
		{name: "no host", in: "OPTIONS * HTTP/1.1\r\nAccept: */*\r\n\r\n", state: Done, want: Result{Application: "HTTP", Category: "web"}},
		{name: "host is no name", in: "GET / HTTP/1.1\r\nHost: net\x01flix.com\r\n\r\n", state: Done, want: Result{Application: "HTTP", Category: "web"}},
		{name: "too long for a value", in: "GET /" + long + " HTTP/1.1\r\nUser-Agent: " + long + "\r\nHost: vimeo.com\r\n\r\n", state: Done, want: Result{
			Application: "VIMEO", Category: "streaming", Detail: "vimeo.com", HTTPHost: "vimeo.com",
		}},
		{name: "agent is not printable", in: "GET / HTTP/1.1\r\nUser-Agent: a\x1b[31m\r\nHost: vimeo.com\r\n\r\n", state: Done, want: Result{
			Application: "VIMEO", Category: "streaming", Detail: "vimeo.com", HTTPHost: "vimeo.com", URL: "http://vimeo.com/",
		}},
		{name: "only the first host counts", in: "GET / HTTP/1.1\r\nHost: vimeo.com\r\nHost: www.netflix.com\r\n\r\n", state: Done, want: Result{
			Application: "VIMEO", Category: "streaming", Detail: "vimeo.com", HTTPHost: "vimeo.com", URL: "http://vimeo.com/",
		}},
		{name: "host is there, the rest is not", in: "GET / HTTP/1.1\r\nHost: vimeo.com\r\nAcc", want: Result{
			Application: "VIMEO", Category: "streaming", Detail: "vimeo.com", HTTPHost: "vimeo.com", URL: "http://vimeo.com/",
		}},
		{name: "half a host is none", in: "GET / HTTP/1.1\r\nHost: vimeo.co", want: Result{Application: "HTTP", Category: "web"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newConversation(t, New(Options{}))
			v.open()
			if got := v.at(Original, 0, []byte(tt.in)); got != tt.state {
				t.Errorf("state %v, want %v", got, tt.state)
			}
			got := v.s.Result()
			if tt.want.Protocol == "" {
				tt.want.Protocol = "HTTP"
			}
			tt.want.Chain = "IP/TCP/" + strings.ToUpper(tt.want.Protocol)
			if tt.want.Application != "HTTP" {
				tt.want.Chain += "/" + tt.want.Application
			}
			got.Version, got.Confidence = 0, 0
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNotHTTP(t *testing.T) {
	for name, in := range map[string]string{
		"RTSP":              "OPTIONS rtsp://example.org/a RTSP/1.0\r\nCSeq: 1\r\n\r\n",
		"SIP":               "INVITE sip:a@example.org SIP/2.0\r\n\r\n",
		"SMTP":              "EHLO example.org\r\n",
		"no target":         "GET HTTP/1.1\r\n\r\n",
		"blank target":      "GET   HTTP/1.1\r\nHost: vimeo.com\r\n\r\n",
		"lower case":        "get / HTTP/1.1\r\n\r\n",
		"control in line":   "GET /\x00 HTTP/1.1\r\n\r\n",
		"nothing but lines": strings.Repeat("\r\n", 20),
		"endless method":    strings.Repeat("A", 200),
		"endless line":      "GET /" + strings.Repeat("a", 20000),
		"another response":  "HTTP/1.1 abc\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			v := newConversation(t, New(Options{}))
			v.at(Original, 0, []byte(in))
			if got := v.s.Result(); got.Protocol == "HTTP" {
				t.Errorf("got %+v", got)
			}
			if v.s.work != nil && v.s.detector == nil {
				t.Error("a buffer is kept of what no detector wants")
			}
		})
	}
}

// TestHTTPResponseOnly sees one side of the connection.
func TestHTTPResponseOnly(t *testing.T) {
	v := newConversation(t, New(Options{}))
	v.at(Reply, 0, []byte("HTTP/1.1 200 OK\r\nServer: x\r\n\r\n"))
	if got := v.s.Result().Protocol; got != "HTTP" || v.s.State() != More {
		t.Fatalf("protocol %q, state %v", got, v.s.State())
	}
	if v.at(Original, 0, []byte("GET / HTTP/1.1\r\nHost: vimeo.com\r\n\r\n")) != Done || v.s.Result().Application != "VIMEO" {
		t.Errorf("got %+v", v.s.Result())
	}
}

func TestHTTPAnySegmentation(t *testing.T) {
	c := New(Options{MaxPackets: 1000})
	in := []byte("GET /watch HTTP/1.1\r\nUser-Agent: agent\r\nAccept: */*\r\nHost: www.netflix.com\r\nCookie: abc\r\n\r\n")
	v := newConversation(t, c)
	v.at(Original, 0, in)
	want := v.s.Result()
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 4))
		v := newConversation(t, c)
		v.open()
		var cuts [][2]int
		for off := 0; off < len(in); {
			end := min(len(in), off+1+r.IntN(30))
			cuts = append(cuts, [2]int{off, end})
			off = end
		}
		r.Shuffle(len(cuts), func(i, j int) { cuts[i], cuts[j] = cuts[j], cuts[i] })
		for _, cut := range cuts {
			v.at(Original, cut[0], in[cut[0]:cut[1]])
		}
		got := v.s.Result()
		got.Version = want.Version
		if diff := cmp.Diff(want, got); diff != "" || v.s.State() != Done {
			t.Fatalf("seed %d, state %v (-want +got):\n%s", seed, v.s.State(), diff)
		}
	}
}

func FuzzHTTP(f *testing.F) {
	f.Add([]byte("GET /watch HTTP/1.1\r\nUser-Agent: agent\r\nHost: www.netflix.com\r\n\r\n"), 20)
	f.Add([]byte("CONNECT [::1]:443 HTTP/1.1\nHost:a\n\n"), 3)
	f.Add([]byte("GET http://@:80/ HTTP/1.0\r\n\r\n"), 0)
	f.Add([]byte("GET   HTTP/1.1\r\nHost: vimeo.com\r\n\r\n"), 0)
	c := New(Options{})
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		fuzzStream(t, c, b, cut)
	})
}

func TestHTTPUses(t *testing.T) {
	for _, tt := range []struct {
		name, in              string
		dir                   Dir
		protocol, application string
	}{
		{"upgrade", "GET /chat HTTP/1.1\r\nHost: www.example.org\r\nUpgrade: WebSocket\r\n\r\n", Original, "WebSocket", "WEBSOCKET"},
		{"another upgrade", "GET / HTTP/1.1\r\nHost: www.example.org\r\nUpgrade: h2c\r\n\r\n", Original, "HTTP", "HTTP"},
		{"certificate status", "POST / HTTP/1.1\r\nContent-Type: application/ocsp-request\r\n\r\n", Original, "HTTP", "OCSP"},
		{"certificate status by host", "GET /MFE HTTP/1.1\r\nHost: ocsp.example.org\r\n\r\n", Original, "HTTP", "OCSP"},
		{"answer", "HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\n\r\n", Reply, "HTTP", "OCSP"},
		{"playlist", "GET /a/b.m3u8?c=d HTTP/1.1\r\nHost: www.example.org\r\n\r\n", Original, "HTTP", "HLS"},
		{"manifest", "HTTP/1.1 200 OK\r\nContent-Type: application/dash+xml; charset=utf-8\r\n\r\n", Reply, "HTTP", "MPEGDASH"},
		{"segment", "GET /video/1/seg-4.m4s HTTP/1.1\r\nHost: www.example.org\r\n\r\n", Original, "HTTP", "MPEGDASH"},
		{"of a service", "GET /a.mpd HTTP/1.1\r\nHost: www.netflix.com\r\n\r\n", Original, "HTTP", "NETFLIX"},
		{"printer", "POST /ipp/print HTTP/1.1\r\nContent-Type: application/ipp\r\n\r\n", Original, "HTTP", "IPP"},
		{"resolver", "POST /dns-query HTTP/1.1\r\nContent-Type: application/dns-message\r\n\r\n", Original, "HTTP", "DOH_DOT"},
		{"player of all kinds", "GET /a HTTP/1.1\r\nIcy-MetaData: 1\r\n\r\n", Original, "HTTP", "HTTP"},
		{"radio's answer", "HTTP/1.0 200 OK\r\nicy-name: Radio\r\n\r\n", Reply, "HTTP", "ICECAST"},
		{"authoring", "PROPFIND /a HTTP/1.1\r\nDepth: 1\r\n\r\n", Original, "HTTP", "WEBDAV"},
		{"tracker", "GET /announce?info_hash=%01%02&port=6881 HTTP/1.1\r\n\r\n", Original, "HTTP", "BITTORRENT"},
		{"no tracker", "GET /pages?info_hash=1 HTTP/1.1\r\n\r\n", Original, "HTTP", "HTTP"},
		{"remote procedures", "RPC_IN_DATA /rpc/rpcproxy.dll?a:593 HTTP/1.1\r\n\r\n", Original, "HTTP", "MS-RPCH"},
		{"updates", "GET /a HTTP/1.1\r\nUser-Agent: Windows-Update-Agent/10.0\r\n\r\n", Original, "HTTP", "WINDOWSUPDATE"},
		{"inventory", "POST /ocsinventory HTTP/1.1\r\nUser-Agent: OCS-NG_unified_unix_agent_v2.0.5\r\n\r\n", Original, "HTTP", "OCS"},
		{"tunnel", "POST /vpnsvc/connect.cgi HTTP/1.1\r\n\r\n", Original, "HTTP", "SOFTETHER"},
		{"player", "POST /pair-setup RTSP/1.0\r\nUser-Agent: AirPlay/550.10\r\n\r\n", Original, "RTSP", "AIRPLAY"},
		{"player of music", "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nApple-Challenge: abc\r\n\r\n", Original, "RTSP", "AIRPLAY"},
		{"short link of WeChat", "POST /mmtls/0000abcd HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n", Original, "HTTP", "WECHAT"},
		{"camera", "SETUP rtsp://192.0.2.1/a RTSP/1.0\r\nCSeq: 1\r\n\r\n", Original, "RTSP", "RTSP"},
		{"another version", "GET /info RTSQ/1.0\r\nUser-Agent: AirPlay/1\r\n\r\n", Original, "", ""},
		{"call", "POST / HTTP/1.1\r\nSOAPAction: \"urn:a\"\r\n\r\n", Original, "HTTP", "SOAP"},
		{"call, before the host", "POST / HTTP/1.1\r\nSOAPAction: \"urn:a\"\r\nHost: www.example.com\r\n\r\n", Original, "HTTP", "SOAP"},
		{"print, before the host", "POST / HTTP/1.1\r\nContent-Type: application/ipp\r\nHost: www.example.com\r\n\r\n", Original, "HTTP", "IPP"},
		{"call to a service", "POST / HTTP/1.1\r\nSOAPAction: \"urn:a\"\r\nHost: www.netflix.com\r\n\r\n", Original, "HTTP", "NETFLIX"},
		{"page", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", Reply, "HTTP", "HTTP"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := newConversation(t, New(Options{}))
			v.open()
			v.at(tt.dir, 0, []byte(tt.in))
			if r := v.s.Result(); r.Protocol != tt.protocol || r.Application != tt.application {
				t.Errorf("protocol %q, application %q, want %q, %q", r.Protocol, r.Application, tt.protocol, tt.application)
			}
		})
	}
}

// http2Request makes the start of a client's stream: the preface, frames in
// front of the head, and the head.
func http2Request(t *testing.T, flags byte, before, after string, fields ...string) []byte {
	t.Helper()
	var head bytes.Buffer
	head.WriteString(before)
	e := hpack.NewEncoder(&head)
	for i := 0; i < len(fields); i += 2 {
		if err := e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}); err != nil {
			t.Fatal(err)
		}
	}
	head.WriteString(after)
	n := head.Len()
	frames := "\x00\x00\x06\x04\x00\x00\x00\x00\x00" + "\x00\x03\x00\x00\x00\x64" + "\x00\x00\x04\x08\x00\x00\x00\x00\x00" + "\x00\x0f\x00\x01"
	return []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frames + string([]byte{byte(n >> 16), byte(n >> 8), byte(n), 1, flags, 0, 0, 0, 1}) + head.String())
}

func TestHTTP2Head(t *testing.T) {
	fields := []string{":method", "GET", ":path", "/a?b=c", ":scheme", "http", ":authority", "www.netflix.com:8080", "user-agent", "agent/1"}
	tests := []struct {
		name            string
		in              []byte
		host, url, user string
	}{
		{"plain", http2Request(t, 4, "", "", fields...), "www.netflix.com", "http://www.netflix.com:8080/a?b=c", "agent/1"},
		{"padded, with a priority", http2Request(t, 0x2c, "\x03\x00\x00\x00\x00\x10", "\x00\x00\x00", fields...), "www.netflix.com", "http://www.netflix.com:8080/a?b=c", "agent/1"},
		{"more padding than there is", http2Request(t, 0x0c, "\xff", "", fields...), "", "", ""},
		{"broken at its end", http2Request(t, 4, "", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", fields...), "www.netflix.com", "http://www.netflix.com:8080/a?b=c", "agent/1"},
		{"no authority", http2Request(t, 4, "", "", fields[:6]...), "", "", ""},
		{"no name", http2Request(t, 4, "", "", ":path", "/", ":authority", "a b"), "", "", ""},
		{"too large", http2Request(t, 4, "", strings.Repeat("\x82", maxHTTP2), fields...), "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, cut := range []int{len(tt.in), 30, 1} {
				v := newConversation(t, New(Options{MaxPackets: 65535}))
				v.open()
				state, off := More, 0
				for piece := range slices.Chunk(tt.in, cut) {
					state = v.at(Original, off, piece)
					off += len(piece)
				}
				r := v.s.Result()
				if state != Done || r.Protocol != "HTTP2" || r.HTTPHost != tt.host || r.URL != tt.url || r.UserAgent != tt.user {
					t.Errorf("in pieces of %d: %+v", cut, r)
				}
			}
		})
	}
}

// Remote procedures over HTTP/2 are told by their media type.
func TestHTTP2Uses(t *testing.T) {
	for media, want := range map[string]string{
		"application/grpc": "GRPC", "application/grpc+proto": "GRPC", "application/grpcx": "HTTP2", "application/dns-message": "DOH_DOT", "text/html": "HTTP2",
	} {
		v := newConversation(t, New(Options{}))
		v.open()
		v.at(Original, 0, http2Request(t, 4, "", "", ":method", "POST", ":path", "/a", ":authority", "www.example.org", "content-type", media))
		if r := v.s.Result(); r.Protocol != "HTTP2" || r.Application != want {
			t.Errorf("%s: %q %q, want %q", media, r.Protocol, r.Application, want)
		}
	}
}
