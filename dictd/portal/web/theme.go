// SPDX-License-Identifier: MIT

package web

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// Theme are files of the portal's look, by name: templates, style.css, pictures and
// fonts, and texts/LANGUAGE.toml. What it does not have the built-in one gives.
type Theme map[string][]byte

// Bounds of a theme: it travels to another process, and is held there whole.
const (
	maxThemeFile  = 256 << 10
	maxThemeFiles = 64
	maxTheme      = 1 << 20
)

//go:embed theme
var builtin embed.FS

// pages are the templates that there are, besides parts, which all pages have.
var pages = []string{pageEnter, pageStatus, pageLeft, pageAway, pageError, pageTerms}

// parts are base.html, which holds a page, and what tells of a problem.
var parts = []string{pageBase, "problem.html"}

// Names of templates.
const (
	pageBase   = "base.html"
	pageEnter  = "enter.html"
	pageStatus = "status.html"
	pageLeft   = "left.html"
	pageAway   = "away.html"
	pageError  = "error.html"
	pageTerms  = "terms.html"
	styleSheet = "style.css"
	icon       = "icon.svg"
)

// mediaTypes are those of a theme's other files, by their ending.
var mediaTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp", ".woff2": "font/woff2",
}

// logos are what the picture beside the venue's name may be called.
var logos = []string{"logo.svg", "logo.png", "logo.webp", "logo.jpg"}

// LoadTheme reads a folder, and tries the theme with every page. An error says which
// file, and which line of it. "" is the built-in theme.
func LoadTheme(folder string) (Theme, error) {
	if folder == "" {
		return nil, nil
	}
	root, err := os.OpenRoot(folder) // links may not lead out
	if err != nil {
		return nil, fmt.Errorf("theme: %w", err)
	}
	defer root.Close()
	t, err := readTheme(root.FS())
	if err == nil {
		_, err = newLook(t, nil)
	}
	if err != nil {
		return nil, fmt.Errorf("theme %s: %w", folder, err)
	}
	return t, nil
}

// readTheme reads the files of a theme. What begins with a dot is not of it, nor is README.
func readTheme(folder fs.FS) (Theme, error) {
	t, total := make(Theme), 0
	err := fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == ".":
			return nil
		case strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir() && name == "texts":
			return nil
		case d.IsDir():
			return fmt.Errorf("%s: a theme has one folder, texts", name)
		case strings.HasPrefix(name, "README"):
			return nil
		case !belongs(name):
			return fmt.Errorf("%s: not a part of themes: templates are %s", name, strings.Join(append(slices.Clone(parts), pages...), ", "))
		case len(t) == maxThemeFiles:
			return fmt.Errorf("%s: more than %d files", name, maxThemeFiles)
		}
		file, err := folder.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
			return errors.Join(err, fmt.Errorf("%s: not a file", name))
		}
		bytes, err := io.ReadAll(io.LimitReader(file, maxThemeFile+1))
		if err != nil {
			return err
		}
		if total += len(bytes); len(bytes) > maxThemeFile || total > maxTheme {
			return fmt.Errorf("%s: too large: a file of a theme has at most %d bytes, all together %d", name, maxThemeFile, maxTheme)
		}
		t[name] = bytes
		return nil
	})
	return t, err
}

// belongs reports whether a theme may have a file of that name.
func belongs(name string) bool {
	folder, file := path.Split(name)
	switch folder {
	case "texts/":
		return validLanguage(strings.TrimSuffix(file, ".toml")) && path.Ext(file) == ".toml"
	case "":
		return slices.Contains(parts, file) || slices.Contains(pages, file) || mediaTypes[path.Ext(file)] != ""
	}
	return false
}

// validLanguage reports whether text looks like a tag of a language.
func validLanguage(text string) bool {
	if len(text) < 2 || len(text) > 16 {
		return false
	}
	for i, c := range text {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return text[len(text)-1] != '-'
}

// file returns a file of the theme, or the built-in one.
func (t Theme) file(name string) ([]byte, error) {
	if b, ok := t[name]; ok {
		return b, nil
	}
	return builtin.ReadFile("theme/" + name)
}
