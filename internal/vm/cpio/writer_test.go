// SPDX-License-Identifier: MIT

package cpio

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type entry struct {
	Name    string
	Mode    uint32
	Device  [2]uint32
	Content string
}

// read is the reverse of Writer, for what Writer writes.
func read(b []byte) (es []entry, err error) {
	for off := 0; ; {
		if len(b) < off+header {
			return es, errors.New("no trailer")
		}
		if got := string(b[off : off+6]); got != magic {
			return es, fmt.Errorf("magic %q at %d", got, off)
		}
		var f [fields]uint32
		for i := range f {
			v, err := strconv.ParseUint(string(b[off+6+8*i:off+14+8*i]), 16, 32)
			if err != nil {
				return es, err
			}
			f[i] = uint32(v)
		}
		start := off + header
		name := string(b[start : start+int(f[11])-1])
		body := (start + int(f[11]) + 3) &^ 3
		if name == trailer {
			if len(b)%512 != 0 {
				return es, fmt.Errorf("archive of %d bytes", len(b))
			}
			return es, nil
		}
		es = append(es, entry{name, f[1], [2]uint32{f[9], f[10]}, string(b[body : body+int(f[6])])})
		off = (body + int(f[6]) + 3) &^ 3
	}
}

func TestWriter(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b)
	for _, err := range []error{
		w.File("/init", 0o755, []byte("abc")),
		w.Dir("dev"),
		w.Char("dev/console", 0o600, 5, 1),
		w.File("lib/modules/x.ko", 0o644, nil),
		w.Dir("lib"),
		w.Link("/lib64", "lib"),
		w.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := read(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	want := []entry{
		{"init", 0o100755, [2]uint32{}, "abc"},
		{"dev", 0o040755, [2]uint32{}, ""},
		{"dev/console", 0o020600, [2]uint32{5, 1}, ""},
		{"lib", 0o040755, [2]uint32{}, ""},
		{"lib/modules", 0o040755, [2]uint32{}, ""},
		{"lib/modules/x.ko", 0o100644, [2]uint32{}, ""},
		{"lib64", 0o120777, [2]uint32{}, "lib"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

type full struct{ left int }

func (f *full) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errors.New("no space")
	}
	return len(b), nil
}

func TestWriterSticks(t *testing.T) {
	w := NewWriter(&full{left: 300})
	var err error
	for i := 0; i < 4 && err == nil; i++ {
		err = w.File("f"+strings.Repeat("x", i), 0o644, make([]byte, 64))
	}
	if err == nil {
		t.Fatal("a full disk was not noticed")
	}
	if got := w.Close(); got == nil {
		t.Error("Close forgot the error")
	}
}
