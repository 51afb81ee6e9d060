// SPDX-License-Identifier: MIT

// Package oidc lets people into the portal whom a provider of OpenID Connect knows: by
// the authorization code flow with PKCE (RFC 7636), OpenID Connect Core 1.0 and
// Discovery 1.0. The provider's own pages must be in the walled garden, or nobody who is
// not in can reach them.
//
// What a provider says of somebody counts if its ID token is signed by a key of the
// provider's, is meant for this client, has the nonce of the beginning, and comes back
// to the device that has begun, within ten minutes, once. A name that is an address of
// mail must be verified.
//
// It refuses providers without TLS, answers of more than 1 MiB, more than 4,096 journeys
// under way or 8 of a device, and to wait longer than Config.Timeout.
package oidc
