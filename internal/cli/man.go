// SPDX-License-Identifier: MIT

package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

// manCommand writes the manual from the help texts. It is for the build, and
// hidden.
func (c *ctl) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "man DIR",
		Short:   "write the manual page into a directory",
		Long:    "Writes the manual page dictctl.8 into a directory, which is made if need be.",
		Example: "  dictctl man docs/man",
		Hidden:  true,
		Args:    words(1, 1, "DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := c.path(args[0])
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return fmt.Errorf("man: %w", err)
			}
			page := manualPage(cmd.Root())
			if err := os.WriteFile(filepath.Join(dir, "dictctl.8"), page, 0o644); err != nil {
				return fmt.Errorf("man: %w", err)
			}
			return nil
		},
	}
}
