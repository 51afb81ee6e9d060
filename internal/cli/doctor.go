// SPDX-License-Identifier: MIT

package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nftdict/internal/cli/doctor"
)

const doctorLong = `Tries, in a network namespace of its own that is gone afterwards, each feature
of the kernel and each program that is needed, and says what is present, what is
absent and what follows from that. Flowtables, the filters behind them and devices are
those that are there. Some things can be done in more than one way: the lines at the
end say which ways work here.

The exit status is 1 if something that is needed can be done in no way.`

const doctorExample = `  dictctl doctor
  dictctl -j doctor`

func (c *ctl) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "doctor",
		Short:   "tell what this machine offers, and what follows",
		Long:    doctorLong,
		Example: doctorExample,
		Args:    words(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			probe := c.Doctor
			if probe == nil {
				probe = doctor.Run
			}
			r := probe(cmd.Context())
			var err error
			if c.json {
				err = c.printJSON(r)
			} else {
				c.printReport(c.Stdout, &r)
			}
			if err == nil && !r.Works {
				err = exitStatus(ExitFailed)
			}
			return err
		},
	}
}

// stateColours are what the states look like on a terminal.
var stateColours = map[doctor.State]colour{doctor.Present: green, doctor.Absent: red, doctor.Unknown: yellow}

// printReport writes one line a check, two where something follows, and the
// ways that work.
func (c *ctl) printReport(w io.Writer, r *doctor.Report) {
	fmt.Fprintf(w, "kernel %s\n\n", r.Kernel)
	unknown := map[string]bool{}
	for _, check := range r.Checks {
		if check.State == doctor.Unknown {
			unknown[check.Name] = true
		}
		state := c.paint(stateColours[check.State], fmt.Sprintf("%-7s", check.State))
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%s  %-30s  %s", state, check.Name, printable(check.Found)), " "))
		if check.Follows != "" {
			fmt.Fprintf(w, "%9s-> %s\n", "", check.Follows)
		}
	}
	fmt.Fprintln(w)
	for _, role := range r.Roles {
		fmt.Fprintf(w, "%-24s  %s\n", role.Name, c.roleText(&role, unknown))
	}
	fmt.Fprintln(w)
	switch {
	case r.Works:
		fmt.Fprintln(w, "This machine has all that is needed.")
	case len(unknown) > 0:
		fmt.Fprintln(w, "Some checks could not be made: run this as root.")
	default:
		fmt.Fprintln(w, "This machine lacks something that is needed.")
	}
}

// roleText names the ways that work, or all that is missing; of what could not
// be looked for it is not known whether it is.
func (c *ctl) roleText(r *doctor.Role, unknown map[string]bool) string {
	var works, missing []string
	verdict := c.paint(red, "impossible")
	for _, w := range r.Ways {
		lacks := strings.Join(w.Missing, ", ")
		switch {
		case w.Works && w.Name == "":
			works = append(works, "works")
		case w.Works:
			works = append(works, "by "+w.Name)
		case w.Name == "":
			missing = append(missing, "lacks "+lacks)
		default:
			missing = append(missing, w.Name+" lacks "+lacks)
		}
		if slices.ContainsFunc(w.Missing, func(check string) bool { return unknown[check] }) {
			verdict = c.paint(yellow, "not known")
		}
	}
	if len(works) > 0 {
		return c.paint(green, strings.Join(works, ", "))
	}
	return verdict + ": " + strings.Join(missing, "; ")
}
