// SPDX-License-Identifier: MIT

// Package fetch fills the cache of kernels (package kernel): Debian's images
// with the headers of the same version, as the machine's apt offers them, and
// a small kernel full of detectors, built from Debian's source.
//
// Point releases vanish from the archive, so none is named here: the newest of
// a series that has image and headers is taken. What the cache holds is used
// without asking the network. The package installs nothing on the machine and
// refuses to touch its boot loader, its /lib/modules or its /usr/src.
package fetch
