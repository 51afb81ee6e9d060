// SPDX-License-Identifier: MIT

package web

import "net/http"

// Cookies, as they are called over HTTP.
const (
	cookieForm     = "dictd-portal-form"
	cookieLanguage = "dictd-portal-language"
	cookieDevice   = "dictd-portal-device" // Visitor.Cookie
)

// cookieAge is for how long a device may be away and be known again, in seconds.
const cookieAge = 30 * 24 * 3600

// cookieName is a cookie's name on the connection of a request. Over HTTPS none but
// this host can have set it, over HTTPS.
func cookieName(r *http.Request, name string) string {
	if r.TLS != nil {
		return "__Host-" + name
	}
	return name
}

// setCookie sets one until the browser is closed, or for age seconds; below 0 it is
// deleted. Scripts and pages of others do not see it, except that a link from
// elsewhere, as from a provider of logins, brings it along.
func setCookie(w http.ResponseWriter, r *http.Request, name, value string, age int) {
	http.SetCookie(w, &http.Cookie{
		Name: cookieName(r, name), Value: value, Path: "/", MaxAge: age,
		Secure: r.TLS != nil, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// cookie returns a cookie's value, "" if there is none.
func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(cookieName(r, name))
	if err != nil {
		return ""
	}
	return c.Value
}
