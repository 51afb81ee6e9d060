// SPDX-License-Identifier: MIT

package dict

import "errors"

// What callers branch on. Errors of this package and of every Store wrap one
// of these, with the table, key, field and value at fault in their text.
var (
	ErrNotExist     = errors.New("does not exist")
	ErrExist        = errors.New("exists already")
	ErrInvalid      = errors.New("invalid")
	ErrType         = errors.New("wrong type")
	ErrTooLong      = errors.New("too long")
	ErrRange        = errors.New("out of range")
	ErrFull         = errors.New("table is full")
	ErrBusy         = errors.New("in use")
	ErrPermission   = errors.New("permission denied")
	ErrNotSupported = errors.New("not supported")
)

// At is an error at a place: `set sessions 5: field "aplication": does not
// exist`. Empty parts are left out.
type At struct {
	Op    string // what was tried: "table add", "table delete", "set", "renew", "get", "delete", "list", "stats"
	Table string
	Key   string // as Key.Text writes it
	Field string
	Err   error
}

// Error prints the outermost context first.
func (e *At) Error() string {
	s := e.Op
	table := e.Table
	if _, err := CheckName(table); err != nil && table != "" {
		table = brief(table)
	}
	for _, part := range []string{table, e.Key} {
		if part != "" {
			if s != "" {
				s += " "
			}
			s += part
		}
	}
	if e.Field != "" {
		if s != "" {
			s += ": "
		}
		s += "field " + brief(e.Field)
	}
	if s != "" {
		s += ": "
	}
	return s + e.Err.Error()
}

// Unwrap returns the cause.
func (e *At) Unwrap() error { return e.Err }
