// SPDX-License-Identifier: MIT

package cli

import (
	"github.com/spf13/cobra"

	"nftdict/dict"
)

const completionLong = `Prints the script that teaches a shell to complete the commands of dictctl, and
the names of tables, fields and keys as the kernel has them at that moment.`

const completionExample = `  dictctl completion bash > /etc/bash_completion.d/dictctl
  dictctl completion zsh > /usr/share/zsh/vendor-completions/_dictctl
  dictctl completion fish > /etc/fish/completions/dictctl.fish`

func (c *ctl) completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "completion bash|zsh|fish",
		Short:             "print a completion script for a shell",
		Long:              completionLong,
		Example:           completionExample,
		Args:              words(1, 1, "bash, zsh or fish"),
		ValidArgsFunction: cobra.FixedCompletions([]string{"bash", "zsh", "fish"}, cobra.ShellCompDirectiveNoFileComp),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch root := cmd.Root(); args[0] {
			case "bash":
				return root.GenBashCompletionV2(c.Stdout, true)
			case "zsh":
				return root.GenZshCompletion(c.Stdout)
			case "fish":
				return root.GenFishCompletion(c.Stdout, true)
			}
			return usagef("shell %s: want bash, zsh or fish", dict.Quote(args[0]))
		},
	}
}
