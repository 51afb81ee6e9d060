// SPDX-License-Identifier: MIT

package quota

import (
	"errors"
	"slices"
	"strings"
	"time"

	"nftdict/dict"
	"nftdict/dictd/quota/plan"
)

// tables are those of the kinds of subjects.
var tables = [...]string{plan.User: dict.Users, plan.Device: dict.Devices, plan.Host: dict.Hosts, plan.Group: dict.Groups}

// ownFields are fields of a plan's own, with their types and the plans that have them.
var ownFields = [...]struct {
	name string
	typ  dict.Type
	has  func(*plan.Plan) bool
}{
	{"size", dict.Int64, (*plan.Plan).Own}, {"remaining", dict.Int64, (*plan.Plan).Own},
	{"exceeded", dict.Bool, (*plan.Plan).Own}, {"period", dict.Int64, (*plan.Plan).Own},
	{"bytes", dict.Int64, func(p *plan.Plan) bool { return p.Unit == plan.Seconds }},
	{"grace", dict.Int64, func(p *plan.Plan) bool { return !p.Except.Empty() }}, // of general plans, too
}

// makeFields adds the fields that plans need to the tables of their subjects.
func (m *Manager) makeFields(plans []*plan.Plan) error {
	for _, p := range plans {
		for kind, name := range tables {
			if !p.Has(plan.Kind(kind)) {
				continue
			}
			t, err := m.cfg.Store.Table(name)
			if err != nil {
				return err
			}
			var fields []dict.Field
			for _, f := range ownFields {
				if f.has(p) && t.Index(p.Field(f.name)) < 0 {
					fields = append(fields, dict.Field{Name: p.Field(f.name), Type: f.typ})
				}
			}
			if len(fields) == 0 {
				continue
			}
			if err := m.cfg.Store.AddFields(name, fields...); err != nil && !errors.Is(err, dict.ErrExist) {
				return err
			}
		}
	}
	return nil
}

// subject is one that may have budgets.
type subject struct {
	plan.Subject
	groups []string
}

// subjects returns who there is: those that plans name, and those that are known,
// as far as plans ask for all of a kind.
func (m *Manager) subjects() []subject {
	var all []subject
	there := make(map[plan.Subject]bool)
	add := func(s plan.Subject, groups []string) {
		if !there[s] {
			there[s] = true
			all = append(all, subject{s, groups})
		}
	}
	wants := func(ask func(plan.Whom) bool) bool {
		return slices.ContainsFunc(m.plans, func(p *plan.Plan) bool { return slices.ContainsFunc(p.For, ask) })
	}
	if wants(func(w plan.Whom) bool { return w.Kind == plan.User || w.Kind == plan.Group }) {
		for _, u := range m.cfg.Directory.Users() {
			add(plan.Subject{Kind: plan.User, Name: u.Name}, u.Groups)
		}
	}
	if wants(func(w plan.Whom) bool { return w.Kind == plan.Device && w.All }) {
		for _, d := range m.cfg.Directory.Devices() {
			add(plan.Subject{Kind: plan.Device, Name: d.MAC}, nil)
		}
	}
	if wants(func(w plan.Whom) bool { return w.Kind == plan.Host && w.All }) {
		for _, h := range m.cfg.Directory.Hosts() {
			if h.Address.IsLinkLocalUnicast() {
				continue // nothing of theirs is forwarded
			}
			add(plan.Subject{Kind: plan.Host, Name: h.Address.Unmap().String()}, nil)
		}
	}
	for _, p := range m.plans { // whom plans name is there, known or not
		for _, w := range p.For {
			if !w.All && !w.Members {
				add(plan.Subject{Kind: w.Kind, Name: w.Name}, nil)
			}
		}
	}
	return all
}

// refresh opens budgets of subjects that have come, and ends those of subjects
// that have gone; they are kept in the file until their period is over.
func (m *Manager) refresh() {
	wanted := make(map[id]struct{}, len(m.budgets))
	groups := make(map[string]string)
	for _, s := range m.subjects() {
		key, err := s.Key()
		if err != nil {
			continue // nobody of such a name comes this far
		}
		for _, p := range m.plans {
			i := idOf(s.Subject, p)
			if _, first := wanted[i]; first || !p.Covers(s.Subject, s.groups) {
				continue // the first plan of those that share fields is the one
			}
			wanted[i] = struct{}{}
			if b := m.budgets[i]; b == nil || b.plan.Unit != p.Unit {
				if b != nil {
					m.count(b, false)
				}
				m.budgets[i] = &budget{id: i, key: key, plan: p}
			} else {
				b.plan = p
			}
		}
		if s.Kind == plan.User {
			if group := m.shared(s); group != "" {
				groups[s.Name] = group
			}
		}
	}
	for name := range m.groups {
		if key, err := dict.StringKey(name); err == nil && groups[name] == "" {
			m.forget(dict.Users, key, "quota_group")
		}
	}
	m.groups = groups
	now := m.cfg.Clock()
	for i, b := range m.budgets {
		if _, ok := wanted[i]; !ok {
			m.leave(b, now)
			delete(m.budgets, i)
		}
	}
	m.tidy(now)
}

// shared returns the group whose budget a user shares, "" if there is none.
func (m *Manager) shared(s subject) string {
	for _, p := range m.plans {
		for _, w := range p.For {
			if p.Shared && slices.Contains(s.groups, w.Name) {
				return w.Name
			}
		}
	}
	return ""
}

// lead has the row of a user lead to a group, unless it does.
func (m *Manager) lead(key dict.Key, r *dict.Row, group string) {
	if r != nil {
		if v, ok := r.Get("quota_group"); ok && v.Str() == group {
			return
		}
	}
	m.out.puts[dict.Users] = append(m.out.puts[dict.Users], dict.Row{Key: key, Cells: []dict.Cell{{Field: "quota_group", Value: dict.MustString(group)}}})
}

// leave takes a budget out of its row.
func (m *Manager) leave(b *budget, now time.Time) {
	m.count(b, false)
	if b.Plan == "" {
		return
	}
	if b.plan.Unit == plan.Bytes {
		b.Remaining -= b.owed
	}
	fields := []string{b.field("size"), b.field("remaining"), b.field("exceeded"), b.field("period")}
	if m.near[b.id.subject] == 0 {
		fields = append(fields, NoOffload)
	}
	if !b.plan.Except.Empty() {
		fields = append(fields, b.field("grace"))
	}
	if !b.plan.Own() {
		fields = append(fields, "quota_plan")
	} else if b.plan.Unit == plan.Seconds {
		fields = append(fields, b.field("bytes"))
	}
	m.forget(b.id.subject.Kind.Table(), b.key, fields...)
	b.Left = now.UTC()
	m.saved[b.id], m.left[b.id] = b.record, b.record
}

// forget deletes fields of a row, and the row if nothing is left of it.
func (m *Manager) forget(table string, key dict.Key, fields ...string) {
	for _, f := range fields {
		if err := m.cfg.Store.Delete(table, key, f); err != nil && !errors.Is(err, dict.ErrNotExist) {
			m.cfg.Log.Error("a field of a budget that is gone cannot be deleted", "field", f, "err", err)
		}
	}
	if r, err := m.cfg.Store.Get(table, key); err == nil && len(r.Cells) == 0 {
		_ = m.cfg.Store.Delete(table, key) // it may have come back; an empty row does no harm
	}
}

// sweep deletes from all rows what plans have left there that are gone.
func (m *Manager) sweep() error {
	type cell struct {
		table string
		key   dict.Key
		field string
	}
	var stale []cell
	for kind, table := range tables {
		for r, err := range m.cfg.Store.Rows(table) {
			if err != nil {
				return err
			}
			_, ours := r.Get("quota_plan")
			for _, c := range r.Cells {
				if strings.HasPrefix(c.Field, "quota_") && !m.keeps(plan.Kind(kind), r.Key, c.Field, ours) {
					stale = append(stale, cell{table, r.Key, c.Field})
				}
			}
		}
	}
	for _, c := range stale {
		m.forget(c.table, c.key, c.field)
	}
	m.clean = true
	return nil
}

// keeps reports whether a field of a row is somebody's: of a budget, or not of
// dictd at all.
func (m *Manager) keeps(kind plan.Kind, key dict.Key, field string, ours bool) bool {
	s := plan.Subject{Kind: kind, Name: key.String()}
	if field == "quota_group" {
		return m.groups[s.Name] != ""
	}
	switch field {
	case "quota_size", "quota_remaining", "quota_exceeded", "quota_period", "quota_plan":
		return !ours || m.budgets[id{subject: s}] != nil
	case "quota_grace":
		b := m.budgets[id{subject: s}]
		return !ours || b != nil && !b.plan.Except.Empty()
	}
	for _, f := range ownFields {
		if name, ok := strings.CutSuffix(strings.TrimPrefix(field, "quota_"), "_"+f.name); ok {
			b := m.budgets[id{s, name}]
			return b != nil && f.has(b.plan)
		}
	}
	return true
}
