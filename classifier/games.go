// SPDX-License-Identifier: MIT

package classifier

// gameDetectors lists the protocols of games.
func gameDetectors() []detector {
	return []detector{}
}
