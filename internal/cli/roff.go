// SPDX-License-Identifier: MIT

package cli

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const manExit = `0 if all was done, 1 if something failed, 2 if the command line was not
understood. dictctl nft exits as nft does. dictctl doctor fails where the
product cannot work, dictctl status where the daemon does not answer.`

const manSeeAlso = `dictd.conf(5), nft-dict(7), nft(8), conntrack(8)`

// manualPage returns dictctl(8): the help texts of root and its commands.
//
// cobra's own generator reads help texts as Markdown, to which the names with
// underscores and the indented lists of ours mean something else, and writes a
// page a command; nft(8) is one page, and so is this.
func manualPage(root *cobra.Command) []byte {
	m := &roff{}
	m.line(`.\" SPDX-License-Identifier: MIT`)
	m.line(`.\" Written by dictctl man; the texts are those of dictctl --help.`)
	m.line(`.TH DICTCTL 8 "" nftdict "nftdict manual"`)
	m.section("NAME")
	m.text(root.Name() + " - " + root.Short)
	m.section("SYNOPSIS")
	m.literal(root.Use)
	m.section("DESCRIPTION")
	m.prose(root.Long)
	m.section("OPTIONS")
	root.NonInheritedFlags().VisitAll(m.flag)
	m.section("COMMANDS")
	for _, cmd := range root.Commands() {
		m.command(cmd)
	}
	m.section("EXIT STATUS")
	m.prose(manExit)
	m.section("EXAMPLES")
	m.literal(root.Example)
	m.section("SEE ALSO")
	m.text(manSeeAlso)
	return m.Bytes()
}

// roff writes a manual page.
type roff struct{ bytes.Buffer }

// command writes a command and the commands below it.
func (m *roff) command(cmd *cobra.Command) {
	if !cmd.IsAvailableCommand() || cmd.Name() == "help" {
		return
	}
	if cmd.HasAvailableSubCommands() {
		m.line(".SS " + roffEscape(cmd.CommandPath()))
		m.prose(cmd.Long)
		for _, sub := range cmd.Commands() {
			m.command(sub)
		}
		return
	}
	m.line(".SS " + roffEscape(usageLine(cmd)))
	m.prose(cmd.Long)
	cmd.LocalNonPersistentFlags().VisitAll(m.flag)
	m.line(".PP")
	m.line("Examples:")
	m.literal(cmd.Example)
}

func (m *roff) line(s string)       { fmt.Fprintln(m, s) }
func (m *roff) section(name string) { m.line(".SH " + name) }
func (m *roff) text(s string)       { m.line(roffEscape(s)) }

// prose writes help text: paragraphs are filled, indented lines stand as they
// are.
func (m *roff) prose(s string) {
	for i, par := range strings.Split(s, "\n\n") {
		if i > 0 {
			m.line(".PP")
		}
		var lines []string // indented, not written yet
		for l := range strings.Lines(par) {
			l = strings.TrimRight(l, "\n")
			if strings.HasPrefix(l, " ") {
				lines = append(lines, l)
				continue
			}
			m.text(l)
		}
		if len(lines) > 0 {
			m.literal(strings.Join(lines, "\n"))
		}
	}
}

// literal writes lines as they are.
func (m *roff) literal(s string) {
	m.line(".PP")
	m.line(".nf")
	for l := range strings.Lines(s) {
		m.text(strings.TrimRight(l, "\n"))
	}
	m.line(".fi")
}

// flag writes an option.
func (m *roff) flag(f *pflag.Flag) {
	if f.Hidden || f.Name == "help" {
		return
	}
	name := "--" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", " + name
	}
	value, usage := pflag.UnquoteUsage(f)
	if f.Value.Type() != "bool" {
		name += " " + strings.ToUpper(value)
	}
	m.line(".TP")
	m.line(".B " + roffEscape(name))
	if f.DefValue != "" && f.Value.Type() == "string" {
		usage += " (default " + f.DefValue + ")"
	}
	m.text(usage)
}

// roffEscape keeps roff from reading text as requests, escapes or hyphens to
// break at.
func roffEscape(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`).Replace(s)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s
}
