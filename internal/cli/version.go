// SPDX-License-Identifier: MIT

package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

func (c *ctl) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "print the version",
		Long:    "Prints the version of dictctl and of the Go it was built with.",
		Example: "  dictctl version",
		Args:    words(0, 0),
		RunE: func(*cobra.Command, []string) error {
			if c.json {
				return c.printJSON(map[string]string{"version": c.Version, "go": runtime.Version()})
			}
			_, err := fmt.Fprintf(c.Stdout, "dictctl %s (%s)\n", c.Version, runtime.Version())
			return err
		},
	}
}
