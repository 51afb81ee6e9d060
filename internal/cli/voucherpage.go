// SPDX-License-Identifier: MIT

package cli

import (
	_ "embed"
	"encoding/csv"
	"html/template"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"nftdict/dictd/api"
)

// voucherLook says how a page of vouchers looks.
type voucherLook struct {
	Title, Note string
	Thermal     bool
}

func (l *voucherLook) flags(f *pflag.FlagSet) {
	f.StringVar(&l.Title, "title", "Internet access", "`text` above each code, of html")
	f.StringVar(&l.Note, "note", "", "`text` below each code, of html: how to get to the portal, say")
	f.BoolVar(&l.Thermal, "thermal", false, "for paper of 80 mm, one below the other, of html")
}

//go:embed vouchers.html
var vouchersPage string

// writeVouchersPage writes a page that needs nothing else.
func writeVouchersPage(w io.Writer, made *api.PortalMade, look voucherLook) error {
	page, err := template.New("vouchers").Parse(vouchersPage)
	if err != nil {
		return err
	}
	var good []string
	if made.Time > 0 {
		good = append(good, timeText(made.Time)+" from the first use")
	}
	if made.Bytes != nil {
		good = append(good, bytesText(made.Bytes))
	}
	if made.Devices > 0 {
		good = append(good, strconv.Itoa(made.Devices)+" device(s)")
	}
	if made.Valid != nil {
		good = append(good, "until "+made.Valid.Local().Format("2006-01-02 15:04"))
	}
	return page.Execute(w, map[string]any{"Made": made, "Look": look, "Good": strings.Join(good, " \u00b7 ")})
}

// writeVouchersCSV writes a line of names, and one for each voucher. Nothing in it is
// taken for a formula by a program of tables.
func writeVouchersCSV(w io.Writer, made *api.PortalMade) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	valid, volume := "", ""
	if made.Valid != nil {
		valid = made.Valid.UTC().Format(time.RFC3339)
	}
	if made.Bytes != nil {
		volume = strconv.FormatInt(*made.Bytes, 10)
	}
	rows := [][]string{{"number", "code", "batch", "seconds", "bytes", "devices", "valid_until"}}
	for _, v := range made.Vouchers {
		rows = append(rows, []string{
			strconv.FormatUint(v.Number, 10), v.Code, harmless(made.Name), strconv.FormatInt(made.Time, 10), volume, strconv.Itoa(made.Devices), valid,
		})
	}
	return out.WriteAll(rows)
}

// harmless puts an apostrophe before what would be a formula.
func harmless(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
