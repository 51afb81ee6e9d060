// SPDX-License-Identifier: MIT

package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"nftdict/dict"
	"nftdict/dictd/api"
)

const portalAccountLong = `Accounts that the portal keeps itself, for people who log in with a name and a
password. Passwords are read from the terminal, or as the first line of the standard
input; the daemon keeps what only costly work can compare with them.`

func (c *ctl) portalAccount() *cobra.Command {
	list := c.listing("accounts", "print the accounts", "Prints the accounts, one a line: name, groups, devices at a time, how long a session lasts, until when there is the account.",
		func(ctx context.Context, w *tabwriter.Writer) (any, error) {
			all, err := c.daemon().PortalAccounts(ctx)
			for _, a := range all {
				session := "-"
				if a.Session != 0 {
					session = boundText(a.Session > 0, (time.Duration(a.Session) * time.Second).String())
				}
				devices := "-"
				if a.Devices != 0 {
					devices = boundText(a.Devices > 0, strconv.Itoa(a.Devices))
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", a.Name, dash(strings.Join(a.Groups, ",")), devices, session, clockText(a.Until))
			}
			return all, err
		})
	list.Use, list.Example = "list", "  dictctl portal account list\n  dictctl -j portal account list"
	return branch("account add|password|remove|list", "accounts: make, change, remove, see", portalAccountLong,
		"  dictctl portal account add alice --group staff\n  dictctl portal account remove alice",
		c.portalAccountAdd(), c.portalAccountPassword(), c.portalAccountRemove(), list)
}

// boundText writes a bound, if it is one.
func boundText(is bool, text string) string {
	if is {
		return text
	}
	return "unlimited"
}

func (c *ctl) portalAccountAdd() *cobra.Command {
	var body api.PortalAccountBody
	var session, until string
	cmd := &cobra.Command{
		Use: "add NAME", Short: "make an account, or another of it", Args: words(1, 1, "NAME"),
		Long: `Makes an account, or has one that is there be as these options say, with another
password. Sessions go on as they began.`,
		Example: "  dictctl portal account add alice --group staff --devices 3\n  dictctl portal account add bob --session 8h --until 2030-12-31",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if body.Session, err = secondsOf(session); err != nil {
				return err
			}
			if body.Until, err = dayOf(until); err != nil {
				return err
			}
			if body.Password, err = c.secret(); err != nil {
				return err
			}
			if err := c.daemon().SetPortalAccount(cmd.Context(), args[0], body); err != nil {
				return c.daemonError(err)
			}
			return c.told(map[string]any{"name": args[0]}, "%s\n", args[0])
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&body.Groups, "group", nil, "a `group` that the user is in then; may be given several times")
	flags.IntVar(&body.Devices, "devices", 0, "`n` at a time; 0 as configured, -1 for no bound")
	flags.StringVar(&session, "session", "", "a session lasts that `time`: 30m, 8h, 7d, or unlimited; else as configured")
	flags.StringVar(&until, "until", "", "the account ends at that `time`: 2030-12-31, or with 2030-12-31T12:00:00Z")
	return cmd
}

func (c *ctl) portalAccountPassword() *cobra.Command {
	return &cobra.Command{
		Use: "password NAME", Short: "give an account another password", Args: words(1, 1, "NAME"),
		Long:    "Gives an account another password. Sessions go on as they began: dictctl portal kick NAME ends them.",
		Example: "  dictctl portal account password alice",
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := c.daemon().PortalAccounts(cmd.Context())
			if err != nil {
				return c.daemonError(err)
			}
			for _, a := range all {
				if a.Name != args[0] {
					continue
				}
				body := api.PortalAccountBody{Groups: a.Groups, Devices: a.Devices, Session: a.Session, Until: a.Until}
				if body.Password, err = c.secret(); err != nil {
					return err
				}
				if err := c.daemon().SetPortalAccount(cmd.Context(), a.Name, body); err != nil {
					return c.daemonError(err)
				}
				return c.told(map[string]any{"name": a.Name}, "%s\n", a.Name)
			}
			return fmt.Errorf("account %s: %w", dict.Quote(args[0]), dict.ErrNotExist)
		},
	}
}

func (c *ctl) portalAccountRemove() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME...", Short: "forget accounts", Args: words(1, -1, "NAME"),
		Long:    "Forgets accounts, and ends their sessions.",
		Example: "  dictctl portal account remove alice",
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, name := range args {
				if err := c.daemon().RemovePortalAccount(cmd.Context(), name); err != nil {
					return c.daemonError(err)
				}
				if err := c.told(map[string]any{"name": name}, "%s\n", name); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// secret reads a password: from a terminal twice, without showing it.
func (c *ctl) secret() (string, error) {
	f, ok := c.Stdin.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(c.Stdin, 4096)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("password: %w", err)
		}
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			return "", usagef("a password is missing: want it as the first line of the standard input")
		}
		return line, nil
	}
	ask := func(what string) (string, error) {
		fmt.Fprint(c.Stderr, what+": ")
		text, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(c.Stderr)
		return string(text), err
	}
	first, err := ask("Password")
	if err != nil {
		return "", fmt.Errorf("password: %w", err)
	}
	again, err := ask("Once more")
	switch {
	case err != nil:
		return "", fmt.Errorf("password: %w", err)
	case first == "":
		return "", usagef("a password is missing")
	case first != again:
		return "", usagef("these are two passwords")
	}
	return first, nil
}

// secondsOf reads a time that something lasts: "" is 0, unlimited -1.
func secondsOf(text string) (int64, error) {
	switch text {
	case "":
		return 0, nil
	case "unlimited":
		return -1, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 15); err == nil && n > 0 {
			return int64(n) * 24 * 3600, nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= time.Second {
		return int64(d / time.Second), nil
	}
	return 0, usagef("time %s: want one such as 30m, 8h or 7d", dict.Quote(text))
}

// dayOf reads when something ends: the end of a day here, or a time. "" is nil.
func dayOf(text string) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, text, time.Local); err == nil {
		t = t.AddDate(0, 0, 1)
		return &t, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return nil, usagef("time %s: want one such as 2030-12-31 or 2030-12-31T12:00:00Z", dict.Quote(text))
	}
	return &t, nil
}
