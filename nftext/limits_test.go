// SPDX-License-Identifier: MIT

package nftext_test

import (
	"errors"
	"strings"
	"testing"

	"nftdict/dict"
	"nftdict/nftext"
)

func TestLimits(t *testing.T) {
	set := func(n int) string {
		return "dict values mark i { " + strings.TrimSuffix(strings.Repeat("1, ", n), ", ") + " }"
	}
	// `dict values meta mark s "` and `"` are 26 bytes.
	text := func(n int) string { return `dict values mark s "` + strings.Repeat("a", n-26) + `"` }
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"items":       {set(nftext.MaxItems), nil},
		"more items":  {set(nftext.MaxItems + 1), dict.ErrTooLong},
		"many items":  {set(100_000), dict.ErrTooLong},
		"bytes":       {text(nftext.MaxText), nil},
		"more bytes":  {text(nftext.MaxText + 1), dict.ErrTooLong},
		"many bytes":  {text(10_000), dict.ErrTooLong},
		"many spaces": {"dict values mark s " + strings.Repeat(" ", 10_000) + "x", dict.ErrTooLong},
		"cut number":  {"dict values mark i" + strings.Repeat(" ", 4096-19) + "55", dict.ErrTooLong},
		"depth":       {"dict names dict names dict values mark s next i 5", nil},
		"more depth":  {"dict names " + strings.Repeat("dict names ", nftext.MaxDepth) + "mark s i 5", dict.ErrTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			term, n, err := nftext.Parse(c.text)
			if !errors.Is(err, c.want) {
				t.Fatalf("have %v, want %v", err, c.want)
			}
			if err == nil {
				if n != len(c.text) {
					t.Errorf("took %d of %d bytes", n, len(c.text))
				}
				checkRoundTrip(t, term)
			}
		})
	}
}

// TestEnd compares how much of the text a term takes.
func TestEnd(t *testing.T) {
	for _, text := range []string{
		"dict ct id flush|", "dict ct id flush| ", "dict ct id flush|;", "dict ct id flush|\n", "dict ct id flush|}",
		"dict ct id x exists| \\\n drop", "dict ct id x NETFLIX|;", "dict ct id x NETFLIX|}", `dict ct id x "a;b"| drop`,
		"dict ct id x { a, b }| drop", "dict ct id x {\n a, # b }\n b }|\ndrop", "dict ct id x 5|#6", "dict ct id x \\\n 5|\\\n drop",
		"dict ct id x set ip saddr| ip daddr 5", "dict ct id x set dict t mark y int| drop",
		"dict ct id x 5 - 6| - 7", "dict ct id x long_string 5| - 6",
	} {
		plain := strings.Replace(text, "|", "", 1)
		_, n, err := nftext.Parse(plain)
		if want := strings.Index(text, "|"); err != nil || n != want {
			t.Errorf("%q: took %d, %v, want %d", plain, n, err, want)
		}
	}
}
