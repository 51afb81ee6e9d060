// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"nftdict/dict"
	"nftdict/dictd/api"
)

const monitorLong = `Prints every change of the named tables, or of all, until it is interrupted: a
"set" with the fields that were written, a "delete" for a row or fields that
went. What several writers do at nearly the same time may be told as one change.

With flows, which is no table, it prints which connections come into flowtables and
which are recalled from them: events of the daemon, as dictctl events --kind 'flow-*'
prints. Those that leave by themselves, as by their end, are not told.

With -j each change is one line.`

const monitorExample = `  dictctl monitor sessions
  dictctl monitor flows
  dictctl -j monitor hosts users`

func (c *ctl) monitorCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "monitor [TABLE]...",
		Short:             "print changes of rows as they happen",
		Long:              monitorLong,
		Example:           monitorExample,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: c.completeTables,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.monitor(cmd.Context(), args) },
	}
}

// flowsName is what connections in flowtables are called where a table could be.
const flowsName = "flows"

func (c *ctl) monitor(ctx context.Context, names []string) error {
	tables, s, err := c.tables("monitor", names)
	if len(names) == 1 && names[0] == flowsName && errors.Is(err, dict.ErrNotExist) {
		return c.events(ctx, api.EventFilter{Kinds: []string{"flow-*"}})
	}
	if err != nil {
		return err
	}
	w, ok := s.(dict.Watcher)
	if !ok {
		return fmt.Errorf("monitor: %w: backend %s does not tell of changes", dict.ErrNotSupported, c.backend.Kind)
	}
	for i := range names {
		names[i] = tables[i].Name
	}
	known := map[string]dict.Table{}
	for _, t := range tables {
		known[t.Name] = t
	}
	err = w.Watch(ctx, func(ch dict.Change) error {
		t, err := s.Table(ch.Table) // fields may have come since
		switch {
		case err == nil:
			known[ch.Table] = t
		case errors.Is(err, dict.ErrNotExist): // its rows went with it
			var ok bool
			if t, ok = known[ch.Table]; !ok {
				return nil
			}
		default:
			return err
		}
		return c.printChange(&t, ch)
	}, names...)
	if errors.Is(err, context.Canceled) {
		return nil // interrupted, as it ends
	}
	return err
}

// printChange prints a change as the statement that makes it, or as an object
// with one member, set or delete.
func (c *ctl) printChange(t *dict.Table, ch dict.Change) error {
	var b []byte
	switch {
	case !c.json:
		b = dict.AppendChange(b, t, ch)
	case ch.Kind == dict.Set:
		b = append(appendRowJSON(append(b, `{"set":{`...), t, ch.Row), '}')
	default:
		fields := make([]string, len(ch.Row.Cells))
		for i, cell := range ch.Row.Cells {
			fields[i] = cell.Field
		}
		// The key is written as in a row; a row without cells is one.
		gone := appendRowJSON([]byte("{"), t, dict.Row{Key: ch.Row.Key})
		var err error
		if b, err = json.Marshal(struct {
			Row    json.RawMessage `json:"delete"`
			Fields []string        `json:"fields,omitempty"`
		}{gone, fields}); err != nil {
			return err
		}
	}
	_, err := c.Stdout.Write(append(b, '\n'))
	return err
}
