// SPDX-License-Identifier: MIT

// Lint checks what no stock linter knows of this project: which package may
// import which (docs/architecture.md), the licence line of every file, and
// that tests skip through internal/need alone. It prints one line a finding
// and exits 1 if there is any.
//
//	go run ./internal/lint
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	var found []string
	for _, check := range []func() ([]string, error){imports, files} {
		f, err := check()
		if err != nil {
			fmt.Fprintln(os.Stderr, "lint:", err)
			os.Exit(2)
		}
		found = append(found, f...)
	}
	slices.Sort(found)
	for _, f := range found {
		fmt.Println(f)
	}
	if len(found) > 0 {
		os.Exit(1)
	}
}

// pkg is what `go list -json` tells of a package.
type pkg struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func imports() ([]string, error) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var found []string
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		for _, imp := range p.Imports {
			if why := refuse(p.ImportPath, imp); why != "" {
				found = append(found, fmt.Sprintf("%s: imports %s: %s", p.ImportPath, imp, why))
			}
		}
	}
}

func files() ([]string, error) {
	out, err := exec.Command("git", "ls-files", "-z").Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w", err)
	}
	var found []string
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		want, ok := licence(name)
		if !ok {
			continue
		}
		text, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) {
			continue // removed, not committed yet
		}
		if err != nil {
			return nil, err
		}
		head := text[:min(len(text), 400)]
		if !bytes.Contains(head, []byte("SPDX-License-Identifier: "+want)) && !generated(head) {
			found = append(found, name+": no line SPDX-License-Identifier: "+want)
		}
		if filepath.Ext(name) == ".go" && !strings.HasPrefix(name, "internal/need/") && !strings.HasPrefix(name, "internal/lint/") {
			for n, line := range strings.Split(string(text), "\n") {
				for _, skip := range []string{"t.Skip", "b.Skip", "tb.Skip", "f.Skip"} {
					if strings.Contains(line, skip) {
						found = append(found, fmt.Sprintf("%s:%d: skips a test without internal/need", name, n+1))
					}
				}
			}
		}
	}
	return found, nil
}

// licence returns the licence a file must name, false for data.
func licence(name string) (string, bool) {
	base := filepath.Base(name)
	if strings.Contains(name, "testdata/") {
		return "", false
	}
	switch ext := filepath.Ext(name); {
	case strings.HasPrefix(name, "kmod/") && (ext == ".c" || ext == ".h" || base == "Kbuild" || base == "Makefile"),
		ext == ".c" || ext == ".h":
		return "GPL-2.0-only", true
	case ext == ".go" || ext == ".sh" || ext == ".mk" || base == "Makefile" || name == ".ci/run" || ext == ".service":
		return "MIT", true
	}
	return "", false
}

func generated(head []byte) bool {
	return bytes.HasPrefix(head, []byte("// Code generated "))
}
