// SPDX-License-Identifier: MIT

package api

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/netip"

	"nftdict/dict"
	"nftdict/dictd/identity"
)

// UserGroups is the body of PUT and PATCH /v1/users/{name}.
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
func (s *Server) handleWho(mux *router) {
	s.handleWhoLists(mux)
	mux.HandleFunc("GET /v1/hosts/{address}", func(w http.ResponseWriter, r *http.Request) {
		if _, ok := parseQuery(w, r); !ok {
			return
		}
		addr, err := parseAddr(r.PathValue("address"))
		var h identity.Host
		if err == nil {
			h, err = s.src.Directory().Host(addr)
		}
		done(w, err, &h)
	})
	mux.HandleFunc("GET /v1/hosts/{address}/why", func(w http.ResponseWriter, r *http.Request) {
		if _, ok := parseQuery(w, r); !ok {
			return
		}
		addr, err := parseAddr(r.PathValue("address"))
		var why identity.Why
		if err == nil {
			why, err = s.src.Directory().Why(addr)
		}
		done(w, err, &why)
	})
	mux.HandleFunc("GET /v1/devices/{mac}", func(w http.ResponseWriter, r *http.Request) {
		if _, ok := parseQuery(w, r); !ok {
			return
		}
		mac, err := s.deviceOf(r)
		var d identity.Device
		if err == nil {
			d, err = s.src.Directory().Device(mac)
		}
		done(w, err, &d)
	})
	mux.HandleFunc("GET /v1/users/{name}", func(w http.ResponseWriter, r *http.Request) {
		if _, ok := parseQuery(w, r); !ok {
			return
		}
		u, err := s.src.Directory().User(r.PathValue("name"))
		done(w, err, &u)
	})
	s.handleUser(mux)
	s.handleDeviceUser(mux)
}

// handleWhoLists adds the lists, each in the order of what names its elements.
func (s *Server) handleWhoLists(mux *router) {
	mux.HandleFunc("GET /v1/hosts", func(w http.ResponseWriter, r *http.Request) {
		answerPage(w, r, func(after string) (iter.Seq[identity.Host], error) {
			var last netip.Addr // before all
			var err error
			if after != "" {
				last, err = parseAddr(after)
			}
			return s.src.Directory().EachHost(last.Less), err
		})
	})
	mux.HandleFunc("GET /v1/devices", func(w http.ResponseWriter, r *http.Request) {
		answerPage(w, r, func(after string) (iter.Seq[identity.Device], error) {
			var last [6]byte // nobody's
			if after != "" {
				mac, err := dict.ParseKey(dict.KeyEther, after)
				if err != nil {
					return nil, err
				}
				last = mac.Ether()
			}
			return s.src.Directory().EachDevice(func(mac [6]byte) bool { return bytes.Compare(mac[:], last[:]) > 0 }), nil
		})
	})
	mux.HandleFunc("GET /v1/users", func(w http.ResponseWriter, r *http.Request) {
		answerPage(w, r, func(last string) (iter.Seq[identity.User], error) {
			return filtered(s.src.Directory().Users(), func(u identity.User) bool { return u.Name > last }), nil
		})
	})
}

// handleUser adds what changes users. PUT makes one if need be, PATCH does not.
func (s *Server) handleUser(mux *router) {
	set := func(w http.ResponseWriter, r *http.Request, found bool) {
		var body UserGroups
		if !take(w, r, &body) {
			return
		}
		if body.Groups == nil { // forgotten, or meant? Nobody loses his groups by it
			refuse(w, http.StatusBadRequest, "usergroups: missing", "send {\"usergroups\": [...]}, with [] for none")
			return
		}
		name, dir := r.PathValue("name"), s.src.Directory()
		var err error
		if found {
			_, err = dir.User(name)
		}
		if err == nil {
			err = dir.SetUser(name, body.Groups)
		}
		var u identity.User
		if err == nil {
			u, err = dir.User(name)
		}
		done(w, err, &u)
	}
	mux.HandleFunc("PUT /v1/users/{name}", func(w http.ResponseWriter, r *http.Request) { set(w, r, false) })
	mux.HandleFunc("PATCH /v1/users/{name}", func(w http.ResponseWriter, r *http.Request) { set(w, r, true) })
	mux.HandleFunc("DELETE /v1/users/{name}", func(w http.ResponseWriter, r *http.Request) {
		done(w, s.src.Directory().DeleteUser(r.PathValue("name")), struct{}{})
	})
}

// handleDeviceUser adds what gives devices to users, and takes them.
func (s *Server) handleDeviceUser(mux *router) {
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

// parseAddr reads the address of a host. The error wraps dict.ErrInvalid.
func parseAddr(text string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}, fmt.Errorf("host %s: %w: want an address", dict.Quote(text), dict.ErrInvalid)
	}
	return addr.Unmap(), nil
}

// done answers a request for a change.
func done(w http.ResponseWriter, err error, v any) {
	switch {
	case err == nil:
		answer(w, http.StatusOK, v)
	case errors.Is(err, dict.ErrNotExist):
		refuse(w, http.StatusNotFound, err.Error(), "`dictctl users`, `dictctl devices` and `dictctl hosts` list those it knows")
	case errors.Is(err, dict.ErrInvalid), errors.Is(err, dict.ErrTooLong):
		refuse(w, http.StatusBadRequest, err.Error(), "the command's --help tells what is wanted, and GET /v1/openapi.json")
	case errors.Is(err, identity.ErrNoState):
		refuse(w, http.StatusServiceUnavailable, err.Error(), "mend or move the file away, and start dictd again")
	case errors.Is(err, identity.ErrTooMany):
		refuse(w, http.StatusInsufficientStorage, err.Error(), "delete some")
	default:
		refuse(w, http.StatusInternalServerError, err.Error(), "look at the state directory of the configuration")
	}
}
