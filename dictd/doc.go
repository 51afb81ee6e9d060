// SPDX-License-Identifier: MIT

// Package dictd is the daemon as a library: it reads the first packets of every
// connection from nfqueues, learns what the connection is, and writes that into
// the dictionary "sessions" before it gives the packet back, so that a rule on
// the dictionary already decides about the packet that revealed it.
//
// A Daemon is handed a dict.Store, an nftext.Compiler, and a configuration. It
// is a handful of tasks that run until their context ends:
//
//	queue readers   packet -> session -> classifier -> Put -> verdict, inline
//	event listener  connections confirmed and ended
//	keeper          the daemon's own nft table, put back when somebody removed it
//	housekeeper     forgets rejected connections; renews rows; resyncs after loss
//	identity        neighbours, leases and users -> rows of hosts, devices and users
//	ledger          what connections have moved -> totals by host, device, user, application
//	control socket  package api
//
// What it writes of a session: session_id, ip_protocol, family, client_address,
// server_address, client_port, server_port, client_interface_id, local_address,
// remote_address (of the two, local is the private one, else the client),
// client_hops, and with a database of countries client_country and
// server_country; with the first answer server_interface_id and server_hops; once
// confirmed the four addresses and ports after translation (*_new); from the
// classifier the application in all its fields, or their _inferred forms where
// only the client's DNS answers or earlier sessions tell, names, versions and
// fingerprints of TLS, QUIC, HTTP and SSH, the server's certificate, the service
// a lookup is about; of the client its host name and its user with groups; final when the application is settled, bypass_packetd when no
// packet is wanted any more, or as false where the entry had another connection
// before. docs/tables.md has them all.
//
// It refuses to lose a packet by its own fault: what cannot be read, known or
// written goes on, counted. It never alters a packet, and touches nobody's
// tables but its own.
package dictd
