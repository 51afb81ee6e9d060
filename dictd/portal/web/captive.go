// SPDX-License-Identifier: MIT

package web

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"nftdict/dictd/portal"
)

// Captive is the answer to a device that asks how it stands with it, RFC 8908.
type Captive struct {
	Captive   bool   `json:"captive"`
	PortalURL string `json:"user-portal-url,omitempty"`
	VenueURL  string `json:"venue-info-url,omitempty"`
	CanExtend bool   `json:"can-extend-session"`
	Seconds   *int64 `json:"seconds-remaining,omitempty"` // none: there is no end
	Bytes     *int64 `json:"bytes-remaining,omitempty"`   // none: there is no bound
}

// captiveType is its media type.
const captiveType = "application/captive+json"

// captive answers at /api.
func (s *site) captive(w http.ResponseWriter, r *http.Request) {
	v, err := s.desk.Visitor(r.Context(), s.from(r, ""))
	if err != nil && !errors.Is(err, portal.ErrUnknownDevice) {
		s.log.Warn("the portal does not answer", "err", err)
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return
	}
	body, err := json.Marshal(s.tell(&v, s.hereOf(r).base))
	if err != nil {
		s.log.Error("cannot write an answer", slog.Any("err", err))
		http.Error(w, "try again", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", captiveType)
	w.Header().Set("Cache-Control", "private, no-store")
	_, _ = w.Write(body) // it may be gone
}

// tell says how it stands with a visitor.
func (s *site) tell(v *portal.Visitor, base string) *Captive {
	c := &Captive{Captive: !v.In, PortalURL: base + "/", VenueURL: s.VenueURL}
	if !v.In {
		return c
	}
	c.CanExtend = v.CanExtend
	if !v.Until.IsZero() {
		left := int64(max(0, v.Until.Sub(s.now())/time.Second))
		c.Seconds = &left
	}
	if v.BytesLeft != nil {
		left := max(0, *v.BytesLeft)
		c.Bytes = &left
	}
	return c
}
