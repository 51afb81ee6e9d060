// SPDX-License-Identifier: MIT

package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"nftdict/classifier"
	"nftdict/classifier/pcap"
)

const classifyLong = `Reads captures (pcap or pcapng; - is standard input) and tells what each
connection in them is, with the classifier that dictd uses. Nothing is sent and
no table is read or written; no rights are needed.

One line a connection: transport, the side that sent the first packet, the other
side, protocol, application, category, confidence in percent, and the name that
told. What is not known is shown as "-". Every file is looked at by itself. A
connection in an IP tunnel (IP in IP) is told by its own addresses; one in
another kind of tunnel only with --tunnels.

With --countries two more columns say in which country each side is: XL for a
private address, XU for one not known. --explain and -j tell them, too, and of
captures of Ethernet the hardware addresses with their makers: those of the link,
so of a side behind a router the router's.`

const classifyExample = `  dictctl classify capture.pcap
  dictctl classify --explain capture.pcap
  dictctl classify --explain --countries GeoLite2-Country.mmdb capture.pcap
  dictctl classify --csv captures/*.pcap > flows.csv`

// maxShown is the longest string printed, in bytes: no value of a table limits
// what is only shown.
const maxShown = 1024

// classifyOptions choose the form of the output.
type classifyOptions struct {
	csv, explain, tunnels bool
	written               int // files so far
	places                places
	domains               *classifier.Domains
}

func (c *ctl) classifyCommand() *cobra.Command {
	var o classifyOptions
	cmd := &cobra.Command{
		Use:     "classify [--csv|--explain] [--countries FILE] [--tunnels] [--vendors FILE]... FILE...",
		Short:   "tell what the connections in a capture are",
		Long:    classifyLong,
		Example: classifyExample,
		Args:    words(1, -1, "FILE"),
		RunE: func(_ *cobra.Command, files []string) error {
			if o.csv && (o.explain || c.json || o.places.countries != "") {
				return usagef("--csv goes with none of --explain, --countries and -j")
			}
			if err := o.places.open(c); err != nil {
				return err
			}
			var failed error
			for _, f := range files {
				if err := c.classify(f, &o); err != nil {
					failed = errors.Join(failed, fmt.Errorf("classify %s: %w", f, err))
				}
			}
			return failed
		},
	}
	cmd.Flags().BoolVar(&o.csv, "csv", false, "print comma-separated values under a line of names")
	cmd.Flags().BoolVar(&o.explain, "explain", false, "print what led to each result")
	cmd.Flags().BoolVar(&o.tunnels, "tunnels", false, "look into GRE, GTP-U, VXLAN, Geneve, L2TP, Teredo and EtherIP, too")
	cmd.Flags().StringVar(&o.places.countries, "countries", "", "a database of countries in MaxMind's format, a `file`")
	vendorsFlag(cmd, &o.places)
	return cmd
}

// classify reads one capture and prints what it holds, as far as it can be
// read.
func (c *ctl) classify(file string, o *classifyOptions) error {
	in, name := c.Stdin, "-"
	if file != "-" {
		f, err := os.Open(c.path(file))
		if err != nil {
			return errors.Unwrap(err) // the caller names the file
		}
		defer f.Close()
		in, name = f, filepath.Base(file)
	}
	if o.domains == nil {
		o.domains = classifier.BuiltinDomains()
	}
	looker := classifier.New(classifier.Options{Domains: o.domains, Certificates: true, Lookups: true, MaxString: maxShown, Hints: classifier.NewHints(classifier.HintsOptions{}), Relations: classifier.NewRelations(classifier.RelationsOptions{})})
	r, err := pcap.Classify(in, looker, pcap.Options{Tunnels: o.tunnels})
	if r == nil {
		return err
	}
	if r.Refused > 0 {
		fmt.Fprintf(c.Stderr, "%s: %d packets of connections beyond the first %d were left out\n", name, r.Refused, len(r.Flows))
	}
	first := o.written == 0
	o.written++
	switch {
	case o.csv:
		return errors.Join(err, pcap.WriteCSV(c.Stdout, name, r.Flows, first))
	case c.json:
		return errors.Join(err, c.printFlowsJSON(name, r, o))
	}
	return errors.Join(err, c.printFlows(r, o))
}

// printFlows prints one line a connection, and its evidence below it.
func (c *ctl) printFlows(r *pcap.Report, o *classifyOptions) error {
	w := tabwriter.NewWriter(c.Stdout, 0, 8, 2, ' ', 0)
	for _, f := range r.Flows {
		res := f.Result
		application, confidence := res.Application, "-"
		if res.Inferred {
			application += "?"
		}
		if res.Confidence > 0 {
			confidence = fmt.Sprintf("%d%%", res.Confidence)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s", transportName(f.Proto), f.A, f.B,
			dash(res.Protocol), dash(application), dash(res.Category), confidence, dash(res.Detail))
		if o.places.table != nil {
			fmt.Fprintf(w, "\t%s\t%s", o.places.at(f.A.Addr()).country, o.places.at(f.B.Addr()).country)
		}
		fmt.Fprintln(w)
		if !o.explain {
			continue
		}
		if err := w.Flush(); err != nil {
			return err
		}
		a, b, err := o.places.ends(c, f)
		if err != nil {
			return err
		}
		for _, e := range []end{a, b} {
			if text := e.String(); text != "" {
				fmt.Fprintf(c.Stdout, "    %s\n", text)
			}
		}
		c.printEvidence(c.Stdout, f.Evidence())
	}
	return w.Flush()
}

// printEvidence prints the steps of a result, indented.
func (c *ctl) printEvidence(w io.Writer, steps []classifier.Evidence) {
	for _, e := range steps {
		at := "before"
		if e.Packet > 0 {
			at = fmt.Sprintf("packet %d", e.Packet)
		}
		fmt.Fprintf(w, "    %s: %s", at, e.Rule)
		if e.Seen != "" {
			fmt.Fprintf(w, " %s", e.Seen)
		}
		if e.Confidence > 0 {
			fmt.Fprintf(w, " (%d%%)", e.Confidence)
		}
		fmt.Fprintln(w)
	}
}

// flowJSON is a connection as -j prints it. Fields are added, never renamed.
type flowJSON struct {
	Transport   string                `json:"transport"`
	A           string                `json:"a"`
	B           string                `json:"b"`
	Protocol    string                `json:"protocol,omitempty"`
	Application string                `json:"application,omitempty"`
	Inferred    bool                  `json:"inferred,omitempty"`
	Category    string                `json:"category,omitempty"`
	Confidence  int                   `json:"confidence"`
	Detail      string                `json:"detail,omitempty"`
	Chain       string                `json:"chain"`
	SNI         string                `json:"sni,omitempty"`
	ALPN        []string              `json:"alpn,omitempty"`
	JA4         string                `json:"ja4,omitempty"`
	Result      *classifier.Result    `json:"result"`
	PacketsAB   int                   `json:"packets_ab"`
	PacketsBA   int                   `json:"packets_ba"`
	BytesAB     int64                 `json:"bytes_ab"`
	BytesBA     int64                 `json:"bytes_ba"`
	MACA        string                `json:"mac_a,omitempty"`
	MACB        string                `json:"mac_b,omitempty"`
	VendorA     string                `json:"vendor_a,omitempty"`
	VendorB     string                `json:"vendor_b,omitempty"`
	CountryA    string                `json:"country_a,omitempty"`
	CountryB    string                `json:"country_b,omitempty"`
	Evidence    []classifier.Evidence `json:"evidence,omitempty"`
}

// printFlowsJSON prints one object a capture.
func (c *ctl) printFlowsJSON(name string, r *pcap.Report, o *classifyOptions) error {
	flows := make([]flowJSON, len(r.Flows))
	for i, f := range r.Flows {
		res := f.Result
		a, b, err := o.places.ends(c, f)
		if err != nil {
			return err
		}
		flows[i] = flowJSON{
			Transport: transportName(f.Proto), A: f.A.String(), B: f.B.String(),
			Protocol: res.Protocol, Application: res.Application, Inferred: res.Inferred, Category: res.Category,
			Confidence: res.Confidence, Detail: res.Detail, Chain: res.Chain,
			SNI: res.SNI, ALPN: res.ALPN, JA4: res.JA4, Result: res,
			PacketsAB: f.PacketsAB, PacketsBA: f.PacketsBA, BytesAB: f.BytesAB, BytesBA: f.BytesBA,
			MACA: a.mac, MACB: b.mac, VendorA: a.vendor, VendorB: b.vendor, CountryA: a.country, CountryB: b.country,
			Evidence: f.Evidence(),
		}
	}
	return json.NewEncoder(c.Stdout).Encode(map[string]any{
		"file": name, "packets": r.Packets, "not_ip": r.NotIP, "malformed": r.Malformed, "fragments": r.Fragments, "refused": r.Refused,
		"flows": flows,
	})
}

// transportName names an IP protocol as captures' listings do.
func transportName(proto uint8) string {
	if name := classifier.ProtocolName(proto); name != "" {
		return name
	}
	return fmt.Sprint(proto)
}

// dash stands for what is not known.
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
