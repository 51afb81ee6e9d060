// SPDX-License-Identifier: MIT

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const recipesDir = "../../classifier/testdata/captures"

// TestRecipes reads every recipe there is.
func TestRecipes(t *testing.T) {
	names, err := recipeNames(recipesDir)
	if err != nil || len(names) == 0 {
		t.Fatalf("%d recipes, %v", len(names), err)
	}
	for _, name := range names {
		if _, err := ReadRecipe(recipesDir, name); err != nil {
			t.Error(err)
		}
	}
}

func TestReadRecipe(t *testing.T) {
	const good = "about = 'a'\nclient = 'true'\n"
	const flow = "[[flow]]\nof = 'tcp 1'\n"
	tests := []struct {
		name, text, want string // part of the error
	}{
		{"all there", good + "ready = ['tcp 22', 'udp 53']\n" + flow, ""},
		{"no truth", good, "about, client and flow"},
		{"no client", "about = 'a'\n" + flow, "about, client and flow"},
		{"no such field", good + "servers = 'x'\n" + flow, "servers"},
		{"no such transport", good + "ready = ['sctp 22']\n" + flow, `port "sctp 22"`},
		{"no such port", good + "drop = ['tcp 65536']\n" + flow, `port "tcp 65536"`},
		{"no TOML", "about", "recipe.toml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "recipe.toml"), []byte(tt.text), 0o644); err != nil {
				t.Fatal(err)
			}
			r, err := ReadRecipe(dir, "recipe")
			switch {
			case tt.want == "" && (err != nil || r.FlowPackets != defaultPackets || r.FlowBytes != defaultBytes || r.Limit() != defaultTime):
				t.Errorf("got %+v, %v", r, err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}
