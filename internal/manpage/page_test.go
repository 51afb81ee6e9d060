// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nftdict/internal/need"
)

// body converts a document and returns what stands behind the head.
func body(t *testing.T, src string) string {
	t.Helper()
	page, err := Page{Name: "x", Section: "7", Date: "2026-01-02", About: "y"}.Convert(src)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "x \\- y\n")
	return rest
}

func TestConvert(t *testing.T) {
	for name, c := range map[string]struct{ src, want string }{
		"headings":   {"# Title\n\n## A part\n\ntext\n### Sub-part\n", ".SH A PART\ntext\n.SS Sub\\-part\n"},
		"paragraphs": {"## A\n\none\ntwo\n\nthree\n", ".SH A\none two\n.PP\nthree\n"},
		"marks":      {"## A\n\na `b-c\\d` **e** [f](g.md) 'h'\n", ".SH A\na \\fBb\\-c\\ed\\fR \\fBe\\fR f \\(aqh\\(aq\n"},
		"requests":   {"## A\n\n.a\n\n    .b\n    'c'\n\n    d\n", ".SH A\n\\&.a\n.PP\n.nf\n.RS 4\n\\&.b\n\\(aqc\\(aq\n\nd\n.RE\n.fi\n"},
		"list":       {"## A\n\n- b\n  c\n- d\n\ne\n", ".SH A\n.IP \\(bu 2\nb c\n.IP \\(bu 2\nd\n.PP\ne\n"},
		"table": {"## A\n\n| a | b |\n|---|---|\n| `c\\|d` | a text that is too long for its column |\n",
			".SH A\n.TS\nl lx.\n\\fIa\\fR\t\\fIb\\fR\n_\n\\fBc|d\\fR\tT{\na text that is too long for its column\nT}\n.TE\n"},
	} {
		if d := cmp.Diff(c.want, body(t, c.src)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestConvertRefuses(t *testing.T) {
	for src, line := range map[string]string{
		"a\n\n```\nb\n```\n":        "3: ",
		"#### A\n":                  "1: ",
		"1. a\n":                    "1: ",
		"- a\n  - b\n":              "1: ",
		"   a\n":                    "1: ",
		"| a | b |\n| c | d |\n":    "1: ",
		"| a |\n|---|\n| b | c |\n": "1: ",
	} {
		_, err := Page{Name: "x", Section: "7"}.Convert(src)
		if err == nil || !strings.HasPrefix(err.Error(), line) {
			t.Errorf("%q: %v", src, err)
		}
	}
}

// TestPages: each manual page is what its source becomes, and a formatter has
// nothing to say about it.
func TestPages(t *testing.T) {
	made := regexp.MustCompile(`go run ./internal/manpage (\S+) (\S+) (\S+) "([^"]+)" (\S+) >(\S+)`)
	script, err := os.ReadFile("../generate.sh")
	if err != nil {
		t.Fatal(err)
	}
	calls := made.FindAllStringSubmatch(string(script), -1)
	if len(calls) == 0 {
		t.Fatal("generate.sh makes no page")
	}
	for _, c := range calls {
		src, err := os.ReadFile("../../" + c[5])
		if err != nil {
			t.Fatal(err)
		}
		want, err := Page{Name: c[1], Section: c[2], Date: c[3], About: c[4]}.Convert(string(src))
		if err != nil {
			t.Fatalf("%s:%v", c[5], err)
		}
		got, err := os.ReadFile("../../" + c[6])
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what %s becomes: run make generate", c[6], c[5])
		}
	}
	pages, err := filepath.Glob("../../docs/man/*")
	if err != nil || len(pages) < 2 {
		t.Fatal(pages, err)
	}
	for _, page := range pages {
		out, err := exec.Command(need.Program(t, "groff"), "-t", "-man", "-ww", "-Tutf8", "-z", page).CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", page, err, out)
		}
	}
}
