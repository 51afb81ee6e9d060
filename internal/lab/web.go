// SPDX-License-Identifier: MIT

package lab

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// Ports of the lab's internet, at every site.
const (
	HTTPPort     = 80
	HTTPAltPort  = 8080
	HTTPSPort    = 443 // TCP, and UDP for HTTP/3
	HTTPSAltPort = 8443
)

// dripEvery is the pause between the lines of /drip/N.
const dripEvery = 100 * time.Millisecond

// maxBody bounds what /bytes/N and /drip/N give, in bytes and lines.
const maxBody = 1 << 30

// web is the content of all sites:
//
//	/         one line: hello from HOST
//	/bytes/N  N bytes
//	/drip/N   N lines, one every 100 ms
type web struct {
	mu   sync.Mutex
	hits map[string]int
}

func newWeb() *web { return &web{hits: map[string]int{}} }

// ServeHTTP serves any site.
func (s *web) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host := strings.ToLower(r.Host)
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	s.mu.Lock()
	s.hits[host]++
	s.mu.Unlock()

	kind, count, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	n, err := strconv.Atoi(count)
	if kind != "" && (err != nil || n < 0 || n > maxBody) {
		http.Error(w, fmt.Sprintf("%q: want a number up to %d", r.URL.Path, maxBody), http.StatusBadRequest)
		return
	}
	switch kind {
	case "":
		fmt.Fprintf(w, "hello from %s\n", host)
	case "bytes":
		w.Header().Set("Content-Length", count)
		io.CopyN(w, zeros{}, int64(n)) // a client may leave
	case "drip":
		drip(w, r, n)
	default:
		http.NotFound(w, r)
	}
}

func drip(w http.ResponseWriter, r *http.Request, n int) {
	tick := time.NewTicker(dripEvery)
	defer tick.Stop()
	for i := range n {
		if _, err := fmt.Fprintf(w, "drip %d\n", i+1); err != nil {
			return
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// Hits returns how many requests have reached the site of that name, over any
// protocol.
func (l *Lab) Hits(name string) int {
	l.web.mu.Lock()
	defer l.web.mu.Unlock()
	return l.web.hits[name]
}

// ServeHTTP serves handler in the namespace, on a literal TCP address such as
// "127.0.0.1:80", until the lab closes. A captive portal's page on the gateway
// is one use; dnat to 127.0.0.1 also needs net.ipv4.conf.all.route_localnet=1.
func (l *Lab) ServeHTTP(ctx context.Context, n *Namespace, address string, handler http.Handler) error {
	return l.serveHTTP(ctx, n, address, handler, nil)
}

func (l *Lab) serveHTTP(ctx context.Context, n *Namespace, address string, handler http.Handler, conf *tls.Config) error {
	ln, err := n.Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("serve http in %s: %w", n.name, err)
	}
	srv := &http.Server{
		Handler:           handler,
		TLSConfig:         conf,
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0), // broken handshakes are the point of many tests
	}
	serve := func() error { return srv.Serve(ln) }
	if conf != nil {
		serve = func() error { return srv.ServeTLS(ln, "", "") }
	}
	l.tasks.start("http "+address, serve, srv.Close)
	return nil
}

func (l *Lab) serveHTTP3(ctx context.Context, n *Namespace, address string, handler http.Handler, conf *tls.Config) error {
	pc, err := n.ListenPacket(ctx, "udp", address)
	if err != nil {
		return fmt.Errorf("serve http3 in %s: %w", n.name, err)
	}
	srv := &http3.Server{
		Handler:    handler,
		TLSConfig:  http3.ConfigureTLSConfig(conf),
		QUICConfig: &quic.Config{Versions: []quic.Version{quic.Version1, quic.Version2}},
	}
	l.tasks.start("http3 "+address, func() error { return srv.Serve(pc) }, func() error {
		return errors.Join(srv.Close(), pc.Close())
	})
	return nil
}

// serveSites starts the web servers of all sites.
func (l *Lab) serveSites(ctx context.Context) error {
	conf := &tls.Config{GetCertificate: l.certificate, MinVersion: tls.VersionTLS12}
	var errs []error
	for _, port := range []int{HTTPPort, HTTPAltPort} {
		errs = append(errs, l.serveHTTP(ctx, l.Internet, fmt.Sprintf("[::]:%d", port), l.web, nil))
	}
	for _, port := range []int{HTTPSPort, HTTPSAltPort} {
		at := fmt.Sprintf("[::]:%d", port)
		errs = append(errs,
			l.serveHTTP(ctx, l.Internet, at, l.web, conf.Clone()),
			l.serveHTTP3(ctx, l.Internet, at, l.web, conf.Clone()))
	}
	return errors.Join(errs...)
}

// certificate picks the certificate by the name the client gives, else by the
// address it came to.
func (l *Lab) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if hello.ServerName != "" {
		return l.Authority.Certificate(hello.ServerName)
	}
	local, err := netip.ParseAddrPort(hello.Conn.LocalAddr().String())
	if err != nil {
		return nil, err
	}
	for _, s := range l.Sites {
		if a := local.Addr().Unmap(); a == s.Addr4 || a == s.Addr6 {
			return l.Authority.Certificate(s.Name)
		}
	}
	return nil, fmt.Errorf("no site at %s", local)
}
