// SPDX-License-Identifier: MIT

package session

import (
	"hash/maphash"
	"strings"

	"nftdict/classifier"
	"nftdict/dict"
)

// view is what the classifier's result is to the dictionary.
type view struct {
	told, inferred named
	result         classifier.Result
}

// named is an application as the row tells it.
type named struct {
	id, title, chain, detail, category string
	confidence                         int
	rating                             classifier.Rating
}

func viewOf(r classifier.Result) view {
	v := view{result: r, told: named{
		id: r.Application, title: r.Title(), chain: r.Chain, detail: r.Detail, category: r.Category,
		confidence: r.Confidence, rating: r.Rating(),
	}}
	if r.Inferred {
		// No packet has named it: that is what the fields *_inferred are for.
		v.inferred = v.told
		v.inferred.detail = r.Hint
		v.told = named{id: strings.ToUpper(r.Protocol), title: r.Protocol, detail: r.Detail, chain: strings.TrimSuffix(r.Chain, "/"+r.Application)}
		v.told.rating = classifier.RateApplication(v.told.id, "")
	}
	return v
}

// view returns what the classifier knows. Of a session whose beginning an
// earlier daemon saw, the row knows more, unless packets name it again.
func (s *Session) view() view {
	if s.claimed && !s.Class.Learned() {
		return view{}
	}
	return viewOf(s.Class.Result())
}

// written remembers what a session's cells were, while they may change: a hash
// of each, in the order in which diff comes to them.
type written struct {
	seed        maphash.Seed
	sums        []uint32 // without the zeros at the end
	certificate *classifier.Certificate
}

// diff appends to a row the cells that are not as they were written.
type diff struct {
	cells []dict.Cell
	was   *written // nil: none was
	next  int
}

// changed notes the hash of the next cell, 0 if it is not known, and reports
// whether it is another.
func (d *diff) changed(sum uint32) bool {
	if d.was == nil {
		return sum != 0
	}
	d.next++
	if d.next > len(d.was.sums) {
		if sum == 0 {
			return false
		}
		d.was.sums = append(d.was.sums, make([]uint32, d.next-len(d.was.sums))...)
	}
	was := &d.was.sums[d.next-1]
	changed := *was != sum
	*was = sum
	return changed
}

// text appends a string, unless it is empty: what is no longer known keeps its
// cell. One that is no value of a dictionary is evidence only.
func (d *diff) text(field, s string) {
	if d.changed(d.sum(s)) && s != "" {
		d.value(field, s)
	}
}

// sum returns the hash of a string, 0 of an empty one alone.
func (d *diff) sum(s string) uint32 {
	switch {
	case s == "":
		return 0
	case d.was == nil:
		return 1
	}
	return uint32(maphash.String(d.was.seed, s)) | 1
}

func (d *diff) value(field, s string) {
	if v, err := dict.StringValue(s); err == nil {
		d.cells = append(d.cells, dict.Cell{Field: field, Value: v})
	}
}

// number appends a number; known says that it is one.
func (d *diff) number(field string, n int, known bool) {
	sum := uint32(0)
	if known {
		sum = uint32(n) + 1
	}
	if d.changed(sum) && known {
		d.cells = append(d.cells, dict.Cell{Field: field, Value: dict.IntValue(int32(n))})
	}
}

// view appends the cells of v.
func (d *diff) view(v *view) {
	d.text("application", v.told.id)
	d.text("application_name", v.told.title)
	d.text("application_protochain", v.told.chain)
	d.text("application_detail", v.told.detail)
	d.text("application_category", v.told.category)
	known := v.told.id != ""
	d.number("application_confidence", v.told.confidence, known)
	d.number("application_productivity", int(v.told.rating.Productivity), known)
	d.number("application_risk", int(v.told.rating.Risk), known)
	d.text("application_inferred", v.inferred.id)
	d.text("application_name_inferred", v.inferred.title)
	d.text("application_protochain_inferred", v.inferred.chain)
	d.text("application_detail_inferred", v.inferred.detail)
	d.text("application_category_inferred", v.inferred.category)
	known = v.inferred.id != ""
	d.number("application_confidence_inferred", v.inferred.confidence, known)
	d.number("application_productivity_inferred", int(v.inferred.rating.Productivity), known)
	d.number("application_risk_inferred", int(v.inferred.rating.Risk), known)
	r := &v.result
	d.text("ssl_sni", r.SNI)
	d.text("tls_version", r.TLSVersion)
	d.text("alpn", join(r.ALPN))
	d.text("alpn_chosen", r.ALPNChosen)
	d.text("ja3", r.JA3)
	d.text("ja3s", r.JA3S)
	d.text("ja4", r.JA4)
	d.text("quic_version", r.QUICVersion)
	d.text("http_user_agent", r.UserAgent)
	d.text("http_url", r.URL)
	d.text("ssh_banner", r.SSHBanner)
	d.text("server_dns_hint", r.Hint)
	d.text("client_dns_hint", r.ClientHint)
	d.lookup(r.Lookup)
	if d.was == nil || d.was.certificate != r.Certificate {
		d.certificate(r.Certificate)
	}
	if d.was != nil {
		d.was.certificate = r.Certificate
	}
}

// lookup appends the service that was asked for last. Its cell does not stay
// when another name is asked for: rules that refuse lookups mean this one.
func (d *diff) lookup(service string) {
	if d.changed(d.sum(service)) {
		d.value("lookup_application", service)
	}
}

// certificate appends the cells of a certificate, which never changes.
func (d *diff) certificate(c *classifier.Certificate) {
	if c == nil {
		return
	}
	text := func(field, s string) {
		if s != "" {
			d.value(field, s)
		}
	}
	s, i := &c.Subject, &c.Issuer
	text("certificate_subject_cn", s.CN)
	text("certificate_subject_sn", s.SN)
	text("certificate_subject_c", s.C)
	text("certificate_subject_o", s.O)
	text("certificate_subject_ou", s.OU)
	text("certificate_subject_l", s.L)
	text("certificate_subject_p", s.P)
	text("certificate_subject_sa", s.SA)
	text("certificate_subject_pc", s.PC)
	text("certificate_issuer_cn", i.CN)
	text("certificate_issuer_sn", i.SN)
	text("certificate_issuer_c", i.C)
	text("certificate_issuer_o", i.O)
	text("certificate_issuer_ou", i.OU)
	text("certificate_issuer_l", i.L)
	text("certificate_issuer_p", i.P)
	text("certificate_issuer_sa", i.SA)
	text("certificate_issuer_pc", i.PC)
	text("certificate_issuer_san", join(c.IssuerNames))
	names := join(c.Names)
	text("certificate_subject_san", names)
	text("cert_dns_names", names)
}

// join returns names with commas between, as many whole ones as a value of a
// dictionary holds.
func join(names []string) string {
	n := -1
	for i, name := range names {
		if n+1+len(name) > dict.MaxString {
			names = names[:i]
			break
		}
		n += 1 + len(name)
	}
	return strings.Join(names, ",")
}
