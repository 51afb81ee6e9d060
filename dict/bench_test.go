// SPDX-License-Identifier: MIT

package dict_test

import (
	"io"
	"strings"
	"testing"

	"nftdict/dict"
)

// sessionRow returns a row as the daemon writes them.
func sessionRow() (dict.Table, dict.Row) {
	return dict.Standard(1)[0], dict.Row{Key: dict.CtID(5), Cells: []dict.Cell{
		{Field: "application", Value: dict.MustString("NETFLIX")}, {Field: "application_category", Value: dict.MustString("video")},
		{Field: "client_address", Value: dict.AddrValue(netipAddr("192.168.1.77"))}, {Field: "client_port", Value: dict.IntValue(51234)},
	}}
}

func BenchmarkCheckRow(b *testing.B) {
	t, r := sessionRow()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := t.CheckRow("set", r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendRow(b *testing.B) {
	t, r := sessionRow()
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = dict.AppendRow(buf[:0], &t, r)
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkParser(b *testing.B) {
	t, r := sessionRow()
	text := strings.Repeat(string(dict.AppendRow(nil, &t, r))+"\n", 1000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		p := dict.NewParser(strings.NewReader(text))
		for {
			st, err := p.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			if _, err := st.(*dict.SetStmt).Row(&t); err != nil {
				b.Fatal(err)
			}
		}
	}
}
