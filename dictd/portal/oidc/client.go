// SPDX-License-Identifier: MIT

package oidc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// maxAnswer is the most bytes of an answer.
const maxAnswer = 1 << 20

// NewClient returns what asks a provider: over TLS with the given roots (nil: the
// system's), by connections that dial makes (nil: the usual), following no redirect to
// anything else than https.
func NewClient(timeout time.Duration, roots *x509.CertPool, dial func(ctx context.Context, network, addr string) (net.Conn, error)) *http.Client {
	t := &http.Transport{
		DialContext: dial, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, TLSHandshakeTimeout: timeout,
		ResponseHeaderTimeout: timeout, MaxResponseHeaderBytes: 64 << 10, MaxIdleConns: 4, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
	}
	return &http.Client{Transport: bounded{t}, Timeout: timeout, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if r.URL.Scheme != "https" || len(via) > 3 {
			return http.ErrUseLastResponse
		}
		return nil
	}}
}

// bounded ends answers that are too long.
type bounded struct{ t http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.t.RoundTrip(r)
	if err == nil {
		answer.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(answer.Body, maxAnswer), answer.Body}
	}
	return answer, err
}

// unreachable reports whether an error is of the way to the provider.
func unreachable(err error) bool {
	failed := new(url.Error)
	return errors.As(err, &failed) || errors.Is(err, context.DeadlineExceeded)
}
