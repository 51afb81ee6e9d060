// SPDX-License-Identifier: MIT

package test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// TestProgram is a program as they were written for the ancestor of this
// module, and several of it at once: each opens the files, writes a field as
// each of the types in turn into a table that nobody declared, reads it back,
// and deletes it, from several threads.
func TestProgram(t *testing.T) {
	const role = "NFTDICT_TEST_PROGRAM"
	if who := os.Getenv(role); who != "" {
		program(t, who)
		return
	}
	newHost(t)
	var programs []*exec.Cmd
	var outputs []*bytes.Buffer
	for i := range 3 {
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestProgram$", "-test.v")
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", role, i))
		out := &bytes.Buffer{}
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Start(); err != nil { // in the namespace of this thread
			t.Fatal(err)
		}
		programs, outputs = append(programs, cmd), append(outputs, out)
	}
	for i, cmd := range programs {
		if err := cmd.Wait(); err != nil || !strings.Contains(outputs[i].String(), "--- PASS") {
			t.Errorf("program %d: %v\n%s", i, err, outputs[i])
		}
	}
	if got := all(t); got != "" {
		t.Errorf("the programs left %q", got)
	}
}

// program is what one of them does.
func program(t *testing.T, who string) {
	if os.Getuid() != 0 {
		t.Fatal("such programs are root")
	}
	ns, err := os.Open("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	var threads sync.WaitGroup
	for i := range 2 {
		threads.Go(func() {
			key := fmt.Sprintf("table=sessions_%s,key_int=%d,", who, i)
			for round := range 20 {
				for _, v := range []struct{ token, line string }{
					{"string=a word", "string: a word"}, {fmt.Sprintf("int=%d", -round), fmt.Sprintf("int: %d", -round)}, {"int64=5000000000", "int64: 5000000000"},
					{"bool=true", "bool: true"}, {"ip=192.0.2.1", "ip: 192.0.2.1"}, {"mac=02:00:00:00:00:0a", "mac: 02:00:00:00:00:0a"},
					{"ip6=2001:db8::1", "ip6: 2001:0db8:0000:0000:0000:0000:0000:0001"},
				} {
					if err := errors.Join(write("write", key+"field=f,"+v.token), write("write", key+"field=stays,int=1\n")); err != nil {
						t.Error(err)
						return
					}
					want := fmt.Sprintf("table: sessions_%s key_int: %d field: f %s\n", who, i, v.line)
					if got, err := read(key + "field=f"); err != nil || got != want {
						t.Errorf("read %q, %v, want %q", got, err, want)
						return
					}
					want += fmt.Sprintf("table: sessions_%s key_int: %d field: stays int: 1\n", who, i)
					if got, err := read(strings.TrimSuffix(key, ",")); err != nil || got != want {
						t.Errorf("read %q, %v, want %q", got, err, want)
						return
					}
				}
				if err := write("delete", key+"field=f"); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	threads.Wait()
	text, err := os.ReadFile("/proc/net/dict/all")
	for i := range 2 {
		if line := fmt.Sprintf("table: sessions_%s key_int: %d field: stays int: 1\n", who, i); err != nil || !strings.Contains(string(text), line) {
			t.Errorf("all is %q, %v, want %q in it", text, err, line)
		}
	}
	if err := write("delete", "table=sessions_"+who); err != nil {
		t.Error(err)
	}
}

// TestFileState: what was selected, and how far it was read, belongs to the
// open file: another open of the same file has its own, threads that share one
// share it; and each file does one thing only.
func TestFileState(t *testing.T) {
	newHost(t)
	for _, line := range []string{"table=a,key_int=1,field=f,int=1", "table=a,key_int=2,field=f,int=2", "table=b,key_int=1,field=f,int=3"} {
		if err := write("write", line); err != nil {
			t.Fatal(err)
		}
	}
	open := func(name string, flags int) *os.File {
		t.Helper()
		f, err := os.OpenFile(dir+name, flags, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	const a1, a2, b1 = "table: a key_int: 1 field: f int: 1\n", "table: a key_int: 2 field: f int: 2\n", "table: b key_int: 1 field: f int: 3\n"
	one, two := open("read", os.O_RDWR), open("read", os.O_RDWR)
	choose := func(f *os.File, line string) {
		t.Helper()
		if _, err := f.WriteString(line); err != nil {
			t.Fatal(err)
		}
	}
	part := func(f *os.File, n int) string {
		t.Helper()
		buf := make([]byte, n)
		n, err := io.ReadFull(f, buf)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		return string(buf[:n])
	}
	is := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: read %q, want %q", what, got, want)
		}
	}
	choose(one, "table=a")
	choose(two, "table=b\n")
	is("the first ten bytes of one", part(one, 10), a1[:10])
	is("two", part(two, 1000), b1)
	is("the rest of one", part(one, 1000), a1[10:]+a2)
	is("after the end", part(one, 10), "")
	choose(one, "table=b,key_int=1")
	is("another selection", part(one, 5), b1[:5])
	choose(one, "table=a,key_int=2,field=f")
	is("a selection in the middle", part(one, 1000), a2)
	if _, err := one.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	is("from the start", part(one, 1000), a2)
	if _, err := one.WriteString("key_int=x"); !errors.Is(err, unix.EINVAL) {
		t.Errorf("a selection that is none: %v, want %v", err, unix.EINVAL)
	}
	if _, err := one.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	is("a selection that was refused changes nothing", part(one, 1000), a2)
	for _, offset := range []int64{1, -1} {
		if _, err := one.Seek(offset, io.SeekStart); err == nil {
			t.Errorf("seek to %d is done", offset)
		}
	}

	// Byte by byte, by threads that share the file: nothing lost, nothing twice.
	choose(two, "table=a")
	var mu sync.Mutex
	count := map[byte]int{}
	var threads sync.WaitGroup
	for range 3 {
		threads.Go(func() {
			for buf := make([]byte, 1); ; {
				n, err := two.Read(buf)
				if n == 0 || err != nil {
					return
				}
				mu.Lock()
				count[buf[0]]++
				mu.Unlock()
			}
		})
	}
	threads.Wait()
	for c, n := range count {
		if want := strings.Count(a1+a2, string(c)); n != want {
			t.Errorf("%q was read %d times, want %d", c, n, want)
		}
		delete(count, c)
	}

	// What a file is not for.
	for name, flags := range map[string]int{"all": os.O_WRONLY, "write": os.O_RDONLY, "delete": os.O_RDONLY} {
		f, err := os.OpenFile(dir+name, flags, 0)
		if err != nil {
			continue
		}
		if flags == os.O_WRONLY {
			_, err = f.WriteString("table=a")
		} else {
			_, err = f.Read(make([]byte, 10))
		}
		if err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s is used for what it is not for: %v", name, err)
		}
		f.Close()
	}
	// A file that is open when its table goes, and when its row goes.
	choose(one, "table=b")
	if err := write("delete", "table=b"); err != nil {
		t.Fatal(err)
	}
	is("a table that has gone", part(one, 100), "")
	choose(one, "table=a")
	is("a part of the first row", part(one, 3), a1[:3])
	if err := write("delete", "table=a,key_int=2"); err != nil {
		t.Fatal(err)
	}
	is("the next row has gone", part(one, 1000), a1[3:])
}
