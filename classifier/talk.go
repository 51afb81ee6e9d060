// SPDX-License-Identifier: MIT

package classifier

// talkDetectors lists the protocols of voice, video and messages.
func talkDetectors() []detector {
	return []detector{}
}
