// SPDX-License-Identifier: MIT

package browser

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// Directory names the environment variable that says where pictures are kept; without
// it that is build/screenshots of the project.
const Directory = "NFTDICT_SCREENSHOTS"

// Shot keeps a picture of what is to be seen, as NAME.png, and returns its path. A slash
// in the name makes a folder.
func (p *Page) Shot(name string) string {
	p.t.Helper()
	return keep(p.t, name, run(p, "picture "+name, chromedp.CaptureScreenshot()))
}

// Whole keeps a picture of all of the page, also of what is below the screen.
func (p *Page) Whole(name string) string {
	p.t.Helper()
	return keep(p.t, name, run(p, "picture "+name, chromedp.FullScreenshot(100)))
}

// keep writes a picture.
func keep(t testing.TB, name string, picture []byte) string {
	t.Helper()
	dir := os.Getenv(Directory)
	if dir == "" {
		dir = filepath.Join(root(), "build", "screenshots")
	}
	path := filepath.Join(dir, filepath.Clean("/"+name)+".png")
	if strings.HasPrefix(name, "failed-") {
		path = filepath.Join(dir, strings.ReplaceAll(name, "/", "-")+".png")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, picture, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// root returns the directory of the project: the one above with a go.mod.
func root() string {
	dir, err := os.Getwd()
	if err != nil {
		return os.TempDir()
	}
	for at := dir; at != filepath.Dir(at); at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
	}
	return dir
}
