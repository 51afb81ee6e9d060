// SPDX-License-Identifier: MIT

package guest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestMainRefuses(t *testing.T) {
	if err := Main(); !errors.Is(err, ErrNotInit) {
		t.Errorf("error %v in a process that is not the first", err)
	}
}

func TestLookPath(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "prog"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	env := []string{"HOME=/", "PATH=/absent:" + dir}
	for _, tt := range []struct{ name, want string }{
		{"prog", filepath.Join(dir, "prog")},
		{"./x/y", "./x/y"},
		{"data", ""},
		{"absent", ""},
	} {
		got, err := lookPath(tt.name, env)
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("lookPath(%q) = %q, %v, want %q", tt.name, got, err, tt.want)
		}
		if tt.want == "" && !errors.Is(err, exec.ErrNotFound) {
			t.Errorf("lookPath(%q): error %v, want ErrNotFound", tt.name, err)
		}
	}
}

func TestExtraFiles(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.ko")
	if err := os.WriteFile(file, []byte("elf"), 0o644); err != nil {
		t.Fatal(err)
	}
	e, err := keepExtra(&Plan{Extra: []string{file}})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.write(dir); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(dir + Extra + "/a.ko")
	if err != nil || string(got) != "elf" {
		t.Errorf("kept %q, %v", got, err)
	}
}
