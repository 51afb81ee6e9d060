// SPDX-License-Identifier: MIT

// Package openid is a provider of OpenID Connect for tests: that of zitadel/oidc with
// its example's pages and storage, under an issuer and with users of the test's.
//
// It refuses nothing by itself; it is not for use.
package openid

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
)

// User is somebody whom it knows.
type User struct {
	Name, Password, Mail string
	Verified             bool // Mail is
}

// The client that it knows.
const (
	ClientID     = "gateway"
	ClientSecret = "client secret"
)

// New returns a provider. issuer is its URL with a slash at the end, back is where it may
// send browsers to; dir is for a file of its own. All providers of a process have the
// same client.
func New(issuer, back, dir string, users ...User) (http.Handler, error) {
	all := make(map[string]storage.User)
	for _, u := range users {
		all[u.Name] = storage.User{ID: u.Name, Username: u.Name, Password: u.Password, Email: u.Mail, EmailVerified: u.Verified}
	}
	text, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "users.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return nil, err
	}
	store, err := storage.StoreFromFile(path)
	if err != nil {
		return nil, err
	}
	storage.RegisterClients(storage.WebClient(ClientID, ClientSecret, back))
	return exampleop.SetupServer(issuer, storage.NewStorage(store), slog.New(slog.DiscardHandler), false), nil
}
