// SPDX-License-Identifier: MIT

// Package api is the daemon's control socket: HTTP with JSON on a unix socket
// that only root may open, and a Client for it.
//
//	GET /v1/status               what the daemon is and does
//	GET /v1/sessions             all sessions, an array; ?application=NAME&limit=N
//	GET /v1/sessions/{ctid}/why  a session with the evidence for what it is called
//	GET /v1/hosts                the addresses that are known, an array
//	GET /v1/devices              the devices, an array
//	GET /v1/users                the users with their groups and devices, an array
//	PUT /v1/users/{name}         makes a user, or gives him other groups: UserGroups
//	DELETE /v1/users/{name}      forgets a user
//	PUT /v1/devices/{mac}/user   gives a device to a user: DeviceUser
//	DELETE /v1/devices/{mac}/user  takes a device from its user
//
// A device is named by its MAC or by an address that it has.
//
// An error is {"error": TEXT, "remedy": TEXT} with a status of 400 or above.
// Fields are added to answers, never renamed.
//
// It refuses to change anything but users and their devices, and bodies of more
// than 64 KiB or with fields that it does not know.
package api
