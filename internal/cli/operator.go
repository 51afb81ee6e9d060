// SPDX-License-Identifier: MIT

package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"nftdict/dict"
	"nftdict/dictd/config"
	"nftdict/dictd/operator"
	"nftdict/dictd/password"
)

const operatorLong = `Says who may log in to the operator's page, which [operator] of dictd.toml switches
on. Names, rights and hashes of passwords are in a file that dictd reads again when it
changes: it need not run, and who is taken out, or gets another password, is logged
out at once.`

func (c *ctl) operatorCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "operator password|remove|list", Short: "say who may log in to the operator's page", Long: operatorLong,
		Example: "  dictctl operator password ada --write\n  dictctl operator list",
		Args:    cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("password, remove or list is missing")
			}
			return usagef("%s: want password, remove or list", dict.Quote(args[0]))
		},
	}
	cmd.AddCommand(c.operatorPassword(), c.operatorRemove(), c.operatorList())
	return cmd
}

// passwordsFlag names the file.
func passwordsFlag(cmd *cobra.Command, file *string) *cobra.Command {
	cmd.Flags().StringVar(file, "file", config.DefaultPasswords, "the `file` of operators, operator.passwords of dictd.toml")
	return cmd
}

func (c *ctl) operatorPassword() *cobra.Command {
	var file string
	var write bool
	cmd := &cobra.Command{
		Use: "password NAME", Short: "give an operator a password, and a right",
		Long: `Gives an operator a password, who is made if he is not there. It is asked for on a
terminal, twice; else it is the first line of the standard input. Without --write he
may look, and change nothing.`,
		Example: "  dictctl operator password ada --write\n  pwgen 20 1 | tee /dev/tty | dictctl operator password bob",
		Args:    words(1, 1, "NAME"),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := operator.CheckName(args[0]); err != nil {
				return err
			}
			secret, err := c.askPassword(args[0])
			if err != nil {
				return err
			}
			hash, err := password.Hash(secret)
			if err != nil {
				return err
			}
			all, err := operator.Read(file)
			if err != nil {
				return err
			}
			one := operator.Operator{Name: args[0], Write: write, Hash: hash}
			if i := slices.IndexFunc(all, func(o operator.Operator) bool { return o.Name == one.Name }); i >= 0 {
				all[i] = one
			} else {
				all = append(all, one)
			}
			return operator.Write(file, all)
		},
	}
	cmd.Flags().BoolVar(&write, "write", false, "he may change something, too")
	return passwordsFlag(cmd, &file)
}

// askPassword reads a password: from a terminal without showing it, else a line.
func (c *ctl) askPassword(name string) (string, error) {
	if f, ok := c.Stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		ask := func(text string) (string, error) {
			fmt.Fprint(c.Stderr, text)
			b, err := term.ReadPassword(int(f.Fd()))
			fmt.Fprintln(c.Stderr)
			return string(b), err
		}
		first, err := ask("Password of " + name + ": ")
		if err != nil {
			return "", err
		}
		second, err := ask("Once more: ")
		if err == nil && first != second {
			err = errors.New("password: these are two")
		}
		return first, err
	}
	line, err := bufio.NewReader(io.LimitReader(c.Stdin, password.MaxSecret+2)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

func (c *ctl) operatorRemove() *cobra.Command {
	var file string
	return passwordsFlag(&cobra.Command{
		Use: "remove NAME", Short: "let an operator in no more", Long: "Takes an operator out of the file. He is logged out at once.",
		Example: "  dictctl operator remove bob", Args: words(1, 1, "NAME"),
		RunE: func(_ *cobra.Command, args []string) error {
			all, err := operator.Read(file)
			if err != nil {
				return err
			}
			i := slices.IndexFunc(all, func(o operator.Operator) bool { return o.Name == args[0] })
			if i < 0 {
				return fmt.Errorf("operator %s: %w", dict.Quote(args[0]), dict.ErrNotExist)
			}
			return operator.Write(file, slices.Delete(all, i, i+1))
		},
	}, &file)
}

// listedOperator is an operator as -j prints it.
type listedOperator struct {
	Name  string `json:"name"`
	Write bool   `json:"write"`
}

func (c *ctl) operatorList() *cobra.Command {
	var file string
	cmd := c.listing("operators", "print who may log in", "Prints the names and rights of operators, one a line.", func(_ context.Context, w *tabwriter.Writer) (any, error) {
		all, err := operator.Read(file)
		list := make([]listedOperator, 0, len(all))
		for _, o := range all {
			right := "read"
			if o.Write {
				right = "write"
			}
			fmt.Fprintf(w, "%s\t%s\n", o.Name, right)
			list = append(list, listedOperator{o.Name, o.Write})
		}
		return list, err
	})
	cmd.Use, cmd.Example = "list", "  dictctl operator list\n  dictctl -j operator list"
	return passwordsFlag(cmd, &file)
}
