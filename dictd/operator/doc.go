// SPDX-License-Identifier: MIT

// Package operator is the page in the browser for who runs a gateway: what lives on it,
// what moves, who has which budget, who is in the portal, what the dictionaries hold.
//
// It is files that are part of the program, and the API of package api for those who
// have logged in: every answer and every change is one of that API. Who may log in, and
// whether he may change something, is in a file of names and hashes of passwords, which
// is read again when it changes: whose line is gone, or is another, is out.
//
// It refuses to listen on an address that others reach without a certificate, hosts that
// it does not know by name, requests that another site had the browser send, or
// that come with the cookie of a session and without its key, and to tell who tries passwords which names there
// are. What it tells is data: no text of a connection or a device becomes markup.
package operator
