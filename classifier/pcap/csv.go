// SPDX-License-Identifier: MIT

package pcap

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"nftdict/classifier"
)

// Columns are the names of the fields that Row returns.
func Columns() []string {
	return []string{
		"pcap", "l4", "ip_a", "port_a", "ip_b", "port_b",
		"master", "app", "category", "hostname", "confidence",
		"pkts_ab", "pkts_ba", "bytes_ab", "bytes_ba",
		"alpn_adv", "ja4", "http_ua", "http_url", "quic_version",
	}
}

// Row returns the flow as fields for Columns; file is the capture's name. What
// is unknown is empty. An application that rests on a hint alone is not in it.
func (f *Flow) Row(file string) []string {
	r := &f.Result
	app, category, confidence := r.Application, r.Category, r.Confidence
	if r.Inferred {
		app, category, confidence = strings.ToUpper(r.Protocol), "", 0
	}
	text := ""
	if confidence > 0 {
		text = strconv.Itoa(confidence)
	}
	host := r.SNI
	if host == "" {
		host = r.HTTPHost
	}
	if host == "" && r.Protocol == "DNS" {
		host = r.Detail
	}
	return []string{
		file, transport(f.Proto),
		f.A.Addr().String(), strconv.Itoa(int(f.A.Port())),
		f.B.Addr().String(), strconv.Itoa(int(f.B.Port())),
		r.Protocol, app, category, host, text,
		strconv.Itoa(f.PacketsAB), strconv.Itoa(f.PacketsBA),
		strconv.FormatInt(f.BytesAB, 10), strconv.FormatInt(f.BytesBA, 10),
		strings.Join(r.ALPN, ","), r.JA4, r.UserAgent, r.URL, r.QUICVersion,
	}
}

// WriteCSV writes a line for every flow of the capture called file, and before
// them the columns' names if header is set.
func WriteCSV(w io.Writer, file string, flows []*Flow, header bool) error {
	out := csv.NewWriter(w)
	if header {
		if err := out.Write(Columns()); err != nil {
			return err
		}
	}
	for _, f := range flows {
		if err := out.Write(f.Row(file)); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// transport names an IP protocol as the column l4 does.
func transport(proto uint8) string {
	if name := classifier.ProtocolName(proto); name != "" {
		return name
	}
	return strconv.Itoa(int(proto))
}
