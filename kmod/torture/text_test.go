// SPDX-License-Identifier: MIT

package torture

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// line makes a line of the text interface, right mostly.
func line(r *rand.Rand, file string) string {
	var tokens []string
	add := func(once int, list ...string) {
		if chance(r, once) {
			tokens = append(tokens, pick(r, list...))
		}
	}
	n := r.IntN(30)
	add(1, "table=a", "table=b", "table=c-d", "table=int", "table=ct-id", "table=None")
	if chance(r, 20) {
		tokens = nil
	}
	keys := []string{
		fmt.Sprintf("key_int=%d", n), fmt.Sprintf("key_int=%#x", n), fmt.Sprintf("key_ip=10.0.0.%d", n), fmt.Sprintf("key_ip6=fd99::%x", n),
		fmt.Sprintf("key_mac=02:00:00:00:00:%02x", n), "key_string=" + strings.Repeat("k", 1+n*4),
	}
	key := keys[0]
	if chance(r, 4) {
		key = pick(r, keys...)
	}
	switch file {
	case "write":
		tokens = append(tokens, key, pick(r, "field=f", "field=g-h", fmt.Sprintf("field=f%d", r.IntN(300)), "field=int"))
		add(1, "int=5", "int=-2147483648", "int64=0x7fffffffffffffff", "bool=true", "bool=0", "ip=1.2.3.4", "ip6=::", "mac=02:0:0:0:0:1",
			"string="+strings.Repeat("s", r.IntN(130)), "value=x y")
	default:
		if !chance(r, 10) {
			tokens = append(tokens, key)
		}
		add(2, "field=f", "field=g_h")
	}
	add(30, "", "=", "x", "table=", "int=", "int=99999999999", "field=1", "key_int=-1", "key_ip=1.2.3.4.5", "string=\xff", "string=a\x00b", "table="+strings.Repeat("t", 70))
	r.Shuffle(len(tokens), func(i, j int) { tokens[i], tokens[j] = tokens[j], tokens[i] })
	text := strings.Join(tokens, ",")
	if chance(r, 15) {
		text = string(spoil(r, []byte(text)))
	}
	return text
}

// lines makes what is written at once.
func lines(r *rand.Rand, file string) []byte {
	var b []byte
	for range pick(r, 1, 1, 1, 2, 5, 60) {
		b = append(append(b, line(r, file)...), pick(r, "\n", "\n", "\n", "", "\n\n", "\r\n")...)
	}
	if chance(r, 50) {
		b = append(b, make([]byte, pick(r, 1, 4096, 9000))...)
	}
	return b
}

// mostOpen is how many files are open at once.
const mostOpen = 100

// open is a file of the text interface that is open.
type open struct {
	fd   int
	name string
}

// TestLines writes and reads the text interface through many open files, in
// parts, at odd places and with nonsense.
func TestLines(t *testing.T) {
	b := newBudget(t)
	h := newHost(t)
	for _, attrs := range ruleTables(true)[:7] {
		if err := h.command(cmdTableNew, 0, attrs, nil); err != nil {
			t.Fatal(err)
		}
	}
	var files []open
	written, refused, bytes := 0, 0, 0
	for r := b.next(); r != nil; r = b.next() {
		if len(files) < 4 || len(files) < mostOpen && chance(r, 4) {
			f := open{name: pick(r, "write", "write", "read", "read", "all", "delete")}
			mode := map[string]int{"write": unix.O_WRONLY, "delete": unix.O_WRONLY, "read": unix.O_RDWR, "all": unix.O_RDONLY}[f.name]
			fd, err := unix.Open(dictDir+f.name, mode|unix.O_CLOEXEC, 0)
			if err != nil {
				t.Fatalf("case %d: open %s: %v", b.done, f.name, err)
			}
			f.fd = fd
			files = append(files, f)
		}
		i := r.IntN(len(files))
		n, err := files[i].act(r)
		switch {
		case err == nil:
			written++
			bytes += n
		case errors.Is(err, unix.EFAULT) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESPIPE) ||
			errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EFBIG) || errors.Is(err, unix.EBADF) || errors.Is(err, unix.EIO) || errors.Is(err, unix.ENODATA):
			refused++
		default:
			t.Fatalf("case %d: %s: %v", b.done, files[i].name, err)
		}
		if chance(r, 8) {
			if err := unix.Close(files[i].fd); err != nil {
				t.Fatal(err)
			}
			files = append(files[:i], files[i+1:]...)
		}
		if b.done%sweepEvery == 0 {
			h.sweep(t) // while files are open
		}
		if t.Failed() {
			t.Fatalf("in case %d", b.done)
		}
	}
	h.sweep(t)
	for _, f := range files {
		if err := unix.Close(f.fd); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d calls succeeded with %d bytes, %d were refused", written, bytes, refused)
	if b.done > 300 && (written < b.done/10 || refused < b.done/20) {
		t.Errorf("%d of %d calls succeeded: that tests little", written, b.done)
	}
}

// act does something with a file.
func (f open) act(r *rand.Rand) (int, error) {
	buf := make([]byte, pick(r, 0, 1, 7, 100, 4096, 70000))
	write := f.name != "all" && (f.name != "read" || chance(r, 2))
	switch r.IntN(12) {
	case 0:
		at, err := unix.Seek(f.fd, pick(r, int64(0), 0, 1, -1, 4096, 1<<40), pick(r, 0, 0, 1, 2))
		return int(min(at, 1)), err
	case 1:
		return unix.Pread(f.fd, buf, pick(r, int64(0), 1, 4096, 1<<62))
	case 2:
		if write {
			return unix.Pwrite(f.fd, lines(r, f.name), pick(r, int64(0), 1, 1<<62))
		}
	case 3: // in two parts, which may be no lines
		if write {
			b := lines(r, f.name)
			cut := r.IntN(len(b) + 1)
			return unix.Writev(f.fd, [][]byte{b[:cut], b[cut:]})
		}
	case 4: // a byte after another
		if write {
			sum := 0
			for _, c := range []byte(line(r, f.name)) {
				n, err := unix.Write(f.fd, []byte{c})
				if err != nil {
					return 0, err
				}
				sum += n
			}
			return sum, nil
		}
	}
	if write {
		return unix.Write(f.fd, lines(r, f.name))
	}
	return unix.Read(f.fd, buf)
}
