// SPDX-License-Identifier: MIT

package garden

import "slices"

// probes are the names that systems and browsers ask to find out whether they are
// online, and whether a portal is in their way.
var probes = []string{
	// Apple
	"captive.apple.com", "gsp1.apple.com", "www.apple.com", "www.appleiphonecell.com", "www.airport.us", "www.ibook.info", "www.itools.info", "www.thinkdifferent.us",
	// Android, ChromeOS, Chrome
	"connectivitycheck.gstatic.com", "connectivitycheck.android.com", "www.gstatic.com", "clients1.google.com", "clients3.google.com", "www.google.com", "play.googleapis.com",
	"connectivitycheck.grapheneos.network", "connect.rom.miui.com", "connectivitycheck.platform.hicloud.com", "connectivitycheck.cbg-app.huawei.com", "wifi.vivo.com.cn", "conn1.oppomobile.com",
	// Windows
	"www.msftconnecttest.com", "ipv6.msftconnecttest.com", "www.msftncsi.com", "ipv6.msftncsi.com", "dns.msftncsi.com",
	// Firefox, Kindle
	"detectportal.firefox.com", "spectrum.s3.amazonaws.com",
	// NetworkManager and others, by distribution
	"nmcheck.gnome.org", "network-test.debian.org", "connectivity-check.ubuntu.com", "fedoraproject.org", "ping.archlinux.org", "conncheck.opensuse.org", "networkcheck.kde.org",
	"ping.manjaro.org", "connectivity.pop-os.org",
}

// Probes returns the names that no garden may have.
func Probes() []string { return slices.Clone(probes) }
