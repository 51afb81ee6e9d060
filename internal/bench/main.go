// SPDX-License-Identifier: MIT

// Bench runs the project's benchmarks and prints the figures that it promises
// to keep, each beside its limit. Most are ratios of two things measured in
// turns within one run, since machines are noisy. It exits 1 if a limit is
// missed after a second try.
//
//	go run ./internal/bench            # all
//	go run ./internal/bench -j         # as JSON
//	go run ./internal/bench pipeline   # those whose name holds a word
//	go run ./internal/bench -exec "bin/vm exec -kernel 6.12 -counted -built DIR"
//	                                   # those of the front end with the module, in a guest
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

func main() {
	asJSON := flag.Bool("j", false, "print JSON")
	guest := flag.String("exec", "", "`command` that runs benchmarks in a guest with the module; only what is measured there")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: bench [-j] [-exec COMMAND] [WORD]...\n\nRuns the benchmarks and prints their figures beside the limits. Needs root.")
	}
	flag.Parse()
	all := figures
	if *guest != "" {
		all = inGuest(*guest)
	}
	rows, err := measure(pick(all, flag.Args()))
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	missed := false
	for _, r := range rows {
		missed = missed || !r.Kept
	}
	if *asJSON {
		json.NewEncoder(os.Stdout).Encode(rows)
	} else {
		print(os.Stdout, rows)
	}
	if missed {
		os.Exit(1)
	}
}

// figure is one metric of one benchmark.
type figure struct {
	Name  string `json:"name"` // what it is, in words
	pkg   string // below the module
	bench string // regular expression of the benchmark
	time  string // -benchtime
	unit  string // of the metric: "set/bare"
	line  string // what the benchmark's name must hold, for those with parts
	exec  string // what runs the benchmark, of `go test -exec`
	// corpus says that it is measured on the captures of the folder that the
	// environment's CORPUS names, on one core.
	corpus bool
	Most   float64 `json:"most,omitempty"`  // 0: no upper limit
	Least  float64 `json:"least,omitempty"` // 0: no lower limit
	Zero   bool    `json:"zero,omitempty"`  // must be 0
}

// row is a figure measured.
type row struct {
	figure
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Kept  bool    `json:"kept"`
	// Skipped says why it was not measured.
	Skipped string `json:"skipped,omitempty"`
}

func pick(all []figure, words []string) (some []figure) {
	for _, f := range all {
		keep := len(words) == 0
		for _, w := range words {
			keep = keep || strings.Contains(f.Name, w)
		}
		if keep {
			some = append(some, f)
		}
	}
	return some
}

// measure runs each benchmark once, and once more if a limit was missed.
func measure(figures []figure) ([]row, error) {
	var rows []row
	done := map[string][]result{}
	for _, f := range figures {
		r := row{figure: f, Unit: f.unit}
		if f.corpus && corpus() == "" {
			r.Kept, r.Skipped = true, "no corpus: make bench CORPUS=DIR"
			rows = append(rows, r)
			continue
		}
		for try := range 2 {
			key := f.pkg + " " + f.bench + " " + f.time
			if try > 0 {
				delete(done, key)
			}
			if _, ok := done[key]; !ok {
				fmt.Fprintf(os.Stderr, "measuring %s %s\n", f.pkg, f.bench)
				results, err := run(f)
				if err != nil {
					return nil, err
				}
				done[key] = results
			}
			v, ok := find(done[key], f)
			if !ok {
				return nil, fmt.Errorf("%s: benchmark %s printed no %s", f.pkg, f.bench, f.unit)
			}
			r.Value = v
			if r.Kept = (f.Most == 0 || v <= f.Most) && v >= f.Least && (!f.Zero || v == 0); r.Kept {
				break
			}
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// result is one line of a benchmark's output.
type result struct {
	name    string
	metrics map[string]float64
}

func find(results []result, f figure) (float64, bool) {
	for _, r := range results {
		if v, ok := r.metrics[f.unit]; ok && strings.Contains(r.name, f.line) {
			return v, true
		}
	}
	return 0, false
}

func run(f figure) ([]result, error) {
	args := []string{"test", "-run", "^$", "-bench", f.bench, "-benchtime", f.time, "-benchmem", "-timeout", "10m"}
	if f.exec != "" {
		args = append(args, "-exec", f.exec)
	}
	cmd := exec.Command("go", append(args, "./"+f.pkg)...)
	cmd.Env = append(os.Environ(), "NFTDICT_REQUIRE=all")
	if f.exec != "" {
		cmd.Env = append(cmd.Env, "CGO_ENABLED=0")
	}
	if f.corpus {
		cmd.Env = append(cmd.Env, "CORPUS="+corpus(), "GOMAXPROCS=1")
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", f.pkg, f.bench, err, out)
	}
	return parse(string(out)), nil
}

// corpus returns the folder of captures, "" if there is none. The benchmarks run
// elsewhere, so that its path must not depend on the directory.
func corpus() string {
	dir := os.Getenv("CORPUS")
	if dir == "" {
		return ""
	}
	path, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	if fi, err := os.Stat(path); err != nil || !fi.IsDir() {
		return ""
	}
	return path
}

// parse reads lines such as `BenchmarkX/y-2  100  1.5 set/bare  7 B/op`.
func parse(out string) (results []result) {
	for sc := bufio.NewScanner(strings.NewReader(out)); sc.Scan(); {
		words := strings.Fields(sc.Text())
		if len(words) < 4 || !strings.HasPrefix(words[0], "Benchmark") {
			continue
		}
		r := result{name: words[0], metrics: map[string]float64{}}
		for i := 2; i+1 < len(words); i += 2 {
			if v, err := strconv.ParseFloat(words[i], 64); err == nil {
				r.metrics[words[i+1]] = v
			}
		}
		results = append(results, r)
	}
	return results
}

func print(w io.Writer, rows []row) {
	fmt.Fprintf(w, "%-62s %12s %-18s %s\n", "figure", "measured", "unit", "limit")
	for _, r := range rows {
		limit, mark := "", ""
		switch {
		case r.Most != 0:
			limit = "at most " + number(r.Most)
		case r.Least != 0:
			limit = "at least " + number(r.Least)
		case r.Zero:
			limit = "none"
		}
		if !r.Kept {
			mark = "  MISSED"
		}
		value := number(r.Value)
		if r.Skipped != "" {
			value, mark = "-", "  ("+r.Skipped+")"
		}
		fmt.Fprintf(w, "%-62s %12s %-18s %s%s\n", r.Name, value, r.Unit, limit, mark)
	}
}

func number(v float64) string {
	if v >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}
