// SPDX-License-Identifier: MIT

package pcap

import (
	"encoding/csv"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"nftdict/classifier"
)

// Columns are the names of the fields that Row returns: those of the truth that
// the classifier is measured with. What it does not know yet stays empty.
func Columns() []string {
	return []string{
		"pcap", "l4", "ip_a", "port_a", "ip_b", "port_b", "vlan",
		"master", "app", "master_id", "app_id", "category", "hostname", "confidence", "proto_by_ip", "encrypted",
		"pkts_ab", "pkts_ba", "bytes_ab", "bytes_ba",
		"tls_version", "alpn_adv", "alpn_neg", "ja3", "ja3s", "ja4", "cert_subject", "cert_names",
		"http_ua", "http_url", "quic_version", "tcp_fp", "risks",
	}
}

// Row returns the flow as fields for Columns; file is the capture's name. What
// is unknown is empty. An application that rests on a hint alone is not in it.
func (f *Flow) Row(file string) []string {
	r := f.Result
	known := map[string]string{
		"pcap": file, "l4": transport(f.Proto),
		"ip_a": f.A.Addr().String(), "port_a": strconv.Itoa(int(f.A.Port())),
		"ip_b": f.B.Addr().String(), "port_b": strconv.Itoa(int(f.B.Port())),
		"master": r.Protocol, "app": r.Application, "category": r.Category, "hostname": f.host(),
		"pkts_ab": strconv.Itoa(f.PacketsAB), "pkts_ba": strconv.Itoa(f.PacketsBA),
		"bytes_ab": strconv.FormatInt(f.BytesAB, 10), "bytes_ba": strconv.FormatInt(f.BytesBA, 10),
		"tls_version": r.TLSVersion, "alpn_adv": strings.Join(r.ALPN, ","), "alpn_neg": r.ALPNChosen,
		"ja3": r.JA3, "ja3s": r.JA3S, "ja4": comparableJA4(r),
		"http_ua": r.UserAgent, "http_url": r.URL, "quic_version": r.QUICVersion,
	}
	if c := r.Certificate; c != nil {
		known["cert_subject"], known["cert_names"] = c.Subject.CN, strings.Join(c.Names, ",")
	}
	confidence := r.Confidence
	if r.Inferred {
		known["app"], known["category"], confidence = strings.ToUpper(r.Protocol), "", 0
	}
	if confidence > 0 {
		known["confidence"] = strconv.Itoa(confidence)
	}
	switch r.Protocol {
	case "":
	case "TLS", "QUIC", "SSH":
		known["encrypted"] = "1"
	default:
		known["encrypted"] = "0"
	}
	row := Columns()
	for i, column := range row {
		row[i] = known[column]
	}
	return row
}

// host returns the name that the flow told of its server: of a flow of DNS,
// whose result has the last name asked for, the first that was answered.
func (f *Flow) host() string {
	r := f.Result
	switch {
	case r.SNI != "":
		return r.SNI
	case r.HTTPHost != "":
		return r.HTTPHost
	case r.Protocol == "DNS":
		for _, e := range f.Evidence() {
			if e.Rule == "dns/answered" {
				return e.Seen
			}
		}
	case r.Protocol == "SSH":
		return ""
	}
	return r.Detail
}

// comparableJA4 returns the fingerprint as the truth's column has it, which
// differs from JA4's own text in two places: a hello without a server name
// counts as one for a name, and only an address as none; and of the first
// protocol offered the first two characters are taken, not the first and last.
func comparableJA4(r *classifier.Result) string {
	if len(r.JA4) < 10 {
		return r.JA4
	}
	b := []byte(r.JA4)
	b[3] = 'd'
	if _, err := netip.ParseAddr(r.SNI); err == nil {
		b[3] = 'i'
	}
	if len(r.ALPN) > 0 && len(r.ALPN[0]) > 1 {
		copy(b[8:10], r.ALPN[0])
	}
	return string(b)
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
