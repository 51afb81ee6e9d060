// SPDX-License-Identifier: MIT

// Package api is the daemon's control socket: HTTP with JSON on a unix socket,
// and a Client for it.
//
// What there is, with every path, method, answer and schema, is told by Document,
// which the server answers at /v1/openapi.json; each file below openapi/ is the part
// of one subject.
//
// Who may ask and who may change is a Peer's Rights: the kernel tells who is at
// the other end, at the moment when it connected. Where nobody but root has any,
// the socket cannot be opened by others.
//
// A device is named by its MAC or by an address that it has. An error is
// {"error": TEXT, "remedy": TEXT} with a status of 400 or above. Fields are added
// to answers, never renamed. /v1/events streams what happens (package event) until
// the client goes; who comes again goes on where it was.
//
// It refuses bodies of more than 64 KiB, members, parameters and paths that it does
// not know, more than 256 connections or 64 of one user, and to wait for a
// client that does not read or write.
package api
