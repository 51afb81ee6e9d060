// SPDX-License-Identifier: MIT

package web

import (
	"net/http"
	"testing"
	"time"

	"nftdict/dictd/portal"
)

// TestCaptive is RFC 8908.
func TestCaptive(t *testing.T) {
	r := newRig(t, settings())
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	r.stand(now)
	left, none := int64(5000), int64(-7)
	for _, tt := range []struct {
		v    portal.Visitor
		want string
	}{
		{portal.Visitor{}, `{"captive":true,"user-portal-url":"https://portal.example:8443/","venue-info-url":"https://venue.example/","can-extend-session":false}`},
		{portal.Visitor{CanExtend: true, Until: now.Add(time.Hour)}, `{"captive":true,"user-portal-url":"https://portal.example:8443/","venue-info-url":"https://venue.example/","can-extend-session":false}`},
		{portal.Visitor{In: true}, `{"captive":false,"user-portal-url":"https://portal.example:8443/","venue-info-url":"https://venue.example/","can-extend-session":false}`},
		{portal.Visitor{In: true, CanExtend: true, Until: now.Add(90*time.Second + 1), BytesLeft: &left}, `{"captive":false,"user-portal-url":"https://portal.example:8443/","venue-info-url":"https://venue.example/","can-extend-session":true,"seconds-remaining":90,"bytes-remaining":5000}`},
		{portal.Visitor{In: true, Until: now.Add(-time.Second), BytesLeft: &none}, `{"captive":false,"user-portal-url":"https://portal.example:8443/","venue-info-url":"https://venue.example/","can-extend-session":false,"seconds-remaining":0,"bytes-remaining":0}`},
	} {
		r.desk.visitor = tt.v
		w := r.do(visit{url: base + "/api", header: http.Header{"Accept": {captiveType}}})
		if got := w.Body.String(); w.Code != http.StatusOK || got != tt.want {
			t.Errorf("%d\n%s, want\n%s", w.Code, got, tt.want)
		}
		if h := w.Header(); h.Get("Content-Type") != captiveType || h.Get("Cache-Control") != "private, no-store" {
			t.Errorf("%v", h)
		}
		if w := r.do(visit{method: http.MethodPost, url: base + "/api"}); w.Code != http.StatusNotFound {
			t.Errorf("POST: %d", w.Code)
		}
	}
	plain := settings()
	plain.HTTPS = 0
	if w := newRig(t, plain).do(visit{url: "http://portal.example:8880/api"}); w.Code != http.StatusNotFound {
		t.Errorf("without TLS: %d", w.Code)
	}
}
