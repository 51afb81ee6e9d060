// SPDX-License-Identifier: MIT

package lab

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// Browser fetches pages from inside a namespace, over TCP or QUIC, with the
// ClientHello under control. Names go through the lab's DNS. The zero options
// are those of a current browser: a post-quantum key share, whose ClientHello
// spans two TCP segments or two QUIC datagrams.
type Browser struct {
	From *Namespace // default: the client
	// Family is 4 or 6; 0 means 4.
	Family int
	// HTTP3 uses QUIC instead of TCP.
	HTTP3 bool
	// QUIC lists the acceptable QUIC versions; none means version 1.
	QUIC []quic.Version
	// Curves are the offered key exchanges; none means X25519MLKEM768 and
	// X25519. See Classical.
	Curves []tls.CurveID
	// ServerName replaces the name in the ClientHello.
	ServerName string
	// MaxVersion is the highest version of TLS offered over TCP, as crypto/tls
	// numbers them; 0 means its own.
	MaxVersion uint16
	// Cut divides the first write on a TCP connection into segments, Gap
	// apart. For HTTPS that is the ClientHello.
	Cut Cut
	Gap time.Duration
	// Timeout bounds one request; 0 means 5 s.
	Timeout time.Duration

	lab *Lab
}

// Classical offers no post-quantum key share: such a ClientHello fits one
// segment.
func Classical() []tls.CurveID { return []tls.CurveID{tls.X25519} }

// Browser returns a browser in the client's namespace.
func (l *Lab) Browser() *Browser { return &Browser{From: l.Client, lab: l} }

// Get fetches one page over a connection of its own and returns the body. A
// status other than 200 is an error.
func (b *Browser) Get(ctx context.Context, rawURL string) (string, error) {
	v, err := b.Open(rawURL)
	if err != nil {
		return "", err
	}
	defer v.Close()
	return v.Get(ctx, "")
}

// Visit is a visit to one site over one lasting connection, which the first
// Get opens. It is not for concurrent use.
type Visit struct {
	base    *url.URL
	client  *http.Client
	timeout time.Duration
	close   func() error
}

// Open starts a visit to the site of the URL. No packet is sent yet. The
// caller closes the visit.
func (b *Browser) Open(rawURL string) (*Visit, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, err
	}
	v := &Visit{base: u, timeout: b.Timeout}
	if v.timeout == 0 {
		v.timeout = 5 * time.Second
	}
	conf := &tls.Config{RootCAs: b.lab.Authority.Pool(), CurvePreferences: b.Curves, ServerName: b.ServerName, MaxVersion: b.MaxVersion}
	if len(b.Curves) == 0 {
		conf.CurvePreferences = []tls.CurveID{tls.X25519MLKEM768, tls.X25519}
	}
	if b.HTTP3 {
		v.client, v.close = b.overQUIC(conf)
	} else {
		v.client, v.close = b.overTCP(conf)
	}
	return v, nil
}

// Get fetches a path of the site, or the page of the URL itself if the path
// is empty.
func (v *Visit) Get(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, v.timeout)
	defer cancel()
	u := v.base
	if path != "" {
		u = u.JoinPath(path)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", err
	}
	resp, err := v.client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", fmt.Errorf("get %q: %w", u, err)
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("get %q: %s", u, resp.Status)
	}
	return string(body), nil
}

// Close ends the visit and its connection.
func (v *Visit) Close() error { return v.close() }

func (b *Browser) overTCP(conf *tls.Config) (*http.Client, func() error) {
	t := &http.Transport{
		TLSClientConfig: conf,
		MaxConnsPerHost: 1,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			to, err := b.resolve(ctx, address)
			if err != nil {
				return nil, err
			}
			conn, err := b.From.Dial(ctx, network, to.String())
			if err != nil || b.Cut == nil {
				return conn, err
			}
			return &cutConn{Conn: conn, cut: b.Cut, gap: b.Gap}, nil
		},
		ForceAttemptHTTP2: true,
	}
	return &http.Client{Transport: t}, func() error {
		t.CloseIdleConnections()
		return nil
	}
}

func (b *Browser) overQUIC(conf *tls.Config) (*http.Client, func() error) {
	var (
		carrier *quic.Transport
		socket  net.PacketConn
	)
	t := &http3.Transport{
		TLSClientConfig: conf,
		QUICConfig:      &quic.Config{Versions: b.QUIC},
		Dial: func(ctx context.Context, address string, conf *tls.Config, qc *quic.Config) (*quic.Conn, error) {
			to, err := b.resolve(ctx, address)
			if err != nil {
				return nil, err
			}
			if carrier == nil {
				unspecified := netip.IPv4Unspecified()
				if to.Addr().Is6() {
					unspecified = netip.IPv6Unspecified()
				}
				if socket, err = b.From.ListenPacket(ctx, "udp", netip.AddrPortFrom(unspecified, 0).String()); err != nil {
					return nil, err
				}
				carrier = &quic.Transport{Conn: socket}
			}
			return carrier.DialEarly(ctx, net.UDPAddrFromAddrPort(to), conf, qc)
		},
	}
	return &http.Client{Transport: t}, func() error {
		errs := []error{t.Close()}
		if carrier != nil {
			errs = append(errs, carrier.Close(), socket.Close())
		}
		return errors.Join(errs...)
	}
}

// resolve turns host:port into an address of the browser's family.
func (b *Browser) resolve(ctx context.Context, address string) (netip.AddrPort, error) {
	if to, err := netip.ParseAddrPort(address); err == nil {
		return to, nil
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	family := b.Family
	if family == 0 {
		family = 4
	}
	addrs, err := b.lab.Lookup(ctx, b.From, host, family)
	if err != nil {
		return netip.AddrPort{}, err
	}
	return netip.ParseAddrPort(net.JoinHostPort(addrs[0].String(), port))
}
