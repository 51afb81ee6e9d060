// SPDX-License-Identifier: MIT

package e2e

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"nftdict/internal/lab"
)

// steady is one HTTP connection that is never opened again behind one's back,
// as http.Transport would.
type steady struct {
	net.Conn
	r    *bufio.Reader
	host string
}

// steady opens a connection from the client to a site.
func (r *rig) steady(name string) *steady {
	r.t.Helper()
	return openSteady(r.t, r.Client, r.Lab, name)
}

func openSteady(t testing.TB, from *lab.Namespace, l *lab.Lab, name string) *steady {
	t.Helper()
	site, ok := l.Site(name)
	if !ok {
		t.Fatalf("no site %q", name)
	}
	c, err := from.Dial(context.Background(), "tcp4", netip.AddrPortFrom(site.Addr4, 80).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &steady{Conn: c, r: bufio.NewReader(c), host: name}
}

// get fetches a page over the connection.
func (s *steady) get() error { return s.getWithin(2 * time.Second) }

// getWithin is get with a time that it may take.
func (s *steady) getWithin(patience time.Duration) error {
	if err := s.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodGet, "http://"+s.host+"/", nil)
	if err != nil {
		return err
	}
	if err := req.Write(s); err != nil {
		return err
	}
	resp, err := http.ReadResponse(s.r, req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
