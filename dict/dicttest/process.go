// SPDX-License-Identifier: MIT

package dicttest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"nftdict/dict"
)

// childEnv is the environment variable that makes Run the other process.
const childEnv = "NFTDICT_DICTTEST_CHILD"

// order is what the other process shall do.
type order struct {
	Test    string // the test that called Run
	Address string // of the store
	Op      string
	Round   int // names the row by which the child says that it has begun
}

// childLife is how long a child lives that nobody kills.
const childLife = 30 * time.Second

// child carries out an order if this process is the other one.
func (x *suite) child(t *testing.T) bool {
	text := os.Getenv(childEnv)
	if text == "" {
		return false
	}
	var o order
	must(t, json.Unmarshal([]byte(text), &o))
	if o.Test != t.Name() {
		return true
	}
	s, err := x.reopen(o.Address)
	must(t, err)
	defer s.Close()
	op := map[string]func(*testing.T, dict.Store, order){
		"share": childShare, "fresh": childFresh, "merge": childMerge, "admin": childAdmin,
	}[o.Op]
	if op == nil {
		t.Fatalf("unknown order %q", o.Op)
	}
	op(t, s, o)
	return true
}

// start runs the test binary again to do op on the store, and waits until it
// has begun. kill ends it by SIGKILL; wait returns how it ended.
func (x *suite) start(t *testing.T, s dict.Store, op string, round int) (kill func(), wait func() error) {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	test := t.Name()[:strings.LastIndexByte(t.Name(), '/')]
	text, err := json.Marshal(order{Test: test, Address: x.address(s), Op: op, Round: round})
	must(t, err)
	var pattern []string
	for part := range strings.SplitSeq(test, "/") {
		pattern = append(pattern, "^"+regexp.QuoteMeta(part)+"$")
	}
	cmd := exec.Command(exe, "-test.run="+strings.Join(pattern, "/"), "-test.timeout="+(2*childLife).String())
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	must(t, cmd.Start())
	ended := make(chan struct{})
	var end error
	go func() {
		defer close(ended)
		if end = cmd.Wait(); end != nil {
			end = fmt.Errorf("%w: %s", end, out.String())
		}
	}()
	kill = func() {
		cmd.Process.Kill()
		<-ended
	}
	t.Cleanup(kill)
	eventually(t, "the other process begins", func() bool {
		select {
		case <-ended:
			t.Fatalf("the other process ended before it began: %v\n%s", end, out.String())
		default:
		}
		_, err := s.Get("begun", dict.IntKey(uint32(round)))
		return err == nil
	})
	return kill, func() error { <-ended; return end }
}

// begun returns the table by which children say that they have begun.
func begun() dict.Table {
	return dict.Table{Name: "begun", Key: dict.KeyInt, Limit: 1000, Fields: []dict.Field{{Name: "n", Type: dict.Int}}}
}

func begin(t *testing.T, s dict.Store, o order) {
	t.Helper()
	must(t, s.Put("begun", row(dict.IntKey(uint32(o.Round)))))
}

// twinKeys is how many rows the children write.
const twinKeys = 16

// childFresh writes rows that are always new, until it is killed.
func childFresh(t *testing.T, s dict.Store, o order) {
	begin(t, s, o)
	for n, end := int64(o.Round)*1e9, time.Now().Add(childLife); time.Now().Before(end); n++ {
		k := uint32(n % twinKeys)
		s.Delete("twins", dict.IntKey(k))
		must(t, s.Put("twins", twin(k, n)))
	}
}

// childMerge writes over rows, singly and in batches, until it is killed.
func childMerge(t *testing.T, s dict.Store, o order) {
	begin(t, s, o)
	for n, end := int64(o.Round)*1e9, time.Now().Add(childLife); time.Now().Before(end); n++ {
		must(t, s.Put("twins", twin(uint32(n%twinKeys), n)))
		var batch []dict.Row
		for k := range uint32(twinKeys) {
			batch = append(batch, twin(k, n))
		}
		must(t, s.Put("twins", batch...))
	}
}

// childAdmin adds, fills and deletes tables until it is killed.
func childAdmin(t *testing.T, s dict.Store, o order) {
	begin(t, s, o)
	for n, end := 0, time.Now().Add(childLife); time.Now().Before(end); n++ {
		s.DeleteTable("brittle")
		must(t, s.AddTable(brittle()))
		must(t, s.AddFields("brittle", dict.Field{Name: "late", Type: dict.String}))
		must(t, s.Put("brittle", row(dict.IntKey(1), "n", dict.IntValue(1), "late", str("l"))))
		must(t, s.Put("free", row(dict.IntKey(1), fmt.Sprintf("f%d", n%100), num(1))))
	}
}

// brittle returns the schema of the table that childAdmin adds and deletes.
func brittle() dict.Table {
	return dict.Table{Name: "brittle", Key: dict.KeyInt, Limit: 10, Fields: []dict.Field{
		{Name: "n", Type: dict.Int}, {Name: "d", Type: dict.Int, Default: dict.IntValue(1)},
	}}
}

// childShare does the child's part of processes and ends by itself.
func childShare(t *testing.T, s dict.Store, o order) {
	begin(t, s, o)
	must(t, s.AddTable(dict.Table{Name: "childs", Key: dict.KeyInt, Limit: 10, Fields: []dict.Field{{Name: "n", Type: dict.Int}}}))
	must(t, s.AddFields("people", dict.Field{Name: "childs-field", Type: dict.Int, Aliases: []string{"cf"}}))
	must(t, s.Put("childs", row(dict.IntKey(1), "n", dict.IntValue(7))))
	must(t, s.Put("people", row(key("shared"), "childs_field", dict.IntValue(7))))
	for n := range int64(500) {
		must(t, s.Put("people", row(key("shared"), "quota", num(n+1))))
	}
	r, err := s.Get("people", key("before"))
	must(t, err)
	same(t, "row written before the child was born", r.Cells, cells("groups", str("parent")))
}

// processes: two processes write the same row, and each sees what the other
// adds.
func (x *suite) processes(t *testing.T) {
	s := x.with(t, begun(), people())
	must(t, s.Put("people", row(key("before"), "groups", str("parent"))))
	_, wait := x.start(t, s, "share", 0)
	for n := range int32(500) {
		must(t, s.Put("people", row(key("shared"), "age", dict.IntValue(n+1))))
	}
	must(t, wait())
	wantRow(t, s, "people", key("shared"), "quota", num(500), "age", dict.IntValue(500), "childs_field", dict.IntValue(7))
	wantRow(t, s, "childs", dict.IntKey(1), "n", dict.IntValue(7))
	must(t, s.Put("people", row(key("shared"), "cf", dict.IntValue(8))))
	wantRow(t, s, "people", key("shared"), "quota", num(500), "age", dict.IntValue(500), "childs_field", dict.IntValue(8))
	must(t, s.DeleteTable("childs"))
}

// killedWriter: a writer that is killed at any moment leaves whole rows and no
// lock. Readers see new rows whole all the while.
func (x *suite) killedWriter(t *testing.T) {
	s := x.with(t, begun(), twins())
	const rounds = 16
	for round := range rounds {
		op := []string{"fresh", "merge"}[round%2]
		kill, _ := x.start(t, s, op, round)
		stop := make(chan struct{})
		var reading sync.WaitGroup
		if op == "fresh" && round > 0 {
			reading.Go(func() { readTwins(t, s, twinKeys, stop) })
		}
		time.Sleep(rand.N(25 * time.Millisecond))
		kill()
		close(stop)
		reading.Wait()
		within(t, "work after a writer was killed", func() error {
			n := 0
			for r, err := range s.Rows("twins") {
				if err != nil {
					return err
				}
				if err := checkTwin(r); err != nil {
					return err
				}
				n++
			}
			st, err := s.Stats("twins")
			if err != nil {
				return err
			}
			if st.Rows != n || st.Refused != 0 {
				return fmt.Errorf("figures are %+v, %d rows are there", st, n)
			}
			for k := range uint32(twinKeys) {
				if err := s.Put("twins", twin(k, int64(round))); err != nil {
					return err
				}
				r, err := s.Get("twins", dict.IntKey(k))
				if err != nil {
					return err
				}
				if err := checkTwin(r); err != nil {
					return err
				}
			}
			return nil
		})
		wantRows(t, s, "twins", twinKeys)
		if t.Failed() {
			return
		}
	}
}

// killedAdmin: a process killed while it adds and deletes tables and fields
// leaves a table or none, and no lock.
func (x *suite) killedAdmin(t *testing.T) {
	s := x.with(t, begun(), people(), dict.Table{Name: "free", Key: dict.KeyInt, Open: true})
	must(t, s.Put("people", row(key("al"), "age", dict.IntValue(1))))
	for round := range 12 {
		kill, _ := x.start(t, s, "admin", round)
		time.Sleep(rand.N(40 * time.Millisecond))
		kill()
		within(t, "work after an admin was killed", func() error {
			tables, err := s.Tables()
			if err != nil {
				return err
			}
			for _, tab := range tables {
				if _, err := tab.Normal(); err != nil {
					return err
				}
				for _, err := range s.Rows(tab.Name) {
					if err != nil {
						return err
					}
				}
				if tab.Name == "brittle" {
					if err := s.Put("brittle", row(dict.IntKey(2), "n", dict.IntValue(2))); err != nil {
						return err
					}
					if err := s.DeleteTable("brittle"); err != nil {
						return err
					}
				}
			}
			if err := s.AddTable(brittle()); err != nil {
				return err
			}
			return s.Put("free", row(dict.IntKey(2), fmt.Sprint("round", round), num(1)))
		})
		want, err := brittle().Normal()
		must(t, err)
		got, err := s.Table("brittle")
		must(t, err)
		same(t, "a table made anew after its maker was killed", got, want)
		wantRows(t, s, "brittle", 0)
		wantRow(t, s, "people", key("al"), "age", dict.IntValue(1))
		if round%2 == 0 {
			must(t, s.DeleteTable("brittle"))
		}
	}
}
