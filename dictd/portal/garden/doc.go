// SPDX-License-Identifier: MIT

// Package garden knows the domains of a walled garden: hosts that may be reached by
// whoever is not let in, and all below them.
//
// It refuses a garden in which there is a name by which systems find out whether they
// are online: they would think so, and show nobody the portal.
package garden
