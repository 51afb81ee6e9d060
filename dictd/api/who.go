// SPDX-License-Identifier: MIT

package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"

	"nftdict/dict"
	"nftdict/dictd/identity"
)

// UserGroups is the body of PUT /v1/users/{name}.
type UserGroups struct {
	Groups []string `json:"usergroups"`
}

// DeviceUser is the body of PUT /v1/devices/{mac}/user.
type DeviceUser struct {
	Username string `json:"username"`
}

// Bound is the answer where a device is given to a user, or taken: the device.
type Bound struct {
	MAC string `json:"mac_address"`
}

// handleWho adds what is about hosts, devices and users. A device is named by
// its MAC, or by an address that it has.
func (s *Server) handleWho(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/hosts", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, s.src.Directory().Hosts()) })
	mux.HandleFunc("GET /v1/devices", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, s.src.Directory().Devices()) })
	mux.HandleFunc("GET /v1/users", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, s.src.Directory().Users()) })
	mux.HandleFunc("PUT /v1/users/{name}", func(w http.ResponseWriter, r *http.Request) {
		var body UserGroups
		if !take(w, r, &body) {
			return
		}
		if body.Groups == nil { // forgotten, or meant? Nobody loses his groups by it
			refuse(w, http.StatusBadRequest, "usergroups: missing", "send {\"usergroups\": [...]}, with [] for none")
			return
		}
		done(w, s.src.Directory().SetUser(r.PathValue("name"), body.Groups), struct{}{})
	})
	mux.HandleFunc("DELETE /v1/users/{name}", func(w http.ResponseWriter, r *http.Request) {
		done(w, s.src.Directory().DeleteUser(r.PathValue("name")), struct{}{})
	})
	mux.HandleFunc("PUT /v1/devices/{mac}/user", func(w http.ResponseWriter, r *http.Request) {
		var body DeviceUser
		if !take(w, r, &body) {
			return
		}
		mac, err := s.deviceOf(r)
		if err == nil {
			err = s.src.Directory().Bind(mac, body.Username)
		}
		done(w, err, Bound{dict.EtherValue(mac).String()})
	})
	mux.HandleFunc("DELETE /v1/devices/{mac}/user", func(w http.ResponseWriter, r *http.Request) {
		mac, err := s.deviceOf(r)
		if err == nil {
			err = s.src.Directory().Unbind(mac)
		}
		done(w, err, Bound{dict.EtherValue(mac).String()})
	})
}

// deviceOf returns the device that a path names.
func (s *Server) deviceOf(r *http.Request) ([6]byte, error) {
	text := r.PathValue("mac")
	if addr, err := netip.ParseAddr(text); err == nil {
		return s.src.Directory().DeviceAt(addr)
	}
	k, err := dict.ParseKey(dict.KeyEther, text)
	if err != nil {
		return [6]byte{}, fmt.Errorf("device %s: %w: want a MAC, or an address that a device has", dict.Quote(text), dict.ErrInvalid)
	}
	return k.Ether(), nil
}

// take reads the body of a request, and refuses what is not as it should be.
func take(w http.ResponseWriter, r *http.Request, v any) bool {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		refuse(w, http.StatusBadRequest, "body: "+err.Error(), "send a JSON object")
		return false
	}
	return true
}

// done answers a request for a change.
func done(w http.ResponseWriter, err error, v any) {
	switch {
	case err == nil:
		answer(w, http.StatusOK, v)
	case errors.Is(err, dict.ErrNotExist):
		refuse(w, http.StatusNotFound, err.Error(), "`dictctl users`, `dictctl devices` and `dictctl hosts` list those it knows")
	case errors.Is(err, dict.ErrInvalid), errors.Is(err, dict.ErrTooLong):
		refuse(w, http.StatusBadRequest, err.Error(), "")
	case errors.Is(err, identity.ErrTooMany):
		refuse(w, http.StatusInsufficientStorage, err.Error(), "delete some")
	default:
		refuse(w, http.StatusInternalServerError, err.Error(), "look at the state directory of the configuration")
	}
}
