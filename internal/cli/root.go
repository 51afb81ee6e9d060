// SPDX-License-Identifier: MIT

package cli

import (
	"github.com/spf13/cobra"

	"nftdict/dict"
)

const rootLong = `dictctl reads and writes the dictionaries that nft rules look up: tables of
key, field and value that live in the kernel, one set of them in each network
namespace. It loads and lists rules that consult them (dictctl nft), asks the
daemon dictd what it does, and tells what the kernel can do (dictctl doctor).

Tables work with the daemon stopped. What list prints, -f reads: as text, or as
JSON with -j.`

const rootExample = `  dictctl set users bob quota_exceeded true
  dictctl get users bob
  dictctl nft add rule inet filter forward dict sessions ct id application NETFLIX reject
  dictctl list > saved.dict
  dictctl -f saved.dict`

// Groups of commands in the help text.
const (
	groupTables = "tables"
	groupRules  = "rules"
	groupDaemon = "daemon"
	groupTools  = "tools"
)

// rootCommand returns dictctl with all its commands.
func (c *ctl) rootCommand() *cobra.Command {
	var file fileOptions
	root := &cobra.Command{
		Use:                        "dictctl [OPTION]... COMMAND [WORD]... | -f FILE",
		Short:                      "read and write the dictionaries that nft rules look up",
		Long:                       rootLong,
		Example:                    rootExample,
		SilenceErrors:              true,
		SilenceUsage:               true,
		TraverseChildren:           true, // so that `dictctl -j nft -a ...` parses each side by its own rules
		DisableAutoGenTag:          true,
		Args:                       cobra.ArbitraryArgs,
		SuggestionsMinimumDistance: 2,
		CompletionOptions:          cobra.CompletionOptions{DisableDefaultCmd: true},
		PersistentPreRunE: func(cmd *cobra.Command, args []string) error {
			c.understood = true
			if cmd.HasParent() && (file.name != "" || file.check) {
				return usagef("-f and -c take no command beside them")
			}
			return c.enter()
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) > 0 && file.name != "":
				return usagef("-f takes no command beside it, found %s", dict.Quote(args[0]))
			case len(args) > 0:
				return unknownCommand(cmd, args[0])
			case file.name != "":
				return c.applyFile(cmd.Context(), file)
			case file.check:
				return usagef("-c checks a file: name it with -f")
			}
			return usagef("a command is missing")
		},
	}
	root.SetIn(c.Stdin)
	root.SetOut(c.Stdout)
	root.SetErr(c.Stderr)

	all := root.PersistentFlags()
	all.BoolVarP(&c.json, "json", "j", false, "print JSON")
	all.StringVar(&c.kind, "backend", "auto", "where the tables are: a `kind`, auto, kmod or ebpf")
	all.StringVar(&c.socket, "socket", DefaultSocket, "control socket of dictd, a `path`")
	all.StringVar(&c.netns, "netns", "", "work in this network namespace, a `name` or path")
	root.Flags().StringVarP(&file.name, "file", "f", "", "apply the statements of a `file`, - for standard input")
	root.Flags().BoolVarP(&file.check, "check", "c", false, "with -f: only check, change nothing")
	root.Flags().SortFlags, all.SortFlags = false, false
	root.RegisterFlagCompletionFunc("backend", cobra.FixedCompletions([]string{"auto", "kmod", "ebpf"}, cobra.ShellCompDirectiveNoFileComp))

	root.AddGroup(
		&cobra.Group{ID: groupTables, Title: "Tables:"},
		&cobra.Group{ID: groupRules, Title: "Rules:"},
		&cobra.Group{ID: groupDaemon, Title: "Daemon:"},
		&cobra.Group{ID: groupTools, Title: "Tools:"},
	)
	add := func(group string, cmds ...*cobra.Command) {
		for _, cmd := range cmds {
			cmd.GroupID = group
			root.AddCommand(cmd)
		}
	}
	add(groupTables, c.setCommand(), c.addCommand(), c.getCommand(), c.deleteCommand(), c.listCommand(), c.flushCommand(), c.tableCommand(), c.monitorCommand())
	add(groupRules, c.nftCommand())
	add(groupDaemon, c.statusCommand(), c.sessionsCommand(), c.whyCommand(), c.flowsCommand(), c.recallCommand(), c.eventsCommand(), c.hostsCommand(), c.devicesCommand(), c.usersCommand(), c.userCommand(), c.usageCommand(), c.quotaCommand(), c.topCommand(), c.operatorCommand(), c.portalCommand())
	add(groupTools, c.doctorCommand(), c.classifyCommand(), c.vendorCommand(), c.completionCommand(), c.versionCommand(), c.manCommand())
	help := helpCommand()
	help.GroupID = groupTools
	root.SetHelpCommand(help)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { printHelp(c.Stdout, cmd) })
	return root
}

// unknownCommand names the commands that may have been meant.
func unknownCommand(root *cobra.Command, word string) error {
	if near := root.SuggestionsFor(word); len(near) > 0 {
		return usagef("%s is no command; did you mean %s?", dict.Quote(word), near[0])
	}
	return usagef("%s is no command", dict.Quote(word))
}

// enter goes over to the namespace of --netns, if there is one. A command does
// it once, before anything else.
func (c *ctl) enter() error {
	switch {
	case c.netns == "" || c.entered:
		return nil
	case c.EnterNetns == nil:
		return usagef("--netns is not to be had here")
	}
	c.entered = true
	return c.EnterNetns(c.netns, c.args)
}
