// SPDX-License-Identifier: MIT

package nftext

import "strings"

// String returns `[TABLE] KEY FIELD [TYPE]`, without the word dict.
func (l *Lookup) String() string {
	var b strings.Builder
	if l.Table != "" {
		b.WriteString(l.Table + " ")
	}
	b.WriteString(l.Key.String() + " " + l.Field)
	if l.Type != 0 {
		b.WriteString(" " + l.Type.String())
	}
	return b.String()
}

// String returns the selector or the nested lookup with its word dict.
func (k *KeyExpr) String() string {
	if k.Nested != nil {
		return "dict " + k.Nested.String()
	}
	return k.Selector.String()
}

// String returns the canonical text of the match.
func (m *Match) String() string {
	var b strings.Builder
	b.WriteString("dict " + m.Lookup.String() + " ")
	if m.Op != Eq {
		b.WriteString(m.Op.String())
	}
	if m.Op == Exists || m.Op == Missing {
		return b.String()
	}
	if m.Op != Eq {
		b.WriteByte(' ')
	}
	items := make([]string, len(m.Items))
	for i, o := range m.Items {
		items[i] = o.String()
	}
	if list := strings.Join(items, ", "); m.Set {
		b.WriteString("{ " + list + " }")
	} else {
		b.WriteString(list)
	}
	return b.String()
}

// String returns the operand, in quotes if it was.
func (o Operand) String() string {
	if !o.Quoted {
		return o.Text
	}
	return `"` + o.Text + `"`
}

var verbText = [...]string{VerbSet: "set", VerbAdd: "add", VerbSub: "sub"}

// String returns the verb's word.
func (v Verb) String() string { return verbText[v] }

// String returns the canonical text of the statement.
func (a *Assign) String() string {
	s := "dict " + a.Lookup.String() + " " + a.Verb.String() + " "
	switch {
	case a.Nested != nil:
		return s + "dict " + a.Nested.String()
	case a.Source != 0:
		return s + a.Source.String()
	}
	return s + a.Value.String()
}

// String returns the canonical text of the statement.
func (f *Flush) String() string {
	s := "dict "
	if f.Table != "" {
		s += f.Table + " "
	}
	return s + f.Key.String() + " flush"
}
