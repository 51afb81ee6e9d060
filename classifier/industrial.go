// SPDX-License-Identifier: MIT

package classifier

// industrialDetectors lists the protocols of machines and plants.
func industrialDetectors() []detector {
	return []detector{}
}
