// SPDX-License-Identifier: MIT

package api

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"time"

	"nftdict/dict"
	"nftdict/dictd/portal"
)

// ErrNoPortal says that the daemon keeps no portal.
var ErrNoPortal = errors.New("there is no portal")

// Portal is the answer to GET /v1/portal.
type Portal struct {
	Enabled  bool     `json:"enabled"`
	Ways     []string `json:"ways"` // by which devices come in
	Warnings []string `json:"warnings"`
	portal.Stats
}

// PortalSession is a session of the portal. Times are in seconds.
type PortalSession struct {
	ID      string         `json:"id"`
	Way     string         `json:"way"`
	User    string         `json:"username"`
	Groups  []string       `json:"usergroups"`
	MAC     string         `json:"mac_address"`
	Address string         `json:"address"` // from which it began
	Since   time.Time      `json:"since"`
	Until   *time.Time     `json:"until,omitempty"` // none: no end
	Idle    int64          `json:"idle"`            // without traffic that end it; 0: none do
	Bytes   *int64         `json:"bytes,omitempty"` // that the user was granted; none: no bound
	Left    *int64         `json:"bytes_left,omitempty"`
	Moved   portal.Figures `json:"moved"`
	Seen    time.Time      `json:"seen"` // last traffic
}

// PortalAccount is an account. Times are in seconds; 0 is as configured, below 0 no
// bound.
type PortalAccount struct {
	Name    string     `json:"name"`
	Groups  []string   `json:"usergroups"`
	Devices int        `json:"devices"` // at a time
	Session int64      `json:"session"`
	Until   *time.Time `json:"until,omitempty"` // none: no end
	Created time.Time  `json:"created"`
}

// PortalAccountBody is the body of PUT /v1/portal/accounts/{name}.
type PortalAccountBody struct {
	Password string     `json:"password,omitempty"` // "" leaves it as it is
	Groups   []string   `json:"usergroups,omitempty"`
	Devices  int        `json:"devices,omitempty"`
	Session  int64      `json:"session,omitempty"`
	Until    *time.Time `json:"until,omitempty"`
}

// PortalBatch is vouchers that were made together, and the body of POST
// /v1/portal/batches.
type PortalBatch struct {
	Name    string     `json:"name"`
	Prefix  string     `json:"prefix,omitempty"`
	Count   int        `json:"count"`
	Time    int64      `json:"time,omitempty"`    // seconds from the first use on; 0: no bound
	Bytes   *int64     `json:"bytes,omitempty"`   // none: no bound
	Devices int        `json:"devices,omitempty"` // at a time; 0: as configured, below 0: no bound
	Valid   *time.Time `json:"valid,omitempty"`   // none can be used from then on
	Groups  []string   `json:"usergroups,omitempty"`
	Created time.Time  `json:"created,omitzero"`
}

// PortalMade is the answer to POST /v1/portal/batches: the codes are told this once.
type PortalMade struct {
	PortalBatch
	Vouchers []portal.Coded `json:"vouchers"`
}

// PortalVoucher is a voucher without its code.
type PortalVoucher struct {
	Number  uint64     `json:"number"`
	Batch   string     `json:"batch"`
	State   string     `json:"state"` // new, used, expired, used_up or revoked
	First   *time.Time `json:"first,omitempty"`
	Until   *time.Time `json:"until,omitempty"`
	Left    *int64     `json:"bytes_left,omitempty"`
	Devices int        `json:"devices"` // that are in by it now
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// duration returns seconds as a time. dict.ErrRange.
func duration(n int64) (time.Duration, error) {
	if n > int64(200*365*24*time.Hour/time.Second) || n < -1 {
		return 0, fmt.Errorf("time of %d seconds: %w", n, dict.ErrRange)
	}
	return time.Duration(n) * time.Second, nil
}

// handlePortal adds what is about the portal.
func (s *Server) handlePortal(mux *router) {
	mux.HandleFunc("GET /v1/portal", func(w http.ResponseWriter, r *http.Request) {
		if _, ok := parseQuery(w, r); !ok {
			return
		}
		p := Portal{Ways: []string{}, Warnings: []string{}}
		if k := s.src.Portal(); k != nil {
			p.Enabled, p.Ways, p.Stats = true, k.Ways(), k.Stats()
			if err := k.Broken(); err != nil {
				p.Warnings = append(p.Warnings, err.Error())
			}
		}
		answer(w, http.StatusOK, &p)
	})
	s.handlePortalSessions(mux)
	s.handlePortalAccounts(mux)
	s.handlePortalBatches(mux)
}

// portal returns the portal. ErrNoPortal.
func (s *Server) portal() (*portal.Keeper, error) {
	if k := s.src.Portal(); k != nil {
		return k, nil
	}
	return nil, ErrNoPortal
}

// portalList answers with a list by name, of which a part may be asked for.
func portalList[T any](s *Server, name func(T) string, list func(*portal.Keeper, *http.Request) ([]T, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var all []T
		var err error
		if k := s.src.Portal(); k != nil {
			all, err = list(k, r)
		}
		if err != nil {
			if _, _, ok := parsePage(w, r); ok {
				donePortal(w, err, nil)
			}
			return
		}
		slices.SortFunc(all, func(a, b T) int { return cmp.Compare(name(a), name(b)) })
		answerPage(w, r, func(last string) (iter.Seq[T], error) {
			return filtered(all, func(one T) bool { return name(one) > last }), nil
		})
	}
}

func (s *Server) handlePortalSessions(mux *router) {
	mux.HandleFunc("GET /v1/portal/sessions", portalList(s, func(p PortalSession) string { return p.ID }, func(k *portal.Keeper, _ *http.Request) (all []PortalSession, _ error) {
		left := k.Left()
		for _, one := range k.Sessions() {
			p := PortalSession{
				one.ID, one.Way, one.User, append([]string{}, one.Groups...), one.Device, "", one.Since.UTC(), moment(one.Until),
				seconds(one.Idle), one.Bytes, nil, one.Moved, one.Seen.UTC(),
			}
			if one.Addr.IsValid() {
				p.Address = one.Addr.String()
			}
			if n, ok := left[one.User]; ok && one.Bytes != nil {
				p.Left = &n
			}
			all = append(all, p)
		}
		return all, nil
	}))
	mux.HandleFunc("DELETE /v1/portal/sessions/{id}", func(w http.ResponseWriter, r *http.Request) {
		k, err := s.portal()
		if err == nil {
			err = k.End(r.PathValue("id"), portal.CauseKicked)
		}
		donePortal(w, err, struct{}{})
	})
}

func (s *Server) handlePortalAccounts(mux *router) {
	mux.HandleFunc("GET /v1/portal/accounts", portalList(s, func(a PortalAccount) string { return a.Name }, func(k *portal.Keeper, _ *http.Request) (all []PortalAccount, err error) {
		accounts, err := k.Accounts()
		for _, a := range accounts {
			all = append(all, PortalAccount{a.Name, append([]string{}, a.Groups...), a.Devices, seconds(a.Session), moment(a.Until), a.Created})
		}
		return all, err
	}))
	mux.HandleFunc("PUT /v1/portal/accounts/{name}", func(w http.ResponseWriter, r *http.Request) {
		var body PortalAccountBody
		if !take(w, r, &body) {
			return
		}
		k, err := s.portal()
		a := portal.LocalAccount{Name: r.PathValue("name"), Groups: body.Groups, Devices: body.Devices, Until: orZero(body.Until)}
		if err == nil {
			a.Session, err = duration(body.Session)
		}
		if err == nil {
			err = k.SetAccount(a, body.Password)
		}
		donePortal(w, err, struct{}{})
	})
	mux.HandleFunc("DELETE /v1/portal/accounts/{name}", func(w http.ResponseWriter, r *http.Request) {
		k, err := s.portal()
		if err == nil {
			err = k.RemoveAccount(r.PathValue("name"))
		}
		donePortal(w, err, struct{}{})
	})
}

func batchOf(b *portal.Batch) PortalBatch {
	return PortalBatch{b.Name, b.Prefix, b.Count, seconds(b.Time), b.Bytes, b.Devices, moment(b.Valid), b.Groups, b.Created}
}

func (s *Server) handlePortalBatches(mux *router) {
	mux.HandleFunc("GET /v1/portal/batches", portalList(s, func(b PortalBatch) string { return b.Name }, func(k *portal.Keeper, _ *http.Request) (all []PortalBatch, err error) {
		batches, err := k.Batches()
		for i := range batches {
			all = append(all, batchOf(&batches[i]))
		}
		return all, err
	}))
	mux.HandleFunc("POST /v1/portal/batches", func(w http.ResponseWriter, r *http.Request) {
		var body PortalBatch
		if !take(w, r, &body) {
			return
		}
		k, err := s.portal()
		b := portal.Batch{Name: body.Name, Prefix: body.Prefix, Count: body.Count, Bytes: body.Bytes, Devices: body.Devices, Valid: orZero(body.Valid), Groups: body.Groups}
		if err == nil {
			b.Time, err = duration(body.Time)
		}
		var made *portal.Made
		if err == nil {
			made, err = k.MakeVouchers(b)
		}
		if err != nil {
			donePortal(w, err, nil)
			return
		}
		answer(w, http.StatusOK, &PortalMade{batchOf(&made.Batch), made.Vouchers})
	})
	for pattern, change := range map[string]func(*portal.Keeper, string) error{
		"DELETE /v1/portal/batches/{name}":      (*portal.Keeper).RemoveBatch,
		"POST /v1/portal/batches/{name}/revoke": (*portal.Keeper).RevokeBatch,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			k, err := s.portal()
			if err == nil {
				err = change(k, r.PathValue("name"))
			}
			donePortal(w, err, struct{}{})
		})
	}
	mux.HandleFunc("GET /v1/portal/batches/{name}/vouchers", portalList(s, func(v PortalVoucher) string { return fmt.Sprintf("%020d", v.Number) }, vouchersOf))
	mux.HandleFunc("POST /v1/portal/vouchers/{number}/revoke", func(w http.ResponseWriter, r *http.Request) {
		k, err := s.portal()
		number, bad := strconv.ParseUint(r.PathValue("number"), 10, 64)
		if err == nil && bad != nil {
			err = fmt.Errorf("voucher %s: %w: want its number", dict.Quote(r.PathValue("number")), dict.ErrInvalid)
		}
		if err == nil {
			err = k.RevokeVoucher(number)
		}
		donePortal(w, err, struct{}{})
	})
}

// vouchersOf lists the vouchers of a batch as they are now.
func vouchersOf(k *portal.Keeper, r *http.Request) (all []PortalVoucher, err error) {
	papers, err := k.Vouchers(r.PathValue("name"))
	in, left := make(map[string]int), k.Left()
	for _, one := range k.Sessions() {
		in[one.User]++
	}
	for i := range papers {
		p := &papers[i]
		v := PortalVoucher{p.Number, p.Batch, k.StateOf(p), moment(p.First), moment(p.Until), p.Left, in[p.User()]}
		if n, ok := left[p.User()]; ok && v.Devices > 0 && p.Left != nil {
			v.Left = &n
		}
		all = append(all, v)
	}
	return all, err
}

// donePortal answers a request about the portal.
func donePortal(w http.ResponseWriter, err error, v any) {
	switch {
	case errors.Is(err, ErrNoPortal):
		refuse(w, http.StatusBadRequest, err.Error(), "switch it on in [portal] of dictd.toml, and start dictd again")
	case errors.Is(err, dict.ErrExist):
		refuse(w, http.StatusConflict, err.Error(), "choose another name")
	case errors.Is(err, dict.ErrRange), errors.Is(err, dict.ErrNotSupported):
		refuse(w, http.StatusBadRequest, err.Error(), "GET /v1/openapi.json tells what is wanted")
	case errors.Is(err, dict.ErrNotExist):
		refuse(w, http.StatusNotFound, err.Error(), "`dictctl portal sessions`, `account list` and `voucher list` list those there are")
	default:
		done(w, err, v)
	}
}
