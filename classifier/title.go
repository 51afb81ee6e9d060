// SPDX-License-Identifier: MIT

package classifier

import "strings"

// Title returns the application as people write it: the protocol's own name where
// it is the application.
func (r *Result) Title() string {
	if strings.EqualFold(r.Application, r.Protocol) {
		return r.Protocol
	}
	return Title(r.Application)
}

// Title returns an application's name as people write it: "YouTube" for YOUTUBE,
// "Netflix" for NETFLIX. A name that is not known here gets one capital a word.
func Title(application string) string {
	if t := brand(application); t != "" {
		return t
	}
	words := strings.Split(strings.ToLower(application), "_")
	for i, w := range words {
		if w != "" {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, " ")
}

// brand returns the names that one capital a word would spoil.
func brand(application string) string {
	switch application {
	case "AOL", "ARD", "ARTE", "AVG", "BBC", "CNN", "DAZN", "ESET", "ESPN", "FT", "GMX", "GOG", "HBO", "HP", "IBM", "IKEA", "IVI", "IVPN", "JD", "LG", "MEGA", "MSN",
		"N26", "OVH", "PUBG", "QNAP", "QQ", "RTL", "SAP", "SUSE", "VK", "WSJ", "ZDF", "CDN77", "AMD", "LINE", "NPM", "DOTA2", "VIVO", "OPPO", "UPS", "DHL":
		return application
	case "ADS_ANALYTIC_TRACK":
		return "Advertising and Analytics"
	case "AMAZONAWS":
		return "Amazon Web Services"
	case "AMAZONALEXA":
		return "Amazon Alexa"
	case "AMAZONVIDEO":
		return "Amazon Prime Video"
	case "ANYDESK":
		return "AnyDesk"
	case "APPLEICLOUD":
		return "Apple iCloud"
	case "APPLEITUNES":
		return "Apple iTunes"
	case "APPLEMUSIC":
		return "Apple Music"
	case "APPLEPUSH":
		return "Apple Push"
	case "APPLESIRI":
		return "Apple Siri"
	case "APPLESTORE":
		return "Apple App Store"
	case "APPLETVPLUS":
		return "Apple TV+"
	case "BITTORRENT":
		return "BitTorrent"
	case "CHATGPT":
		return "ChatGPT"
	case "CLOUDFLAREWARP":
		return "Cloudflare WARP"
	case "CLOUDFRONT":
		return "CloudFront"
	case "DINGTALK":
		return "DingTalk"
	case "DISCOVERYPLUS":
		return "Discovery+"
	case "DISNEYPLUS":
		return "Disney+"
	case "DOH_DOT":
		return "DNS over HTTPS or TLS"
	case "DUCKDUCKGO":
		return "DuckDuckGo"
	case "EBAY":
		return "eBay"
	case "ELECTRONICARTS":
		return "Electronic Arts"
	case "EPICGAMES":
		return "Epic Games"
	case "EXPRESSVPN":
		return "ExpressVPN"
	case "FACEBOOKMESSENGER":
		return "Facebook Messenger"
	case "GEFORCENOW":
		return "GeForce Now"
	case "GENSHINIMPACT":
		return "Genshin Impact"
	case "GITHUB":
		return "GitHub"
	case "GITLAB":
		return "GitLab"
	case "GOOGLECLASSROOM":
		return "Google Classroom"
	case "GOOGLECLOUD":
		return "Google Cloud"
	case "GOOGLEDOCS":
		return "Google Docs"
	case "GOOGLEDRIVE":
		return "Google Drive"
	case "GOOGLEMAPS":
		return "Google Maps"
	case "GOOGLEMEET":
		return "Google Meet"
	case "GOOGLEPHOTOS":
		return "Google Photos"
	case "GOOGLESERVICES":
		return "Google Services"
	case "GOTOMEETING":
		return "GoTo Meeting"
	case "IMDB":
		return "IMDb"
	case "IQIYI":
		return "iQIYI"
	case "KAKAOTALK":
		return "KakaoTalk"
	case "LASTFM":
		return "Last.fm"
	case "LINKEDIN":
		return "LinkedIn"
	case "MAIL_RU":
		return "Mail.ru"
	case "META_AI":
		return "Meta AI"
	case "MICROSOFT365":
		return "Microsoft 365"
	case "MS_ONEDRIVE":
		return "Microsoft OneDrive"
	case "NINEGAG":
		return "9GAG"
	case "NORDVPN":
		return "NordVPN"
	case "NYTIMES":
		return "New York Times"
	case "OKCUPID":
		return "OkCupid"
	case "ONEPASSWORD":
		return "1Password"
	case "ONLYFANS":
		return "OnlyFans"
	case "OPENDNS":
		return "OpenDNS"
	case "PAYPAL":
		return "PayPal"
	case "PLAYSTATION":
		return "PlayStation"
	case "PLAYSTORE":
		return "Google Play"
	case "PROTONMAIL":
		return "Proton Mail"
	case "PROTONVPN":
		return "Proton VPN"
	case "RIOTGAMES":
		return "Riot Games"
	case "SERVICENOW":
		return "ServiceNow"
	case "SHAREPOINT":
		return "SharePoint"
	case "SIRIUSXMRADIO":
		return "SiriusXM"
	case "SKYPE_TEAMS":
		return "Skype or Teams"
	case "SNAPCHATCALL":
		return "Snapchat Call"
	case "SOUNDCLOUD":
		return "SoundCloud"
	case "STACKOVERFLOW":
		return "Stack Overflow"
	case "TEAMVIEWER":
		return "TeamViewer"
	case "TENCENTGAMES":
		return "Tencent Games"
	case "TIKTOK":
		return "TikTok"
	case "TPLINK":
		return "TP-Link"
	case "UBUNTUONE":
		return "Ubuntu"
	case "WECHAT":
		return "WeChat"
	case "WETRANSFER":
		return "WeTransfer"
	case "WHATSAPP":
		return "WhatsApp"
	case "WHATSAPPFILES":
		return "WhatsApp Files"
	case "WINDOWSUPDATE":
		return "Windows Update"
	case "WORDPRESS":
		return "WordPress"
	case "WORLDOFWARCRAFT":
		return "World of Warcraft"
	case "YAHOOMAIL":
		return "Yahoo Mail"
	case "YOUTUBE":
		return "YouTube"
	case "YOUTUBEUPLOAD":
		return "YouTube Upload"
	}
	return ""
}
