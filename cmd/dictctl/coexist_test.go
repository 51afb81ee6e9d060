// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"nftdict/internal/backend"
	"nftdict/internal/need"
)

// manual returns docs/rules.md.
func manual(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// kindOf tells which backend a namespace's tables are in.
func kindOf(t *testing.T, netns string) (kind string) {
	t.Helper()
	err := within(netns, func() error {
		b, err := backend.Open(backend.Auto, backend.Options{})
		if err != nil {
			return err
		}
		kind = b.Kind
		return b.Store.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	return kind
}

const shared = `table inet mine {
	chain forward {
		type filter hook forward priority filter; policy accept;
		dict sessions ct id application "NETFLIX" drop
		dict hosts ip saddr username missing counter packets 0 bytes 0 comment "who"
		ip saddr 10.0.0.1 accept
	}
}
`

// TestBesideNft: what nft alone shows of rules with terms, and what becomes of
// them when it saves and loads, is what the manual says.
func TestBesideNft(t *testing.T) {
	need.Program(t, "nft")
	netns := newNamespace(t)
	kmod := kindOf(t, netns) == backend.Kmod
	feed(t, netns, shared, "nft", "-f", "-")
	run(t, netns, 0, "set", "hosts", "10.0.0.1", "username", "bob")
	all := func() string {
		t.Helper()
		out, _ := run(t, netns, 0, "nft", "list", "ruleset")
		return out
	}
	if all() != shared {
		t.Fatal(all())
	}

	const guard = `" only dictctl nft can show and save this rule`
	if !strings.Contains(manual(t), guard) {
		t.Errorf("the manual does not have the comment %s", guard)
	}
	text, doc := nftAlone(t, netns, []string{"list", "ruleset"}), nftAlone(t, netns, []string{"-j", "list", "ruleset"})
	for _, shows := range []outcome{text, doc} {
		if shows.status != 0 || !strings.Contains(shows.stdout, "10.0.0.1") || strings.Contains(shows.stdout, "NETFLIX") {
			t.Errorf("nft shows %d\n%s", shows.status, shows.stdout)
		}
	}
	if n := strings.Count(text.stdout, guard); kmod && n != 0 || !kmod && n != 2 {
		t.Errorf("%d rules are marked\n%s", n, text.stdout)
	}
	if n := strings.Count(doc.stdout, `{"rule": `); kmod && n != 1 || !kmod && n != 3 {
		t.Errorf("%d rules in the document\n%s", n, doc.stdout)
	}

	// Rules of others come and go in the same chain.
	for _, words := range []string{"add rule inet mine forward tcp dport 80 accept", "delete rule inet mine forward handle 4"} {
		if o := nftAlone(t, netns, strings.Fields(words)); o.status != 0 {
			t.Errorf("nft %s: %s", words, o.stderr)
		}
	}
	if o := nftAlone(t, netns, strings.Fields("delete rule inet mine forward handle 2")); o.status != 0 || strings.Contains(all(), "NETFLIX") || !strings.Contains(all(), "dport 80") {
		t.Errorf("%s%s", o.stderr, all())
	}
	run(t, netns, 0, "nft", "flush ruleset")
	feed(t, netns, shared, "nft", "-f", "-")

	// Save and load.
	dir := t.TempDir()
	for name, content := range map[string]string{"text": "flush ruleset\n" + text.stdout, "json": strings.Replace(doc.stdout, `[`, `[{"flush": {"ruleset": null}}, `, 1)} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		args := []string{"-f", file}
		if name == "json" {
			args = append([]string{"-j"}, args...)
		}
		o := nftAlone(t, netns, args)
		switch {
		case kmod && (o.status != 0 || strings.Contains(all(), "dict") || !strings.Contains(all(), "10.0.0.1")):
			t.Errorf("%s: %d %s\n%s", name, o.status, o.stderr, all())
		case !kmod && (o.status != 1 || all() != shared):
			t.Errorf("%s: %d %s\n%s", name, o.status, o.stderr, all())
		}
		run(t, netns, 0, "nft", "flush ruleset")
		feed(t, netns, shared, "nft", "-f", "-")
	}

	// Rows are no part of it.
	nftAlone(t, netns, []string{"flush", "ruleset"})
	if got, _ := run(t, netns, 0, "get", "hosts", "10.0.0.1", "username"); got != "bob\n" {
		t.Errorf("after flush ruleset: %q", got)
	}
}

// TestBesideIptables: iptables-nft leaves tables of other names alone, and is
// at odds with terms in its own.
func TestBesideIptables(t *testing.T) {
	iptables := need.Program(t, "iptables-nft")
	need.Program(t, "nft")
	netns := newNamespace(t)
	do := func(stdin, program string, args ...string) (int, string) {
		t.Helper()
		cmd := exec.Command("ip", append([]string{"netns", "exec", netns, program}, args...)...)
		cmd.Stdin = strings.NewReader(stdin)
		out, _ := cmd.CombinedOutput() // the status tells
		return cmd.ProcessState.ExitCode(), string(out)
	}
	mine := func() bool {
		out, _ := run(t, netns, 0, "nft", "list", "table", "inet", "mine")
		return out == shared
	}
	feed(t, netns, shared, "nft", "-f", "-")
	for _, args := range [][]string{{"-A", "FORWARD", "-s", "10.0.0.2", "-j", "DROP"}, {"-F"}, {"-X"}} {
		if status, out := do("", iptables, args...); status != 0 || !mine() {
			t.Errorf("iptables-nft %q: %s", args, out)
		}
	}
	_, saved := do("", iptables+"-save")
	if status, out := do(saved, iptables+"-restore"); status != 0 || !mine() {
		t.Errorf("iptables-nft-restore: %s", out)
	}
	rule := "add rule ip filter FORWARD dict sessions ct id application NETFLIX drop"
	run(t, netns, 0, "nft", rule)
	status, out := do("", iptables, "-S")
	refused := status != 0 && strings.Contains(out, "is incompatible, use 'nft' tool")
	if kmod := kindOf(t, netns) == backend.Kmod; kmod && (status != 0 || strings.Count(out, "FORWARD") != 1) || !kmod && !refused {
		t.Errorf("iptables-nft -S: %d %s", status, out)
	}
	if status, out := do("", iptables, "-F"); status != 0 {
		t.Errorf("iptables-nft -F: %s", out)
	}
	if out, _ := run(t, netns, 0, "nft", "list", "table", "ip", "filter"); strings.Contains(out, "dict") || !mine() {
		t.Errorf("after iptables-nft -F\n%s", out)
	}
}

// TestDropIn: systemd understands the drop-in of the manual, and what it starts
// loads the rules, with the mounts of its own that nftables.service has.
func TestDropIn(t *testing.T) {
	analyze, unshare := need.Program(t, "systemd-analyze"), need.Program(t, "unshare")
	need.Program(t, "nft")
	netns := newNamespace(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(asProgram, "1")
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return file
	}
	dropIn := ""
	for _, b := range blocks(manual(t)) {
		if strings.HasPrefix(b.text, "[Unit]\n") {
			dropIn = b.text
		}
	}
	unit := write("nftables.service", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/false\nExecReload=/bin/false\nExecStop=/bin/true\n", 0o600)
	write("nftables.service.d/dict.conf", strings.ReplaceAll(dropIn, "/usr/local/sbin/dictctl", self), 0o600)
	if out, err := exec.Command(analyze, "verify", "--man=no", unit).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}

	other := newNamespace(t) // where the tables were saved
	run(t, other, 0, strings.Fields("table add links key mark field label long_string")...)
	schema, _ := run(t, other, 0, "table", "list")
	rules := strings.ReplaceAll(shared, "hosts ip saddr username missing", "links meta mark label missing")
	files := strings.NewReplacer("/etc/nftdict.tables", write("tables", schema, 0o600), "/etc/nftables.conf", write("rules", rules, 0o600))
	for _, way := range []string{"ExecStart", "ExecReload"} {
		started := 0
		for line := range strings.Lines(dropIn) {
			key, command, _ := strings.Cut(strings.TrimSpace(line), "=")
			if args := strings.Fields(files.Replace(command)); len(args) > 0 && strings.HasPrefix(key, way) {
				started++
				cmd := exec.Command(unshare, append([]string{"-m", "--propagation", "slave", self, "--netns", netns}, args[1:]...)...)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%s: %v\n%s", command, err, out)
				}
			}
		}
		want := rules
		if way == "ExecReload" { // the file does not begin with flush ruleset
			want = strings.Replace(rules, "\t}\n", strings.Join(strings.SplitAfter(rules, "\n")[3:6], "")+"\t}\n", 1)
		}
		if got, _ := run(t, netns, 0, "nft", "list", "ruleset"); started != 2 || got != want {
			t.Errorf("%s: %d commands, loaded\n%s", way, started, got)
		}
	}

	// A file can be a program.
	script := write("script", "#!/usr/bin/env -S "+self+" --netns "+netns+" nft -f\nflush ruleset\n"+rules, 0o700)
	var out bytes.Buffer
	cmd := exec.Command(script)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Errorf("%v: %s", err, &out)
	}
	if got, _ := run(t, netns, 0, "nft", "list", "ruleset"); got != rules {
		t.Errorf("the script loaded\n%s", got)
	}
}
