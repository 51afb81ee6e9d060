// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"nftdict/internal/cli/doctor"
	"nftdict/nftext/front"
)

const nftLong = `Runs the installed nft with everything that follows, which is nft's own language
with one addition: where a match or a statement may stand, a dict term may.

  dict [TABLE] KEY FIELD [TYPE] [OP] VALUE         holds if the value does
  dict [TABLE] KEY FIELD [TYPE] exists|missing
  dict TABLE KEY FIELD [TYPE] set|add|sub VALUE    writes it
  dict TABLE KEY flush                             deletes the row
  dict TABLE KEY FIELD [TYPE]                      its value, where nft takes an expression:
                                                   vmap, map, @set, meta mark set, dnat to, ...

KEY is an expression such as "ct id", "ip saddr", "ether saddr", "meta mark", or
another dict lookup. OP is == (left out as a rule) != < <= > >=; VALUE also a
range, a prefix, a set in braces, a variable, or a pattern with * ? [a-z] [!x].
Values for nft to work with need the module; -i, -j, -d, -f, -D and -I work with
terms as without, -o does not.

With -j a term is an object, {"match": {"op": "==", "left": {"dict": {"table": ...,
"key": ..., "field": ...}}, "right": ...}} or {"dict": {"op": "set", ...}}, in what
nft reads and shows: a listing loads again.

Listings show dict rules as they were written. nft alone leaves them out, or
shows them without their conditions: save rulesets with dictctl nft. Options of
dictctl stand before nft, what stands behind it is nft's; the exit status is
nft's too. nft-dict(7) has every form of a term.`

const nftExample = `  dictctl nft add rule inet filter forward dict sessions ct id application NETFLIX reject
  dictctl nft 'add rule inet filter forward dict hosts ip saddr mac_vendor *NEST* counter drop'
  dictctl nft add rule inet filter forward dict users dict sessions ct id username quota_exceeded true reject
  dictctl nft -a list ruleset`

func (c *ctl) nftCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "nft [WORD]...",
		Short:              "load and list rules that consult dictionaries, by way of nft",
		Long:               nftLong,
		Example:            nftExample,
		DisableFlagParsing: true,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return nothing()
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.nft(cmd.Context(), args) // also --help, unlike other commands: it is nft's
		},
	}
}

func (c *ctl) nft(ctx context.Context, args []string) error {
	path, err := doctor.FindNft()
	if err != nil {
		return fmt.Errorf("nft: %w; install nftables", err)
	}
	if c.json {
		args = append([]string{"-j"}, args...)
	}
	codec := newLazyCodec(c.open)
	said := &head{w: c.Stderr}
	run := front.Command{Nft: path, Args: args, Codec: codec, Stdin: c.Stdin, Stdout: c.Stdout, Stderr: said}
	status, err := run.Run(ctx)
	switch failed := codec.failed(); {
	case errors.Is(err, front.ErrOutput): // of which nft says nothing, and ends as ever
		return exitStatus(status)
	case err != nil:
		return fmt.Errorf("nft: %w", err)
	case status == 0 && failed != nil:
		return fmt.Errorf("nft: dict rules are not told from others: %w", failed)
	case status == 0:
		return nil
	}
	if r := nftRemedy(said.String()); r != "" {
		fmt.Fprintf(c.Stderr, "remedy: %s\n", r)
	}
	return exitStatus(status)
}

// head passes on what is written and keeps the first part of it.
type head struct {
	w    io.Writer
	kept []byte
}

// maxHead is how much a head keeps, in bytes.
const maxHead = 64 << 10

func (h *head) Write(b []byte) (int, error) {
	h.kept = append(h.kept, b[:min(len(b), maxHead-len(h.kept))]...)
	return h.w.Write(b)
}

func (h *head) String() string { return string(h.kept) }
