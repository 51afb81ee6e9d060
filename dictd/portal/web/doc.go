// SPDX-License-Identifier: MIT

// Package web is the part of the portal that people meet: the pages, the answers of
// RFC 8908 for their devices, and the redirection of whatever else is asked for at
// port 80. All it knows of anybody it asks of a portal.Desk; it runs in a process
// without rights (package child).
//
// There are two ports. At that of HTTP arrives what clients who are not in meant for
// others: it is answered by a redirection to the portal, whatever it was, so that
// every operating system sees that it is captive. The pages are at that of HTTPS; where
// there is no certificate, as in a laboratory, they are at the first as well, by the
// portal's name alone.
//
// Pages are templates (html/template), of which a theme may replace any, with the
// stylesheet, pictures, and the texts of languages. A theme is tried with every page and language
// before it is used.
//
// It refuses to run scripts, its own or a theme's: the headers forbid them; to be
// shown in a frame; to take a form that the portal has not given to the same address
// and browser; to answer to a name that is not the portal's; to send anybody where a request said; and to
// wait for clients: when all places are taken, who has waited longest without a
// request loses his.
package web
