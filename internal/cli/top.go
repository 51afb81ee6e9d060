// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"nftdict/dictd/api"
)

const topLong = `Shows what moves now, the fastest first: applications, users, hosts or devices, with
bits a second in and out, as the daemon's ledger looked last (every ledger.period
seconds), and what passed in the last ten minutes.

Keys: a, u, h and d show applications, users, hosts and devices; s sorts by the next
of rate, in, out and what passed; space looks again; q ends it.

With --once, or where the output is no terminal, it prints one look and ends.`

const topExample = `  dictctl top
  dictctl top --by user
  dictctl top --once --by host --limit 5
  dictctl -j top --once`

// topEvery is the time between two looks.
const topEvery = 2 * time.Second

// topSorts are what lines are sorted by, in the order of the key s.
var topSorts = []string{"rate", "in", "out", "total"}

// topLine is what somebody, or something, moves.
type topLine struct {
	Name     string  `json:"name"`
	Hostname string  `json:"hostname"`
	In       float64 `json:"in"`    // bytes a second
	Out      float64 `json:"out"`   // bytes a second
	Total    uint64  `json:"total"` // bytes of the last ten minutes
}

// topLook is one look.
type topLook struct {
	By       string    `json:"by"`
	Time     time.Time `json:"time"`    // of the ledger's look
	Seconds  float64   `json:"seconds"` // since the look before
	Sessions int       `json:"sessions"`
	In       float64   `json:"in"`
	Out      float64   `json:"out"`
	Lines    []topLine `json:"lines"`
}

// top is what is shown.
type top struct {
	by, sort string
	limit    int // lines; 0: as many as there is place for
}

func (c *ctl) topCommand() *cobra.Command {
	t := top{}
	once := false
	cmd := &cobra.Command{
		Use: "top [--by WHAT] [--once]", Short: "show what moves now", Long: topLong, Example: topExample, Args: words(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case t.limit < 0:
				return usagef("limit %d: want a number above 0", t.limit)
			case !slices.Contains([]string{"application", "user", "host", "device"}, t.by):
				return usagef("--by %s: want application, user, host or device", t.by)
			case !slices.Contains(topSorts, t.sort):
				return usagef("--sort %s: want rate, in, out or total", t.sort)
			}
			in, isFile := c.Stdin.(*os.File)
			out, alsoFile := c.Stdout.(*os.File)
			if once || c.json || !isFile || !alsoFile || !term.IsTerminal(int(in.Fd())) || !term.IsTerminal(int(out.Fd())) {
				return c.topOnce(cmd.Context(), &t)
			}
			return c.topLive(cmd.Context(), &t, in, out)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&t.by, "by", "application", "show `what`: application, user, host or device")
	f.StringVar(&t.sort, "sort", "rate", "sort by `what`: rate, in, out or total")
	f.IntVar(&t.limit, "limit", 0, "at most `n` lines")
	f.BoolVar(&once, "once", false, "print one look and end")
	cmd.RegisterFlagCompletionFunc("by", cobra.FixedCompletions([]string{"application", "user", "host", "device"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RegisterFlagCompletionFunc("sort", cobra.FixedCompletions(topSorts, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// topOnce prints one look.
func (c *ctl) topOnce(ctx context.Context, t *top) error {
	look, err := c.look(ctx, t)
	switch {
	case err != nil:
		return c.daemonError(err)
	case c.json:
		return c.printJSON(map[string]any{"top": look})
	}
	_, err = io.WriteString(c.Stdout, t.text(look, 0, 0))
	return err
}

// look asks the daemon.
func (c *ctl) look(ctx context.Context, t *top) (*topLook, error) {
	status, err := c.daemon().Status(ctx)
	if err != nil {
		return nil, err
	}
	spans, err := c.daemon().Usage(ctx, api.UsageQuery{By: t.by, Period: "recent"})
	if err != nil {
		return nil, err
	}
	look := t.sum(spans)
	look.Sessions = status.Sessions.Sessions
	return look, nil
}

// sum makes a look of what passed between the ledger's last ones.
func (t *top) sum(spans []api.Usage) *topLook {
	look := &topLook{By: t.by, Lines: []topLine{}}
	if len(spans) == 0 {
		return look
	}
	lines := make(map[string]*topLine)
	line := func(u *api.UsageOf) *topLine {
		if lines[u.Name] == nil {
			lines[u.Name] = &topLine{Name: u.Name, Hostname: u.Hostname}
		}
		return lines[u.Name]
	}
	for i := range spans {
		for j := range spans[i].Uses {
			u := &spans[i].Uses[j]
			line(u).Total += u.In.Bytes + u.Out.Bytes
		}
	}
	last := &spans[len(spans)-1]
	look.Time, look.Seconds = last.End, max(0.1, last.End.Sub(last.Start).Seconds())
	look.In, look.Out = float64(last.Total.In.Bytes)/look.Seconds, float64(last.Total.Out.Bytes)/look.Seconds
	for i := range last.Uses {
		u := &last.Uses[i]
		line(u).In, line(u).Out = float64(u.In.Bytes)/look.Seconds, float64(u.Out.Bytes)/look.Seconds
	}
	for _, one := range lines {
		look.Lines = append(look.Lines, *one)
	}
	t.order(look.Lines)
	if t.limit > 0 && len(look.Lines) > t.limit {
		look.Lines = look.Lines[:t.limit]
	}
	return look
}

// topLive shows looks on a terminal until somebody ends it.
func (c *ctl) topLive(ctx context.Context, t *top, in, out *os.File) error {
	// Signals end it, too, and the terminal is as it was.
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return fmt.Errorf("terminal: %w", err)
	}
	defer term.Restore(int(in.Fd()), before)
	fmt.Fprint(out, "\x1b[?1049h\x1b[?25l") // another screen, no cursor
	defer fmt.Fprint(out, "\x1b[?25h\x1b[?1049l")
	tell := ""
	for {
		look, err := c.look(ctx, t)
		width, height, sizeErr := term.GetSize(int(out.Fd()))
		if sizeErr != nil {
			width, height = 80, 24
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			tell = c.daemonError(err).Error() + "\n"
		default:
			tell = t.text(look, width, height)
		}
		fmt.Fprint(out, "\x1b[H"+onScreen(tell, height)+"\x1b[J")
		if t.wait(ctx, in) {
			return nil
		}
	}
}

// wait waits for a key, or until the next look is due; true if it was the last.
func (t *top) wait(ctx context.Context, in *os.File) bool {
	until := time.Now().Add(topEvery)
	for {
		left := time.Until(until)
		if left <= 0 || ctx.Err() != nil {
			return ctx.Err() != nil
		}
		fds := []unix.PollFd{{Fd: int32(in.Fd()), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, int(min(left, 200*time.Millisecond)/time.Millisecond)+1)
		if err != nil && err != unix.EINTR {
			return true
		}
		if n <= 0 {
			continue
		}
		var key [32]byte
		got, err := in.Read(key[:])
		if err != nil || got == 0 {
			return true
		}
		again, end := t.press(key[:got])
		if again || end {
			return end
		}
	}
}

// behindSequence returns what follows the sequence of a key that is no character: ESC, [
// or O, and parameters up to a letter or ~.
func behindSequence(keys []byte) []byte {
	rest := keys[2:]
	if keys[1] != '[' && keys[1] != 'O' {
		return rest
	}
	for i, c := range rest {
		if c >= '@' && c <= '~' {
			return rest[i+1:]
		}
	}
	return nil
}

// press does what a key says: look again, or end.
func (t *top) press(keys []byte) (again, end bool) {
	for len(keys) > 0 {
		key := keys[0]
		if key == '\x1b' && len(keys) > 1 { // an arrow, and the like
			keys = behindSequence(keys)
			continue
		}
		keys = keys[1:]
		switch key {
		case 'q', 'Q', '\x03', '\x04', '\x1b':
			return false, true
		case 'a':
			t.by, again = "application", true
		case 'u':
			t.by, again = "user", true
		case 'h':
			t.by, again = "host", true
		case 'd':
			t.by, again = "device", true
		case 's':
			t.sort, again = topSorts[(slices.Index(topSorts, t.sort)+1)%len(topSorts)], true
		case ' ', '\r', '\x0c':
			again = true
		}
	}
	return again, false
}
