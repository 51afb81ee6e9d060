// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nftdict/dictd/config"
)

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good.toml", "fail = \"closed\"\n")
	bad := write("bad.toml", "fail = \"open\"\nfial = 1\n")
	theme := filepath.Join(dir, "theme")
	if err := os.Mkdir(theme, 0o755); err != nil {
		t.Fatal(err)
	}
	write("theme/terms.html", "{{define \"title\"}}\n{{.Nothing}}{{end}}{{define \"main\"}}{{end}}")
	const portal = "[portal]\nenable = true\ninterfaces = [\"lan0\"]\n"
	themed := write("themed.toml", portal+"theme = \""+theme+"\"\n")
	uncertain := write("uncertain.toml", portal+"certificate = \"/none\"\nkey = \"/none\"\n")
	for _, c := range []struct {
		args           []string
		status         int
		stdout, stderr string
	}{
		{[]string{"-help"}, exitDone, "Usage: dictd", ""},
		{[]string{"--help"}, exitDone, "Examples:", ""},
		{[]string{"-version"}, exitDone, "dictd unknown\n", ""},
		{[]string{"-print-config"}, exitDone, config.Example(), ""},
		{[]string{"-check", "-config", good}, exitDone, "", ""},
		{[]string{"-check", "-config", bad}, exitFailed, "", bad + `:2:1: key "fial": unknown`},
		{[]string{"-check", "-config", themed}, exitDone, "", theme + ": terms.html:2:"},
		{[]string{"-check", "-config", uncertain}, exitFailed, "", "/none: no such file"},
		{[]string{"-config", bad}, exitFailed, "", `key "fial": unknown`},
		{[]string{"-check", "-config", filepath.Join(dir, "none")}, exitFailed, "", "no such file"},
		{[]string{"-nonsense"}, exitUsage, "", "Usage: dictd"},
		{[]string{"start"}, exitUsage, "", `unexpected word "start"`},
	} {
		var stdout, stderr bytes.Buffer
		status := run(context.Background(), c.args, &stdout, &stderr)
		if status != c.status || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
			t.Errorf("dictd %q: status %d\nstdout %s\nstderr %s\nwant status %d, %q, %q",
				c.args, status, &stdout, &stderr, c.status, c.stdout, c.stderr)
		}
		if c.stdout == "" && stdout.Len() > 0 || c.stderr == "" && stderr.Len() > 0 {
			t.Errorf("dictd %q prints too much: %s%s", c.args, &stdout, &stderr)
		}
	}
}
