// SPDX-License-Identifier: MIT

package oidc

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"nftdict/dict"
	"nftdict/dictd/portal"
)

// Config of a Way.
type Config struct {
	Issuer   string // https://...
	ClientID string
	Secret   string // "": the client has none
	Redirect string // where the provider sends the browser back to
	Scopes   []string
	// UserClaim names a user: "email", "preferred_username", "sub" or another.
	UserClaim string
	// GroupsClaim names groups; "": the provider tells none.
	GroupsClaim string
	// Domains are those of addresses that are let in, Groups those of which one is
	// wanted; empty: all.
	Domains, Groups []string
	Timeout         time.Duration // for one answer of the provider
	Client          *http.Client  // nil: NewClient's without more
	Log             *slog.Logger
	Clock           func() time.Time
}

// Way asks a provider. It implements portal.Journey.
type Way struct {
	cfg      Config
	journeys *journeys

	mu       sync.Mutex
	provider *oidc.Provider // nil until it was found
	failed   time.Time      // when it was not, last
	why      error
}

var _ portal.Journey = (*Way)(nil)

// Check reports what is wrong with a Config.
func (c *Config) Check() error {
	u, err := url.Parse(c.Issuer)
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("issuer %s: %w: want https://HOST[/PATH]", dict.Quote(c.Issuer), dict.ErrInvalid)
	case c.ClientID == "":
		return fmt.Errorf("client_id: %w: it is empty", dict.ErrInvalid)
	case c.UserClaim == "":
		return fmt.Errorf("user_claim: %w: it is empty", dict.ErrInvalid)
	}
	return nil
}

// New returns a Way. The provider is asked when somebody comes.
func New(cfg Config) (*Way, error) {
	if err := cfg.Check(); err != nil {
		return nil, fmt.Errorf("oidc: %w", err)
	}
	if cfg.Client == nil {
		cfg.Client = NewClient(cfg.Timeout, nil, nil)
	}
	return &Way{cfg: cfg, journeys: newJourneys()}, nil
}

// Name implements portal.Way.
func (w *Way) Name() string { return portal.OIDC }

// Check implements portal.Way: there is nothing to be judged by.
func (w *Way) Check(context.Context, portal.Attempt) (portal.Grant, error) {
	return portal.Grant{}, portal.ErrNoWay
}

// discoverAgain is the least time between two attempts to find the provider.
const discoverAgain = 5 * time.Second

// find returns the provider, and what asks it for tokens.
func (w *Way) find() (*oidc.Provider, *oauth2.Config, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.provider == nil {
		if w.cfg.Clock().Sub(w.failed) < discoverAgain {
			return nil, nil, w.why
		}
		// Its keys are fetched by this client as well, whoever asks.
		p, err := oidc.NewProvider(oidc.ClientContext(context.Background(), w.cfg.Client), w.cfg.Issuer)
		if err != nil {
			w.cfg.Log.Warn("the provider of OpenID Connect cannot be reached", "issuer", w.cfg.Issuer, "err", err)
			w.failed, w.why = w.cfg.Clock(), fmt.Errorf("oidc: %w: %w", portal.ErrUnreachable, err)
			return nil, nil, w.why
		}
		w.provider = p
	}
	return w.provider, &oauth2.Config{
		ClientID: w.cfg.ClientID, ClientSecret: w.cfg.Secret, Endpoint: w.provider.Endpoint(), RedirectURL: w.cfg.Redirect,
		Scopes: append([]string{oidc.ScopeOpenID}, slices.DeleteFunc(slices.Clone(w.cfg.Scopes), func(s string) bool { return s == oidc.ScopeOpenID })...),
	}, nil
}

// Begin implements portal.Journey.
func (w *Way) Begin(_ context.Context, a portal.Attempt) (string, error) {
	_, asks, err := w.find()
	if err != nil {
		return "", err
	}
	j := journey{who: deviceOf(a), nonce: rand.Text(), verifier: oauth2.GenerateVerifier(), began: w.cfg.Clock()}
	state := rand.Text()
	if !w.journeys.put(state, j) {
		return "", portal.ErrTooFast
	}
	return asks.AuthCodeURL(state, oidc.Nonce(j.nonce), oauth2.S256ChallengeOption(j.verifier)), nil
}

// Finish implements portal.Journey.
func (w *Way) Finish(ctx context.Context, a portal.Attempt, state, code string) (portal.Grant, error) {
	j, ok := w.journeys.take(state, deviceOf(a), w.cfg.Clock())
	if !ok {
		return portal.Grant{}, portal.ErrExpired
	}
	if code == "" { // the provider, or the visitor there, has refused
		return portal.Grant{}, portal.ErrRefused
	}
	provider, asks, err := w.find()
	if err != nil {
		return portal.Grant{}, err
	}
	ctx = oidc.ClientContext(ctx, w.cfg.Client)
	token, err := asks.Exchange(ctx, code, oauth2.VerifierOption(j.verifier))
	if err != nil {
		return portal.Grant{}, w.refuse("does not give a token", err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: w.cfg.ClientID, Now: w.cfg.Clock}).Verify(ctx, raw)
	if err != nil || id.Nonce != j.nonce {
		return portal.Grant{}, w.refuse("gives a token that does not hold", errors.Join(err, nonceOf(id, j.nonce)))
	}
	said := claims{}
	if err := id.Claims(&said); err != nil {
		return portal.Grant{}, w.refuse("says what cannot be read", err)
	}
	if !said.has(w.cfg.UserClaim) || w.cfg.GroupsClaim != "" && !said.has(w.cfg.GroupsClaim) {
		info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
		if err != nil {
			return portal.Grant{}, w.refuse("does not say who it is", err)
		}
		if info.Subject != id.Subject { // OpenID Connect Core, 5.3.2
			return portal.Grant{}, w.refuse("speaks of somebody else", errors.New("another subject"))
		}
		if err := info.Claims(&said); err != nil {
			return portal.Grant{}, w.refuse("says what cannot be read", err)
		}
	}
	return w.grant(said)
}

func nonceOf(id *oidc.IDToken, want string) error {
	if id != nil && id.Nonce != want {
		return errors.New("another nonce")
	}
	return nil
}

// refuse tells the log what is wrong, and the visitor whose fault it is.
func (w *Way) refuse(what string, err error) error {
	w.cfg.Log.Warn("the provider of OpenID Connect "+what, "issuer", w.cfg.Issuer, "err", err)
	answered := new(oauth2.RetrieveError)
	switch {
	case errors.As(err, &answered) && answered.ErrorCode == "invalid_grant":
		return portal.ErrWrong
	case errors.As(err, &answered) && answered.Response != nil && answered.Response.StatusCode < http.StatusInternalServerError:
		return portal.ErrRefused
	case unreachable(err):
		return fmt.Errorf("oidc: %w: %w", portal.ErrUnreachable, err)
	}
	return portal.ErrRefused
}

// grant says who somebody is, if he is to be let in.
func (w *Way) grant(said claims) (portal.Grant, error) {
	user, ok := said.text(w.cfg.UserClaim)
	if !ok {
		return portal.Grant{}, w.refuse("does not say who it is", fmt.Errorf("claim %q: no name", w.cfg.UserClaim))
	}
	if w.cfg.UserClaim == "email" || len(w.cfg.Domains) > 0 {
		mail, _ := said.text("email")
		_, domain, _ := strings.Cut(mail, "@")
		if !said.verified() {
			return portal.Grant{}, w.refuse("has not verified an address", fmt.Errorf("%q", mail))
		}
		if len(w.cfg.Domains) > 0 && !slices.ContainsFunc(w.cfg.Domains, func(d string) bool { return strings.EqualFold(d, domain) }) {
			return portal.Grant{}, portal.ErrRefused
		}
	}
	g := portal.Grant{User: user}
	if w.cfg.GroupsClaim != "" {
		g.Groups = said.groups(w.cfg.GroupsClaim)
	}
	if len(w.cfg.Groups) > 0 && !slices.ContainsFunc(g.Groups, func(group string) bool { return slices.Contains(w.cfg.Groups, group) }) {
		return portal.Grant{}, portal.ErrRefused
	}
	return g, nil
}
