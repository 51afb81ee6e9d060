// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nftdict/internal/backend"
	"nftdict/internal/need"
)

// stopwatch compares two commands in a namespace, in turns.
type stopwatch struct {
	tb    testing.TB
	netns string
	times map[string][]time.Duration // by the clock
	work  map[string][]time.Duration // of the processor, nft's own with dictctl's: they take turns
}

// run times one command.
func (s *stopwatch) run(name string, args ...string) {
	s.tb.Helper()
	err := within(s.netns, func() error {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = append(os.Environ(), asProgram+"=1")
		cmd.Stdout = struct{ io.Writer }{io.Discard} // by a pipe, as a reader of a listing has it
		out, err := cmd.StderrPipe()
		if err != nil {
			return err
		}
		start := time.Now()
		if err := cmd.Start(); err != nil {
			return err
		}
		said, _ := io.ReadAll(out)
		if err := cmd.Wait(); err != nil {
			return fmt.Errorf("%v: %w: %s", args, err, said)
		}
		s.times[name] = append(s.times[name], time.Since(start))
		s.work[name] = append(s.work[name], cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
		return nil
	})
	if err != nil {
		s.tb.Fatal(err)
	}
}

// BenchmarkRatioNft compares dictctl nft with nft: a file of 10,000 rules, of
// which 1,000 have a dict condition of their own or a plain match in its place,
// its listing, and a file of 100,000 set elements; and what it adds to a command
// that has nothing to do with dictionaries.
func BenchmarkRatioNft(b *testing.B) {
	nft := need.Program(b, "nft")
	netns := newNamespace(b)
	kind := backend.EBPF
	_ = within(netns, func() error {
		store, err := backend.Open(backend.Auto, backend.Options{})
		if err == nil {
			kind = store.Kind
			err = store.Store.Close()
		}
		return err
	})
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
		return path
	}
	rules := func(condition string) string {
		var text strings.Builder
		text.WriteString("flush ruleset\ntable inet t {\n\tchain c {\n")
		for i := range 10000 {
			match := fmt.Sprintf("meta priority %d", i+1)
			if i%10 == 0 {
				match = fmt.Sprintf(condition, i)
			}
			fmt.Fprintf(&text, "\t\tip saddr 10.0.%d.%d tcp dport %d %s counter accept\n", i/250, i%250, i+1, match)
		}
		text.WriteString("\t}\n}\n")
		return text.String()
	}
	plain := write("plain.nft", rules("meta mark %d"))
	dicts := write("dict.nft", rules("dict sessions ct id application APP-%d"))
	var elements strings.Builder
	for i := range 100000 {
		fmt.Fprintf(&elements, "10.%d.%d.%d, ", i/62500, i/250%250, i%250)
	}
	set := "flush ruleset\ntable inet t {\n\tset s {\n\t\ttype ipv4_addr\n\t\telements = { " + strings.TrimSuffix(elements.String(), ", ") + " }\n\t}\n\tchain c {\n\t\t%s @s accept\n\t}\n}\n"
	plainSet := write("plainset.nft", fmt.Sprintf(set, "ip saddr"))
	dictSet := write("dictset.nft", fmt.Sprintf(set, "dict sessions ct id application X ip saddr"))

	s := &stopwatch{tb: b, netns: netns, times: map[string][]time.Duration{}, work: map[string][]time.Duration{}}
	for b.Loop() {
		s.run("load", nft, "-f", plain)
		s.run("list", nft, "list", "ruleset")
		s.run("front load", self, "nft", "-f", plain)
		s.run("front list", self, "nft", "list", "ruleset")
		s.run("dict load", self, "nft", "-f", dicts)
		s.run("dict list", self, "nft", "list", "ruleset")
		s.run("elements", nft, "-f", plainSet)
		s.run("dict elements", self, "nft", "-f", dictSet)
		s.run("flush", nft, "flush", "ruleset")
		for range 11 {
			s.run("tables", nft, "list", "tables")
			s.run("front tables", self, "nft", "list", "tables")
			s.run("version", self, "version")
		}
	}
	// What the machine does besides only adds to the shortest.
	ratio := func(a, b string) float64 { return float64(slices.Min(s.work[a])) / float64(slices.Min(s.work[b])) }
	clock := func(a, b string) float64 { return float64(slices.Min(s.times[a])) / float64(slices.Min(s.times[b])) }
	for _, of := range []string{"load", "list", "elements"} {
		b.ReportMetric(ratio("dict "+of, of), kind+"-"+of+"/nft")
		b.ReportMetric(clock("dict "+of, of), kind+"-"+of+"-clock/nft")
	}
	b.ReportMetric(ratio("front load", "load"), "plain-load/nft")
	b.ReportMetric(ratio("front list", "list"), "plain-list/nft")
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(slices.Min(s.times["front tables"])-slices.Min(s.times["tables"])), "plain-more-ms")
	b.ReportMetric(ms(slices.Min(s.times["version"])), "start-ms")
	b.ReportMetric(ms(slices.Min(s.work["load"])), "nft-load-ms")
	b.ReportMetric(ms(slices.Min(s.work["list"])), "nft-list-ms")
	b.ReportMetric(ms(slices.Min(s.work["elements"])), "nft-elements-ms")
}
