// SPDX-License-Identifier: MIT

package oidc

import (
	"encoding/json"
	"strings"

	"nftdict/dictd/identity"
)

// claims are what a provider says of somebody.
type claims map[string]json.RawMessage

func (c claims) has(name string) bool {
	_, ok := c[name]
	return ok
}

// text returns a claim that is a user's name.
func (c claims) text(name string) (string, bool) {
	var s string
	if json.Unmarshal(c[name], &s) != nil {
		return "", false
	}
	s = strings.TrimSpace(s)
	return s, identity.CheckUser(s) == nil
}

// verified reports whether the address of mail is. Some providers say so in text.
func (c claims) verified() bool {
	var yes bool
	var text string
	return json.Unmarshal(c["email_verified"], &yes) == nil && yes || json.Unmarshal(c["email_verified"], &text) == nil && text == "true"
}

// maxGroups is the most groups of a user that are kept.
const maxGroups = 32

// groups returns those that a claim names, a list or a single one.
func (c claims) groups(name string) (all []string) {
	var list []string
	if json.Unmarshal(c[name], &list) != nil {
		var one string
		if json.Unmarshal(c[name], &one) != nil {
			return nil
		}
		list = []string{one}
	}
	for _, g := range list {
		if g = strings.TrimSpace(g); identity.CheckUser(g) == nil && !strings.Contains(g, ",") && len(all) < maxGroups {
			all = append(all, g)
		}
	}
	return all
}
