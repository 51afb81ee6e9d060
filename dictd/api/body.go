// SPDX-License-Identifier: MIT

package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"nftdict/dict"
	"nftdict/nftext/jsondoc"
)

// take reads the body of a request into v, and refuses what is not as it should
// be: no JSON, or not of one object, members that v does not have or that are
// there twice, bytes that are no text.
func take(w http.ResponseWriter, r *http.Request, v any) bool {
	if kind := r.Header.Get("Content-Type"); kind != "" {
		if media, _, err := mime.ParseMediaType(kind); err != nil || media != "application/json" {
			refuse(w, http.StatusUnsupportedMediaType, fmt.Sprintf("Content-Type %q: not understood", kind), "send application/json")
			return false
		}
	}
	text, err := io.ReadAll(r.Body)
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		w.Header().Set("Connection", "close") // the rest is not read
		refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("body: longer than %d bytes", long.Limit), "send less at a time")
		return false
	}
	if err == nil {
		err = decodeBody(text, v)
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "body: "+err.Error(), "send a JSON object")
		return false
	}
	return true
}

// decodeBody reads one JSON object and nothing else.
func decodeBody(text []byte, v any) error {
	tree, err := jsondoc.Parse(text) // of UTF-8, and not too deep
	if err != nil {
		return err
	}
	if tree.Kind != jsondoc.Object {
		return fmt.Errorf("%s: want an object", tree.Kind)
	}
	if name := twice(&tree); name != "" {
		return fmt.Errorf("member %s: there twice", dict.Quote(name))
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// twice returns the name of a member that some object has more than once, in any
// case: the decoder takes them for one. It is "" if there is none.
func twice(n *jsondoc.Node) string {
	names := make(map[string]struct{}, len(n.Children))
	for i := range n.Children {
		c := &n.Children[i]
		if n.Kind == jsondoc.Object {
			folded := strings.ToLower(c.Key)
			if _, ok := names[folded]; ok {
				return c.Key
			}
			names[folded] = struct{}{}
		}
		if name := twice(c); name != "" {
			return name
		}
	}
	return ""
}
