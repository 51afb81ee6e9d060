// SPDX-License-Identifier: MIT

package classifier

// talkDetectors lists the protocols of voice, video and messages.
func talkDetectors() []detector {
	return []detector{
		sipDetector(),
		rtspDetector(),
		mgcpDetector(),
		megacoDetector(),
		skinnyDetector(),
		h323Detector(),
		stunDetector(),
		discordDetector(),
		teamSpeakDetector(),
		telegramDetector(),
		weChatDetector(),
		whatsAppDetector(),
		jabberDetector(),
		threemaDetector(),
		smppDetector(),
		iaxDetector(),
		zoomDetector(),
		rtmpDetector(),
		mumbleDetector(),
		rtcpDetector(),
		rtpDetector(),
		srtpDetector(),
		mpegTSDetector(),
		oicqDetector(),
	}
}
