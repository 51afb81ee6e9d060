// SPDX-License-Identifier: MIT

package web

import (
	"html"
	"net/http"
)

// redirect sends a client to the portal that asked somebody else for something. Of
// what it asked for nothing comes back. The connection ends, as it leads here
// whatever becomes of the client: the next one may lead to where it was meant to.
func (s *Settings) redirect(w http.ResponseWriter, r *http.Request) {
	to := s.hereOf(r).base + "/"
	h := w.Header()
	h["Location"] = []string{to}
	h["Cache-Control"] = []string{"no-store"}
	h["Connection"] = []string{"close"}
	h["Content-Type"] = []string{"text/html; charset=utf-8"}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	w.WriteHeader(http.StatusFound)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte("<a href=\"" + html.EscapeString(to) + "\">Portal</a>\n")) // it may be gone
	}
}
