// SPDX-License-Identifier: MIT

package classifier

// peerDetectors lists the protocols of peers: file sharing, tunnels, coins.
func peerDetectors() []detector {
	return []detector{}
}
