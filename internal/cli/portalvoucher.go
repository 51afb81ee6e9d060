// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"nftdict/dict"
	"nftdict/dictd/api"
	quotaplan "nftdict/dictd/quota/plan"
)

const portalVoucherLong = `Vouchers: codes that let devices in, made in batches. A code is told once, when it is
made; the daemon keeps only what it can be compared with. What -j prints then is what
print and csv read later, so keep it as a secret, or not at all.`

func (c *ctl) portalVoucher() *cobra.Command {
	return branch("voucher create|list|revoke|remove|print|csv", "vouchers: make, see, take back, print", portalVoucherLong,
		"  dictctl portal voucher create may --count 50 --time 24h --as html > may.html\n  dictctl portal voucher list may\n  dictctl portal voucher revoke 17",
		c.voucherCreate(), c.voucherList(), c.voucherRevoke(), c.voucherRemove(), c.voucherPrint(), c.voucherCSV())
}

func (c *ctl) voucherCreate() *cobra.Command {
	var b api.PortalBatch
	var volume, last, valid, as string
	var look voucherLook
	cmd := &cobra.Command{
		Use: "create BATCH", Short: "make vouchers", Args: words(1, 1, "BATCH"),
		Long: `Makes a batch of vouchers and prints their codes, which are told this once. The time
of a voucher begins with its first use and goes on while nobody is in; its volume is
that of all its devices together.`,
		Example: "  dictctl portal voucher create may --count 50 --time 24h --volume 2GB --devices 2 --prefix INN\n" +
			"  dictctl -j portal voucher create june --count 500 --time 7d > june.json",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			b.Name = args[0]
			if b.Time, err = secondsOf(last); err != nil {
				return err
			}
			b.Time = max(b.Time, 0)
			if b.Valid, err = dayOf(valid); err != nil {
				return err
			}
			if volume != "" {
				n, unit, err := quotaplan.ParseAmount(volume)
				if err != nil || unit != quotaplan.Bytes {
					return usagef("volume %s: want one such as 20MB or 1.5GiB", dict.Quote(volume))
				}
				b.Bytes = &n
			}
			if as != "text" && as != "csv" && as != "html" {
				return usagef("--as %s: want text, csv or html", dict.Quote(as))
			}
			made, err := c.daemon().MakePortalVouchers(cmd.Context(), b)
			switch {
			case err != nil:
				return c.daemonError(err)
			case c.json:
				return c.printJSON(made)
			case as == "csv":
				return writeVouchersCSV(c.Stdout, &made)
			case as == "html":
				return writeVouchersPage(c.Stdout, &made, look)
			}
			for _, v := range made.Vouchers {
				if _, err := fmt.Fprintf(c.Stdout, "%d %s\n", v.Number, v.Code); err != nil {
					return err
				}
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&b.Count, "count", 1, "make `n` of them")
	flags.StringVar(&last, "time", "", "each is good for that `time` from its first use on: 30m, 24h, 7d; else without end")
	flags.StringVar(&volume, "volume", "", "each is good for that `amount` of bytes: 20MB, 2GB; else without bound")
	flags.IntVar(&b.Devices, "devices", 0, "`n` at a time; 0 as configured, -1 for no bound")
	flags.StringVar(&valid, "valid-until", "", "none can be used after that `time`: 2030-12-31, or 2030-12-31T12:00:00Z")
	flags.StringVar(&b.Prefix, "prefix", "", "letters and digits before the codes, as `text` for people")
	flags.StringSliceVar(&b.Groups, "group", nil, "a `group` that users are in then; may be given several times")
	flags.StringVar(&as, "as", "text", "print `form` text, csv or html")
	look.flags(flags)
	return cmd
}

func (c *ctl) voucherList() *cobra.Command {
	return &cobra.Command{
		Use: "list [BATCH]", Short: "print the batches, or the vouchers of one", Args: words(0, 1),
		Long: `Prints the batches, one a line: name, how many vouchers, time, volume, devices at a
time, and until when they are valid. With a batch, its vouchers: number, what has
become of them, since when and until when they are used, what is left, devices that
are in.`,
		Example: "  dictctl portal voucher list\n  dictctl portal voucher list may",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return c.printListing(cmd.Context(), "vouchers", func(ctx context.Context, w *tabwriter.Writer) (any, error) {
					all, err := c.daemon().PortalVouchers(ctx, args[0])
					for _, v := range all {
						fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%d\n", v.Number, v.State, clockText(v.First), clockText(v.Until), bytesText(v.Left), v.Devices)
					}
					return all, err
				})
			}
			return c.printListing(cmd.Context(), "batches", func(ctx context.Context, w *tabwriter.Writer) (any, error) {
				all, err := c.daemon().PortalBatches(ctx)
				for _, b := range all {
					devices := "-"
					if b.Devices != 0 {
						devices = boundText(b.Devices > 0, strconv.Itoa(b.Devices))
					}
					fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\n", b.Name, b.Count, timeText(b.Time), bytesText(b.Bytes), devices, clockText(b.Valid))
				}
				return all, err
			})
		},
	}
}

func (c *ctl) voucherRevoke() *cobra.Command {
	return &cobra.Command{
		Use: "revoke BATCH|NUMBER...", Short: "take vouchers back", Args: words(1, -1, "BATCH or NUMBER"),
		Long:    "Takes vouchers back, by their numbers or those of whole batches, and ends their sessions.",
		Example: "  dictctl portal voucher revoke 17 18\n  dictctl portal voucher revoke may",
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, what := range args {
				var err error
				if number, bad := strconv.ParseUint(what, 10, 64); bad == nil {
					err = c.daemon().RevokePortalVoucher(cmd.Context(), number)
				} else {
					err = c.daemon().RevokePortalBatch(cmd.Context(), what)
				}
				if err != nil {
					return c.daemonError(err)
				}
				if err := c.told(map[string]any{"revoked": what}, "%s\n", what); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func (c *ctl) voucherRemove() *cobra.Command {
	return &cobra.Command{
		Use: "remove BATCH...", Short: "forget batches of vouchers", Args: words(1, -1, "BATCH"),
		Long:    "Forgets batches with their vouchers, and ends their sessions.",
		Example: "  dictctl portal voucher remove may",
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, name := range args {
				if err := c.daemon().RemovePortalBatch(cmd.Context(), name); err != nil {
					return c.daemonError(err)
				}
				if err := c.told(map[string]any{"name": name}, "%s\n", name); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func (c *ctl) voucherPrint() *cobra.Command {
	var look voucherLook
	cmd := &cobra.Command{
		Use: "print FILE", Short: "make a page of vouchers to be printed", Args: words(1, 1, "FILE"),
		Long: `Makes an HTML page of what -j printed when vouchers were made (- is the standard
input): for sheets of A4, or with --thermal for paper of 80 mm.`,
		Example: "  dictctl portal voucher print june.json > june.html\n  dictctl portal voucher print june.json --thermal --title \"Hotel\" > roll.html",
		RunE: func(_ *cobra.Command, args []string) error {
			made, err := c.readVouchers(args[0])
			if err != nil {
				return err
			}
			return writeVouchersPage(c.Stdout, made, look)
		},
	}
	look.flags(cmd.Flags())
	return cmd
}

func (c *ctl) voucherCSV() *cobra.Command {
	return &cobra.Command{
		Use: "csv FILE", Short: "make a table of vouchers for other programs", Args: words(1, 1, "FILE"),
		Long:    "Makes CSV of what -j printed when vouchers were made (- is the standard input).",
		Example: "  dictctl portal voucher csv june.json > june.csv",
		RunE: func(_ *cobra.Command, args []string) error {
			made, err := c.readVouchers(args[0])
			if err != nil {
				return err
			}
			return writeVouchersCSV(c.Stdout, made)
		},
	}
}

// readVouchers reads what -j printed when vouchers were made.
func (c *ctl) readVouchers(path string) (*api.PortalMade, error) {
	var text []byte
	var err error
	if path == "-" {
		text, err = io.ReadAll(c.Stdin)
	} else {
		if c.Dir != "" && !filepath.IsAbs(path) {
			path = filepath.Join(c.Dir, path)
		}
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, err
	}
	made := &api.PortalMade{}
	if err := json.Unmarshal(text, made); err != nil || len(made.Vouchers) == 0 {
		return nil, fmt.Errorf("%s: %w: want what dictctl -j portal voucher create printed", path, dict.ErrInvalid)
	}
	return made, nil
}

// timeText writes how long something is good, "-" for ever.
func timeText(seconds int64) string {
	switch {
	case seconds == 0:
		return "-"
	case seconds%(24*3600) == 0:
		return strconv.FormatInt(seconds/(24*3600), 10) + "d"
	}
	return strings.TrimSuffix(amountText(seconds, quotaplan.Seconds.String()), "0m")
}

// bytesText writes an amount, "-" for no bound.
func bytesText(n *int64) string {
	if n == nil {
		return "-"
	}
	return amountText(*n, "bytes")
}
