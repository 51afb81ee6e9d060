// SPDX-License-Identifier: MIT

package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

const quotaTCLong = `Prints commands of tc that slow down what leaves by an interface: what a plan with
then = "throttle" does to who has used up his budget. Run them as root, for the
interface to the inside (what is loaded) and for that to the outside (what is sent):
dictctl quota tc lan0 1mbit | sh

Packets that are throttled have the class 1:20 already (nft: meta priority); they
share RATE, fairly where the kernel has fq_codel. All others have a class without a
bound. What was the queueing discipline of the interface before is replaced. For a
plan with then = "class 7" give --mark 7: a filter leads that mark to the class.`

func (c *ctl) quotaTC() *cobra.Command {
	var mark uint32
	cmd := &cobra.Command{
		Use: "tc INTERFACE RATE", Short: "print commands that slow marked packets down", Long: quotaTCLong,
		Example: "  dictctl quota tc lan0 1mbit | sh\n  dictctl quota tc wan0 256kbit --mark 7",
		Args:    words(2, 2, "INTERFACE", "RATE"),
		RunE: func(_ *cobra.Command, args []string) error {
			text, err := tcCommands(args[0], args[1], mark)
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(map[string]any{"commands": strings.Split(strings.TrimSpace(text), "\n")})
			}
			_, err = fmt.Fprint(c.Stdout, text)
			return err
		},
	}
	cmd.Flags().Uint32Var(&mark, "mark", 0, "the `mark` of a class")
	return cmd
}

// tcCommands returns the commands for an interface, a rate and a mark.
func tcCommands(device, rate string, mark uint32) (string, error) {
	if device == "" || len(device) > 15 || strings.ContainsFunc(device, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune("/'\"\\$`;&|<>(){}*?[]!#~", r)
	}) || device[0] == '-' {
		return "", usagef("%q: want the name of an interface", device)
	}
	digits := strings.TrimRight(rate, "abcdefghijklmnopqrstuvwxyz")
	unit := rate[len(digits):]
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || n <= 0 || strings.Trim(digits, "0123456789.") != "" || !strings.Contains(" bit kbit mbit gbit kibit mibit gibit bps kbps mbps gbps ", " "+unit+" ") {
		return "", usagef("%q: want a rate such as 512kbit or 2mbit", rate)
	}
	text := fmt.Sprintf(`tc qdisc replace dev %[1]s root handle 1: htb default 10
tc class replace dev %[1]s parent 1: classid 1:10 htb rate 100gbit quantum 60000
tc class replace dev %[1]s parent 1: classid 1:20 htb rate %[2]s
tc qdisc replace dev %[1]s parent 1:10 fq_codel || true
tc qdisc replace dev %[1]s parent 1:20 fq_codel || true
`, device, rate)
	if mark != 0 {
		text += fmt.Sprintf("tc filter replace dev %s parent 1: protocol all prio 1 handle %#x fw classid 1:20\n", device, mark)
	}
	return text, nil
}
