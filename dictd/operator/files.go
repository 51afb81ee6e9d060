// SPDX-License-Identifier: MIT

package operator

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"time"
)

// The page, as browsers get it: what is here is not built from anything.
//
//go:embed web
var web embed.FS

// file is a part of the page.
type file struct {
	kind, tag string
	content   []byte
}

// readFiles returns all parts by their path, with login.html, which is a template.
func readFiles() (map[string]*file, error) {
	all := make(map[string]*file)
	root, err := fs.Sub(web, "web")
	if err != nil {
		return nil, err
	}
	return all, fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		f := &file{content: content}
		switch path.Ext(name) { // whatever the machine's own list says
		case ".html":
			f.kind = "text/html; charset=utf-8"
		case ".js":
			f.kind = "text/javascript; charset=utf-8"
		case ".css":
			f.kind = "text/css; charset=utf-8"
		case ".svg":
			f.kind = "image/svg+xml"
		default:
			f.kind = mime.TypeByExtension(path.Ext(name))
		}
		if f.kind == "" {
			return fmt.Errorf("operator's page: %s: of no kind", name)
		}
		sum := sha256.Sum256(content)
		f.tag = `"` + hex.EncodeToString(sum[:12]) + `"`
		all[name] = f
		return nil
	})
}

// serve answers with a part. Browsers keep it, and ask whether it is another.
func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("ETag", f.tag)
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.content))
}

// loginPage answers with the form, and what was wrong with the last attempt.
func (s *Server) loginPage(w http.ResponseWriter, status int, wrong string) {
	t, err := template.New("login").Parse(string(s.files["login.html"].content))
	var text bytes.Buffer
	if err == nil {
		err = t.Execute(&text, wrong)
	}
	if err != nil {
		tell(w, http.StatusInternalServerError, err.Error(), "")
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // the client is gone, if it fails
}
