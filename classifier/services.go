// SPDX-License-Identifier: MIT

package classifier

// serviceDetectors lists the protocols of network services.
func serviceDetectors() []detector {
	return []detector{
		sshDetector(),
		ntpDetector(),
	}
}
