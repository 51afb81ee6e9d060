// SPDX-License-Identifier: MIT

package dicttest

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
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
		"share": childShare, "fresh": childFresh, "merge": childMerge, "retype": childRetype, "admin": childAdmin, "add": childAdd,
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

// processes: two processes write the same row, and each sees what the other
// adds.
func (x *suite) processes(t *testing.T) {
	s := x.with(t, begun(), people(), dict.Table{Name: "tiny", Key: dict.KeyInt, Limit: 1})
	must(t, s.Put("people", row(key("before"), "groups", str("parent"))))
	must(t, s.Put("tiny", row(dict.IntKey(1))))
	refused(t, s.Put("tiny", row(dict.IntKey(2))), dict.ErrFull, "tiny")
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
	st, err := s.Stats("tiny")
	must(t, err)
	same(t, "figures of what both refused", st, dict.Stats{Rows: 1, Limit: 1, Refused: 4})
}
