// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nftdict/internal/backend"
	"nftdict/internal/need"
)

// A dict condition and a plain match that stands in its place for nft alone: as
// it is typed, as long as the condition so that columns are equal, and as nft
// lists it.
const (
	condition   = "dict values meta mark i 3356"
	plainTyped  = "meta iifname dictionary99999"
	plainListed = `iifname "dictionary99999"`
	plainJSON   = `{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "dictionary99999"}}`
	dictJSON    = `{"match": {"op": "==", "left": {"dict": {"table": "values", "key": {"meta": {"key": "mark"}}, "field": "i"}}, "right": 3356}}`
)

// What differs from run to run.
var (
	processes = regexp.MustCompile(`# progname \S+|process \d+ \([^)]*\)`)
	expiries  = regexp.MustCompile(`(expires(": )?)\s*[0-9smhd]+`)
	columns   = regexp.MustCompile(`(:\d+)-\d+: Error`)
	carets    = regexp.MustCompile(`\^+`)
	remedies  = regexp.MustCompile(`(?m)^remedy: .*\n`)
	usedUp    = regexp.MustCompile(`(unexpected) meta\b`)
)

// pair is two namespaces in the same state: in one nft acts, in the other
// dictctl nft.
type pair struct {
	nft, dictctl       string
	nftDir, dictctlDir string          // where they run
	spare              string          // for nft -c, which uses up handles
	conditions         map[string]bool // families whose rules may hold a condition
	runs               int
}

// newPair makes two namespaces and loads what the rules of the test data refer
// to.
func newPair(t *testing.T) *pair {
	t.Helper()
	need.Long(t)
	p := &pair{nft: withTables(t), dictctl: withTables(t), spare: withTables(t)}
	p.conditions = map[string]bool{"ip": true, "ip6": true, "inet": true, "bridge": true}
	err := within(p.dictctl, func() error {
		b, err := backend.Open(backend.Auto, backend.Options{})
		if err != nil {
			return err
		}
		p.conditions["arp"], p.conditions["netdev"] = b.Kind == backend.Kmod, b.Kind == backend.Kmod
		return b.Store.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	setup := bodyPath + "setup.nft"
	if got := p.compare(t, "", "-f", setup); got.status != 0 {
		t.Fatalf("nft -f %s: %s", setup, got.stderr)
	}
	process(t, p.spare, "", "", "nft", "-f", setup)
	return p
}

// process runs a program in a namespace.
func process(t *testing.T, netns, dir, stdin, path string, args ...string) outcome {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(path, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), asProgram+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err := within(netns, cmd.Run)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	status := cmd.ProcessState.ExitCode()
	if w, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		status = 128 + int(w.Signal()) // as a shell has it
	}
	return outcome{status, out.String(), errs.String()}
}

// alone runs nft itself, with a plain match where the text has the condition.
func (p *pair) alone(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	args = slices.Clone(args)
	for i, a := range args {
		args[i] = strings.ReplaceAll(a, condition, plainTyped)
	}
	return process(t, p.nft, p.nftDir, strings.ReplaceAll(strings.ReplaceAll(stdin, condition, plainTyped), dictJSON, plainJSON), "nft", args...)
}

// front runs dictctl nft.
func (p *pair) front(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return process(t, p.dictctl, p.dictctlDir, stdin, self, append([]string{"nft"}, args...)...)
}

// compare runs both, wants the same of them but for the condition, and returns
// what dictctl nft said.
func (p *pair) compare(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	p.runs++
	want, got := p.alone(t, stdin, args...), p.front(t, stdin, args...)
	for _, s := range []*string{&want.stdout, &want.stderr} {
		*s = strings.NewReplacer(plainTyped, condition, plainListed, condition, plainJSON, dictJSON).Replace(*s)
	}
	for _, s := range []*string{&want.stdout, &want.stderr, &got.stdout, &got.stderr} {
		*s = expiries.ReplaceAllString(processes.ReplaceAllString(*s, "process"), "$1")
		*s = usedUp.ReplaceAllString(*s, "$1 dict")
	}
	if strings.Contains(stdin+strings.Join(args, " "), condition) {
		got.stderr = remedies.ReplaceAllString(got.stderr, "") // of dict rules alone
	}
	if strings.Contains(got.stderr, "unexpected dict") { // a condition is marked as a whole, of a match the first word
		for _, s := range []*string{&want.stderr, &got.stderr} {
			*s = carets.ReplaceAllString(columns.ReplaceAllString(*s, "$1: Error"), "^")
		}
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(outcome{})); d != "" {
		t.Errorf("nft %q (-nft +dictctl nft):\n%s", args, d)
	}
	return got
}

// thinned returns every 31st of a list in a guest.
func thinned[T any](list []T) []T { return sample(list, 31) }

// sample returns every nth of a list in a guest, where a processor is emulated,
// unless the run has promised to take long.
func sample[T any](list []T, n int) []T {
	if os.Getenv("NFTDICT_MODULES") == "" || need.Promised("long") {
		return list
	}
	var few []T
	for i := 0; i < len(list); i += n {
		few = append(few, list[i])
	}
	return few
}

// bodyPath is where the body of ordinary nft text is.
const bodyPath = "../../nftext/front/testdata/manual/"

// bodyLines returns the lines of a file of the body, without comments.
func bodyLines(t *testing.T, name string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(bodyPath + name)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSuffix(line, "\n"); line != "" && (line[0] != '#' || line == "# comment only") {
			lines = append(lines, line)
		}
	}
	return lines
}

// bodyRule is a rule of the body: text for a chain.
type bodyRule struct{ family, chain, text string }

// add returns the command that adds it, or a variation of it.
func (r bodyRule) add(text string) string {
	return "add rule " + r.family + " t " + r.chain + " " + text
}

// bodyRules returns the rules of a file of the body.
func bodyRules(t *testing.T, name string) (rules []bodyRule) {
	t.Helper()
	var chains []string
	for _, line := range bodyLines(t, name) {
		if inner, ok := strings.CutPrefix(line, "["); ok && strings.HasSuffix(inner, "]") {
			chains = strings.Split(strings.TrimSuffix(inner, "]"), ", ")
			continue
		}
		for _, chain := range chains {
			family, chain, _ := strings.Cut(chain, " ")
			rules = append(rules, bodyRule{family, chain, line})
		}
	}
	return thinned(rules)
}

var errorLine = regexp.MustCompile(`(?m)^/dev/stdin:(\d+):`)

// sift tells commands that nft takes here, all of them together, from those that
// it refuses. It may be called once.
func (p *pair) sift(t *testing.T, commands []string) (good, bad []string) {
	t.Helper()
	nft := func(commands []string, args ...string) outcome {
		text := strings.ReplaceAll(strings.Join(commands, "\n"), condition, plainTyped) + "\n"
		return process(t, p.spare, "", text, "nft", append(args, "-f", "-")...)
	}
	suspects := map[string]bool{}
	for good = slices.Clone(commands); ; {
		got := nft(good, "-c")
		if got.status == 0 {
			break
		}
		wrong := map[string]bool{}
		for _, m := range errorLine.FindAllStringSubmatch(got.stderr, -1) {
			n, _ := strconv.Atoi(m[1])
			wrong[good[n-1]], suspects[good[n-1]] = true, true
		}
		before := len(good)
		if good = slices.DeleteFunc(good, func(c string) bool { return wrong[c] }); len(good) == before {
			t.Fatalf("nft -c: status %d: %.2000s", got.status, got.stderr)
		}
	}
	// The kernel may have blamed others for a rule that its chain cannot hold.
	if got := nft(good); got.status != 0 {
		t.Fatal(got.stderr)
	}
	return partition(commands, func(c string) bool { return !suspects[c] || nft([]string{c}).status == 0 })
}

// partition returns those for which f holds, and those for which it does not.
func partition(list []string, f func(string) bool) (yes, no []string) {
	for _, s := range list {
		if f(s) {
			yes = append(yes, s)
		} else {
			no = append(no, s)
		}
	}
	return yes, no
}
