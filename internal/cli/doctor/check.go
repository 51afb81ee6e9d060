// SPDX-License-Identifier: MIT

package doctor

import "strings"

// State is what came of a check.
type State string

// The states. Unknown is a check that could not be made, for want of
// permission as a rule.
const (
	Present State = "present"
	Absent  State = "absent"
	Unknown State = "unknown"
)

// Check is one thing that was looked for.
type Check struct {
	Name  string `json:"name"`
	State State  `json:"state"`
	// For is the role the thing plays and, behind a slash, the way of playing it
	// that it belongs to: "dictionaries/ebpf". Empty: nothing depends on it.
	For     string `json:"for,omitempty"`
	Found   string `json:"found,omitempty"`   // what was seen
	Follows string `json:"follows,omitempty"` // what is not to be had without it; set if Absent
}

// Role is one thing the product has to do, and the ways of doing it here.
type Role struct {
	Name string `json:"name"`
	Ways []Way  `json:"ways"`
}

// Way is one way of playing a Role.
type Way struct {
	Name    string   `json:"name,omitempty"`
	Works   bool     `json:"works"`
	Missing []string `json:"missing,omitempty"` // checks that are not Present
}

// Works reports whether any way does.
func (r Role) Works() bool {
	for _, w := range r.Ways {
		if w.Works {
			return true
		}
	}
	return false
}

// Report is what all checks came to.
type Report struct {
	Kernel string  `json:"kernel"`
	Checks []Check `json:"checks"`
	Roles  []Role  `json:"roles"`
	Works  bool    `json:"works"` // every role has a way
}

// conclude fills in Roles and Works from Checks.
func (r *Report) conclude() {
	r.Roles, r.Works = nil, true
	for _, c := range r.Checks {
		if c.For == "" {
			continue
		}
		role, way, _ := strings.Cut(c.For, "/")
		w := r.role(role).way(way)
		if c.State != Present {
			w.Works = false
			w.Missing = append(w.Missing, c.Name)
		}
	}
	for _, role := range r.Roles {
		r.Works = r.Works && role.Works()
	}
}

func (r *Report) role(name string) *Role {
	for i := range r.Roles {
		if r.Roles[i].Name == name {
			return &r.Roles[i]
		}
	}
	r.Roles = append(r.Roles, Role{Name: name})
	return &r.Roles[len(r.Roles)-1]
}

func (r *Role) way(name string) *Way {
	for i := range r.Ways {
		if r.Ways[i].Name == name {
			return &r.Ways[i]
		}
	}
	r.Ways = append(r.Ways, Way{Name: name, Works: true})
	return &r.Ways[len(r.Ways)-1]
}
