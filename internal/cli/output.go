// SPDX-License-Identifier: MIT

package cli

import (
	"encoding/json"
)

// colour is an escape sequence for a terminal.
type colour string

const (
	red    colour = "\x1b[31m"
	green  colour = "\x1b[32m"
	yellow colour = "\x1b[33m"
	plain  colour = "\x1b[0m"
)

// paint returns s in a colour where output is coloured.
func (c *ctl) paint(with colour, s string) string {
	if !c.Colour {
		return s
	}
	return string(with) + s + string(plain)
}

// printJSON prints v as one line of JSON.
func (c *ctl) printJSON(v any) error {
	e := json.NewEncoder(c.Stdout)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
