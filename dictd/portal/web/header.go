// SPDX-License-Identifier: MIT

package web

import "net/http"

// policy lets a page show its own style and pictures and send its own forms, and
// nothing else. No script runs.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// protect writes the headers of every answer of the pages. Without any referrer
// browsers would hide the origin of the portal's own forms from it, too.
func (s *Settings) protect(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	h.Set("Cache-Control", "no-store")
	if r.TLS != nil && s.Known && s.Name != "" {
		h.Set("Strict-Transport-Security", "max-age=86400")
	}
}
