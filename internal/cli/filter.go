// SPDX-License-Identifier: MIT

package cli

import (
	"errors"
	"fmt"

	"nftdict/dict"
	"nftdict/nftext"
)

// filter is a list of conditions on a row, all of which must hold.
type filter []*nftext.Condition

// atHand is a schema and a store of one table and one row: conditions are those
// of rules, and rules look rows up.
type atHand struct {
	table dict.Table
	row   dict.Row
}

func (h *atHand) Table(string) (dict.Table, error)           { return h.table, nil }
func (h *atHand) Get(_ string, _ dict.Key) (dict.Row, error) { return h.row, nil }

// anyKey stands for the key of the row at hand. It is of a type that a selector
// yields, which not every key is.
const anyKey = nftext.MetaMark

// parseFilter reads conditions `FIELD [TYPE] [OP] VALUE` on rows of t.
func parseFilter(t *dict.Table, texts []string) (filter, error) {
	var f filter
	h := &atHand{table: *t}
	h.table.Key = anyKey.Key()
	for _, text := range texts {
		c, err := parseCondition(h, text)
		if err != nil {
			return nil, &usageError{fmt.Errorf("--where %s: %w", dict.Quote(text), err)}
		}
		f = append(f, c)
	}
	return f, nil
}

func parseCondition(h *atHand, text string) (*nftext.Condition, error) {
	term := fmt.Sprintf("dict %s %s %s", h.table.Name, anyKey, text)
	parsed, n, err := nftext.Parse(term)
	var syntax *nftext.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return nil, errors.New(syntax.Text) // its place is one in term
	case err != nil:
		return nil, err
	case n < len(term):
		return nil, fmt.Errorf("%s is too much", dict.Quote(term[n:]))
	}
	bound, err := nftext.Bind(parsed, h)
	if err != nil {
		return nil, err
	}
	c, ok := bound.(*nftext.Condition)
	if !ok {
		return nil, errors.New("want a condition, not a statement")
	}
	return c, nil
}

// wants reports whether all conditions hold for a row.
func (f filter) wants(row dict.Row) (bool, error) {
	packet := nftext.Packet{anyKey: dict.Mark(0)}
	for _, c := range f {
		if ok, err := nftext.Eval(c, packet, &atHand{row: row}); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}
