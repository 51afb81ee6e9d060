// SPDX-License-Identifier: MIT

package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// A token makes a form the portal's own. It names a browser (by a cookie that is
// nothing but a random number) and a time, and is signed together with the
// address that asked for the form:
//
//	8 bytes  when it was given, seconds since 1970, big endian
//	16 bytes the cookie
//	32 bytes HMAC-SHA256 of both and of the address, of 16 bytes
//
// in base64 for URLs.
const (
	formCookieLen = 16
	tokenLen      = 8 + formCookieLen + sha256.Size
	// formLife is for how long a page may be left lying.
	formLife = 12 * time.Hour
)

var encoding = base64.RawURLEncoding.Strict()

// newFormCookie returns a random one, as it travels.
func newFormCookie() string {
	var raw [formCookieLen]byte
	rand.Read(raw[:]) // never fails
	return encoding.EncodeToString(raw[:])
}

// readFormCookie returns a cookie's bytes.
func readFormCookie(text string) (raw [formCookieLen]byte, ok bool) {
	if len(text) != encoding.EncodedLen(formCookieLen) {
		return raw, false
	}
	n, err := encoding.Decode(raw[:], []byte(text))
	return raw, err == nil && n == formCookieLen
}

// token returns one for a form given now.
func token(key []byte, addr netip.Addr, cookie [formCookieLen]byte, now time.Time) string {
	raw := binary.BigEndian.AppendUint64(make([]byte, 0, tokenLen), uint64(now.Unix()))
	raw = append(raw, cookie[:]...)
	return encoding.EncodeToString(sign(raw, key, addr))
}

// sign appends the signature.
func sign(raw, key []byte, addr netip.Addr) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(raw)
	a := addr.As16()
	mac.Write(a[:])
	return mac.Sum(raw)
}

// checkToken returns the cookie of a token that was given to the address, not too
// long ago.
func checkToken(key []byte, addr netip.Addr, text string, now time.Time) (cookie [formCookieLen]byte, ok bool) {
	if len(text) != encoding.EncodedLen(tokenLen) {
		return cookie, false
	}
	raw, err := encoding.DecodeString(text)
	if err != nil {
		return cookie, false
	}
	signed := raw[:8+formCookieLen]
	if !hmac.Equal(sign(signed[:len(signed):len(signed)], key, addr), raw) {
		return cookie, false
	}
	age := now.Sub(time.Unix(int64(binary.BigEndian.Uint64(raw)), 0))
	copy(cookie[:], raw[8:])
	return cookie, age > -time.Minute && age < formLife
}

// mayChange reports whether a request that changes something comes from a page of
// the portal that was given to the same address and the same browser. A browser that
// keeps no cookies is believed when it says itself that the page was the portal's.
func (s *Settings) mayChange(r *http.Request, text string, now time.Time) bool {
	said := false
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		if site != "same-origin" {
			return false
		}
		said = true
	}
	if origin := r.Header.Get("Origin"); origin != "" && !(origin == "null" && said) {
		if !s.isOrigin(r, origin) {
			return false
		}
		said = true
	}
	of, ok := checkToken(s.Key, remoteAddr(r), text, now)
	if !ok {
		return false
	}
	cookie, err := r.Cookie(cookieName(r, cookieForm))
	if err != nil {
		return said
	}
	has, ok := readFormCookie(cookie.Value)
	return ok && hmac.Equal(has[:], of[:])
}

// isOrigin reports whether an Origin is the page's own: the scheme of the connection,
// and the host that was asked, which is known to be the portal's.
func (s *Settings) isOrigin(r *http.Request, origin string) bool {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	host, ok := strings.CutPrefix(origin, scheme)
	return ok && strings.EqualFold(host, r.Host)
}
