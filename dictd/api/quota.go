// SPDX-License-Identifier: MIT

package api

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"

	"nftdict/dict"
	"nftdict/dictd/quota"
	"nftdict/dictd/quota/plan"
)

// QuotaAmount is the body where a budget is topped up, or given a size of its own.
type QuotaAmount struct {
	Plan   string `json:"plan"` // "" where the subject has one budget
	Amount int64  `json:"amount"`
	Unit   string `json:"unit"` // bytes or seconds
}

// QuotaChoice is the body where the period of a budget begins anew, or its size is
// the plan's again.
type QuotaChoice struct {
	Plan string `json:"plan"` // "" where the subject has one budget
}

// handleQuotas adds what is about budgets. A subject is named by its kind and name;
// devices by MAC, hosts by address.
func (s *Server) handleQuotas(mux *router) {
	mux.HandleFunc("GET /v1/quotas", func(w http.ResponseWriter, r *http.Request) {
		answerPage(w, r, func(last string) (iter.Seq[quota.Budget], error) {
			if last == "" {
				return slices.Values(s.src.Quotas().List()), nil
			}
			kind, rest, _ := strings.Cut(last, "/")
			i := strings.LastIndexByte(rest, '/')
			if i < 0 {
				return nil, fmt.Errorf("%s: %w: want KIND/NAME/PLAN", dict.Quote(last), dict.ErrInvalid)
			}
			return filtered(s.src.Quotas().List(), func(b quota.Budget) bool {
				return cmp.Or(cmp.Compare(b.Kind, kind), cmp.Compare(b.Name, rest[:i]), cmp.Compare(b.Plan, rest[i+1:])) > 0
			}), nil
		})
	})
	mux.HandleFunc("GET /v1/quotas/{kind}/{name}", func(w http.ResponseWriter, r *http.Request) {
		if _, ok := parseQuery(w, r); !ok {
			return
		}
		subject, err := subjectOf(r)
		var list []quota.Budget
		if err == nil {
			if list = s.src.Quotas().Of(subject); len(list) == 0 {
				err = fmt.Errorf("quota of %s: %w: no plan covers it", subject, dict.ErrNotExist)
			}
		}
		doneQuota(w, err, list)
	})
	mux.HandleFunc("GET /v1/quotas/{kind}/{name}/history", func(w http.ResponseWriter, r *http.Request) {
		query, ok := parseQuery(w, r, "plan")
		if !ok {
			return
		}
		subject, err := subjectOf(r)
		list := []quota.Past{}
		if err == nil {
			var past []quota.Past
			past, err = s.src.Quotas().History(quota.Choice{Subject: subject, Plan: query.Get("plan")})
			list = append(list, past...)
		}
		doneQuota(w, err, list)
	})
	s.handleQuotaChanges(mux)
}

func (s *Server) handleQuotaChanges(mux *router) {
	amount := func(change func(quota.Choice, int64, plan.Unit) (quota.Budget, error)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			var body QuotaAmount
			if !take(w, r, &body) {
				return
			}
			subject, err := subjectOf(r)
			unit := plan.Bytes
			switch {
			case err != nil:
			case body.Unit == plan.Seconds.String():
				unit = plan.Seconds
			case body.Unit != plan.Bytes.String():
				err = fmt.Errorf("unit %s: %w: want bytes or seconds", dict.Quote(body.Unit), dict.ErrInvalid)
			}
			var b quota.Budget
			if err == nil {
				b, err = change(quota.Choice{Subject: subject, Plan: body.Plan}, body.Amount, unit)
			}
			doneQuota(w, err, &b)
		}
	}
	mux.HandleFunc("POST /v1/quotas/{kind}/{name}/top-up", amount(func(c quota.Choice, n int64, u plan.Unit) (quota.Budget, error) {
		return s.src.Quotas().TopUp(c, n, u)
	}))
	mux.HandleFunc("PUT /v1/quotas/{kind}/{name}/size", amount(func(c quota.Choice, n int64, u plan.Unit) (quota.Budget, error) {
		return s.src.Quotas().Grant(c, &n, u)
	}))
	choice := func(change func(quota.Choice) (quota.Budget, error)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			var body QuotaChoice
			if !take(w, r, &body) {
				return
			}
			subject, err := subjectOf(r)
			var b quota.Budget
			if err == nil {
				b, err = change(quota.Choice{Subject: subject, Plan: body.Plan})
			}
			doneQuota(w, err, &b)
		}
	}
	mux.HandleFunc("POST /v1/quotas/{kind}/{name}/unset", choice(func(c quota.Choice) (quota.Budget, error) {
		return s.src.Quotas().Grant(c, nil, plan.Bytes)
	}))
	mux.HandleFunc("POST /v1/quotas/{kind}/{name}/reset", choice(func(c quota.Choice) (quota.Budget, error) {
		return s.src.Quotas().Reset(c)
	}))
}

// subjectOf returns the subject that a path names.
func subjectOf(r *http.Request) (plan.Subject, error) {
	kind, err := plan.ParseKind(r.PathValue("kind"))
	if err != nil {
		return plan.Subject{}, err
	}
	return plan.ParseSubject(kind, r.PathValue("name"))
}

// doneQuota answers a request about budgets.
func doneQuota(w http.ResponseWriter, err error, v any) {
	switch {
	case errors.Is(err, quota.ErrAmbiguous):
		refuse(w, http.StatusBadRequest, err.Error(), "name the plan")
	case errors.Is(err, dict.ErrRange):
		refuse(w, http.StatusBadRequest, err.Error(), "")
	case errors.Is(err, dict.ErrNotExist):
		refuse(w, http.StatusNotFound, err.Error(), "`dictctl quota list` lists those there are; plans are in dictd.toml")
	default:
		done(w, err, v)
	}
}
