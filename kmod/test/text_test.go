// SPDX-License-Identifier: MIT

package test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const dir = "/proc/thread-self/net/dict/"

// write writes to a file of the text interface in one call.
func write(name, text string) error {
	f, err := os.OpenFile(dir+name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := f.Write([]byte(text))
	if err == nil && n != len(text) {
		err = io.ErrShortWrite
	}
	return err
}

// read selects and reads.
func read(selector string) (string, error) {
	f, err := os.OpenFile(dir+"read", os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if _, err := f.Write([]byte(selector)); err != nil {
		return "", err
	}
	text, err := io.ReadAll(f)
	return string(text), err
}

func all(tb testing.TB) string {
	tb.Helper()
	text, err := os.ReadFile(dir + "all")
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// TestText does what programs of old do: they write a field as one type after
// the other into a table that nobody declared, read it back, and delete it.
func TestText(t *testing.T) {
	newHost(t)
	for _, c := range []struct{ value, line string }{
		{"string=hello world", "string: hello world"},
		{"value=NETFLIX", "string: NETFLIX"},
		{"int=-5", "int: -5"},
		{"int64=-9999999999", "int64: -9999999999"},
		{"int64=0x10", "int64: 16"},
		{"bool=true", "bool: true"},
		{"bool=0", "bool: false"},
		{"ip=10.0.0.1", "ip: 10.0.0.1"},
		{"ip6=2001:db8::5", "ip6: 2001:0db8:0000:0000:0000:0000:0000:0005"},
		{"mac=02:00:00:00:00:01", "mac: 02:00:00:00:00:01"},
	} {
		for key, shown := range map[string]string{
			"key_int=5": "key_int: 5", "key_int=0x10": "key_int: 16", "key_ip=10.1.2.3": "key_ip: 10.1.2.3",
			"key_ip6=::1":               "key_ip6: 0000:0000:0000:0000:0000:0000:0000:0001",
			"key_mac=02:00:00:00:00:02": "key_mac: 02:00:00:00:00:02", "key_string=a b": "key_string: a b",
		} {
			table := "T" + strings.FieldsFunc(key, func(r rune) bool { return r == '=' || r == '6' })[0]
			selector := "table=" + table + "," + key
			if err := write("write", c.value+",field=some-field,"+selector+"\n"); err != nil {
				t.Fatalf("write %s,%s: %v", selector, c.value, err)
			}
			want := fmt.Sprintf("table: %s %s field: some_field %s\n", table, shown, c.line)
			if got, err := read(selector + ",field=some_field"); err != nil || got != want {
				t.Errorf("read %s: %q, %v, want %q", selector, got, err, want)
			}
			if !strings.Contains(all(t), want) {
				t.Errorf("all lacks %q", want)
			}
		}
	}
	for _, line := range []string{"table=Tkey_int,key_int=5,field=some_field", "table=Tkey_int,key_int=16", "table=Tkey_ip"} {
		if err := write("delete", line); err != nil {
			t.Errorf("delete %s: %v", line, err)
		}
		if got, err := read(line); err != nil || got != "" {
			t.Errorf("read %s after its deletion: %q, %v", line, got, err)
		}
		if line != "table=Tkey_int,key_int=16" && line != "table=Tkey_int,key_int=5,field=some_field" {
			continue
		}
		if err := write("delete", line); !errors.Is(err, unix.ENOENT) {
			t.Errorf("delete %s again: %v, want %v", line, err, unix.ENOENT)
		}
	}
}

// TestTextControls: no character that a terminal obeys is printed as it is,
// whichever way UTF-8 writes it, and no other is altered.
func TestTextControls(t *testing.T) {
	newHost(t)
	if err := write("write", "key_string=\x1bk,field=f,string=a\x07\u009b2J\u0080\u009f\u00a0\u00c2\u025b\u4e9b\x7f"); err != nil {
		t.Fatal(err)
	}
	want := `table: None key_string: \x1bk field: f string: a\x07\xc2\x9b2J\xc2\x80\xc2\x9f` + "\u00a0\u00c2\u025b\u4e9b" + `\x7f` + "\n"
	if got := all(t); got != want {
		t.Errorf("all is %q, want %q", got, want)
	}
}

// TestTextRefusals: what is wrong is an error and stores nothing.
func TestTextRefusals(t *testing.T) {
	newHost(t)
	if err := write("write", "key_int=1,field=f,int=1"); err != nil {
		t.Fatal(err)
	}
	before := all(t)
	const at = "key_int=1,field=f,"
	for _, line := range []string{
		"", "x", "=", at, at + "int=", at + "int=x", at + "int=2147483648", at + "int=1 ", at + "int=1,int=2", at + "int=1,string=a",
		at + "int64=9223372036854775808", at + "bool=foobar", at + "bool=", at + "ip=1.2.3", at + "ip=1.2.3.4.5", at + "ip=::1", at + "ip6=1.2.3.4",
		at + "ip6=:", at + "mac=1:2", at + "mac=02:00:00:00:00:01:", at + "string=" + strings.Repeat("a", 129), at + "string=a\x00b", at + "string=\xff",
		at + "string=a,b", "field=f,int=1", "key_int=1,int=1", "key_int=-1,field=f,int=1", "key_int=4294967296,field=f,int=1", "key_string=,field=f,int=1",
		"key_string=a,field=f,int=1", "key_int=1,key_ip=1.2.3.4,field=f,int=1", "table=a b,key_int=1,field=f,int=1", "key_int=1,field=a b,int=1",
		"table=" + strings.Repeat("t", 64) + ",key_int=1,field=f,int=1", at + "int=1," + strings.Repeat("x", 5000),
	} {
		if err := write("write", line); line != "" && !errors.Is(err, unix.EINVAL) {
			t.Errorf("write %.60q: %v, want %v", line, err, unix.EINVAL)
		}
		if got := all(t); got != before {
			t.Fatalf("write %.60q left %q", line, got)
		}
	}
	// The lines before one that is refused are written, and the call says so.
	f, err := os.OpenFile(dir+"write", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	good := at + "int=2\n" + at + "int=3\n"
	if n, err := unix.Write(int(f.Fd()), []byte(good+at+"int=x\n")); n != len(good) || err != nil {
		t.Errorf("two good lines and a bad one: %d, %v, want %d", n, err, len(good))
	}
	if want := "table: None key_int: 1 field: f int: 3\n"; all(t) != want {
		t.Errorf("then all is %q, want %q", all(t), want)
	}
	for _, selector := range []string{"field=f", "", "table=None,field=f", at + "int=1"} {
		if _, err := read(selector); !errors.Is(err, unix.EINVAL) {
			t.Errorf("read %q: %v, want %v", selector, err, unix.EINVAL)
		}
	}
	if _, err := os.ReadFile(dir + "read"); !errors.Is(err, unix.EINVAL) {
		t.Errorf("read without a selector: %v, want %v", err, unix.EINVAL)
	}
}

// TestTextThreads: threads that write and read, each through files of its own,
// read what they wrote.
func TestTextThreads(t *testing.T) {
	newHost(t)
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	defer home.Close()
	var threads sync.WaitGroup
	for i := range 4 {
		threads.Go(func() {
			if err := join(home); err != nil {
				t.Error(err)
				return
			}
			for n := range 300 {
				selector := fmt.Sprintf("table=shared,key_int=%d,field=f", i)
				if err := write("write", fmt.Sprintf("%s,int=%d", selector, n)); err != nil {
					t.Error(err)
					return
				}
				want := fmt.Sprintf("table: shared key_int: %d field: f int: %d\n", i, n)
				if got, err := read(selector); err != nil || got != want {
					t.Errorf("read %q, %v, want %q", got, err, want)
					return
				}
				if n%10 == 0 {
					if err := write("delete", fmt.Sprintf("table=shared,key_int=%d", i)); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	threads.Wait()
}

// TestTextNamespaces: what one namespace writes no other sees.
func TestTextNamespaces(t *testing.T) {
	newHost(t)
	if err := write("write", "table=mine,key_int=1,field=f,int=1"); err != nil {
		t.Fatal(err)
	}
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	if got := all(t); got != "" {
		t.Errorf("a new namespace has %q", got)
	}
}

// TestTextKeeps: an open file keeps its namespace, with what is in it, when
// everybody else has left.
func TestTextKeeps(t *testing.T) {
	newHost(t)
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	in, err := os.OpenFile(dir+"write", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Open(dir + "all")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if _, err := fmt.Fprintf(in, "table=mine,key_int=1,field=f,int=%d", i); err != nil {
			t.Fatalf("line %d: %v", i, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	got, err := io.ReadAll(out)
	if want := "table: mine key_int: 1 field: f int: 19\n"; string(got) != want || err != nil {
		t.Errorf("read %q, %v, want %q", got, err, want)
	}
}
