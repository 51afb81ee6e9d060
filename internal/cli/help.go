// SPDX-License-Identifier: MIT

package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// helpCommand is `help`; cobra's own would speak in other words.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]...",
		Short:   "print the help of a command",
		Long:    "Prints what a command does, how it is called, and examples.",
		Example: "  dictctl help set\n  dictctl help table add",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			of, _, err := cmd.Root().Find(args)
			if err != nil {
				return nothing()
			}
			var out []cobra.Completion
			for _, sub := range of.Commands() {
				if sub.IsAvailableCommand() {
					out = append(out, cobra.CompletionWithDesc(sub.Name(), sub.Short))
				}
			}
			return out, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			of, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(cmd.Root(), args[len(args)-max(len(rest), 1)])
			}
			return of.Help()
		},
	}
}

// printHelp writes all there is to say about a command.
func printHelp(w io.Writer, cmd *cobra.Command) {
	fmt.Fprintf(w, "usage: %s\n\n%s\n\n", usageLine(cmd), cmd.Long)
	for _, g := range cmd.Groups() {
		fmt.Fprintln(w, g.Title)
		printCommands(w, cmd, g.ID)
	}
	if cmd.HasAvailableSubCommands() && len(cmd.Groups()) == 0 {
		fmt.Fprintln(w, "Commands:")
		printCommands(w, cmd, "")
	}
	fmt.Fprintf(w, "Examples:\n%s\n", cmd.Example)
	if flags := cmd.LocalFlags(); flags.HasAvailableFlags() && !cmd.DisableFlagParsing {
		fmt.Fprintf(w, "\nOptions:\n%s", flags.FlagUsages())
	}
	if cmd.HasParent() {
		fmt.Fprintf(w, "\nOptions of all commands: %s --help\n", cmd.Root().Name())
	} else {
		fmt.Fprintf(w, "\nMore about a command: %s COMMAND --help\n", cmd.Name())
	}
}

// printCommands lists the commands of a group below cmd, and an empty line.
func printCommands(w io.Writer, cmd *cobra.Command, group string) {
	for _, sub := range cmd.Commands() {
		if sub.GroupID == group && sub.IsAvailableCommand() {
			fmt.Fprintf(w, "  %-12s%s\n", sub.Name(), sub.Short)
		}
	}
	fmt.Fprintln(w)
}
