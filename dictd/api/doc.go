// SPDX-License-Identifier: MIT

// Package api is the daemon's control socket: HTTP with JSON on a unix socket
// that only root may open, and a Client for it.
//
//	GET /v1/status               what the daemon is and does
//	GET /v1/sessions             all sessions, an array; ?application=NAME&limit=N
//	GET /v1/sessions/{ctid}/why  a session with the evidence for what it is called
//
// An error is {"error": TEXT, "remedy": TEXT} with a status of 400 or above.
// Fields are added to answers, never renamed.
//
// It refuses to change anything, and requests with a body.
package api
