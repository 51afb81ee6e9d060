// SPDX-License-Identifier: MIT

package classifier

// webDetectors lists the protocols that carry the web, and names for it.
func webDetectors() []detector {
	return []detector{
		tlsDetector(),
		quicDetector(),
		httpDetector(),
		ssdpDetector(),
		dtlsDetector(),
		http2Detector(),
		gquicDetector(),
		netbiosDetector(),
		mdnsDetector(),
		llmnrDetector(),
		dnsDetector(),
		dnscryptDetector(),
		webSocketDetector(),
	}
}
