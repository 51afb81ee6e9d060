// SPDX-License-Identifier: MIT

package portal

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// killedDir names the directory in which a process of TestKilled works until it is
// killed.
const killedDir = "NFTDICT_PORTAL_KILLED"

const killedDevices = 5

func killedAddr(i int) string { return fmt.Sprintf("10.0.0.%d", i+1) }

// TestKilled kills whoever lets in and out, again and again: what was answered is so
// with the next one, and the files agree.
func TestKilled(t *testing.T) {
	if dir := os.Getenv(killedDir); dir != "" {
		killedWork(t, dir)
	}
	r := newRig(t)
	for i := range killedDevices {
		r.hear(killedAddr(i), mac(byte(i+1)))
	}
	in := make([]bool, killedDevices)
	for round := range 6 {
		r.stop(true)
		said := killedRun(t, r.dir, time.Duration(20+30*round)*time.Millisecond)
		for _, s := range said {
			in[s.device] = s.in
		}
		r.start(Settings{Ways: r.names(), Session: time.Hour})
		r.people.Flush()
		other := 0
		for i := range in {
			v := r.visit(killedAddr(i))
			if v.In != in[i] {
				other++ // it was about to answer
			}
			in[i] = v.In
			user := ""
			if v.In {
				user = v.User
			}
			r.rows(killedAddr(i), user)
		}
		if logins := r.people.LoginsBy(By); other > 1 || len(logins) != len(r.Sessions()) {
			t.Errorf("round %d, %d answers: %d devices are not as it was answered; %d logins of %d sessions", round, len(said), other, len(logins), len(r.Sessions()))
		}
	}
}

// answered is what a process has answered for.
type answered struct {
	device int
	in     bool
}

// killedRun has a process work, kills it some time after its first answer, and returns
// its answers.
func killedRun(t *testing.T, dir string, after time.Duration) (said []answered) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), killedDir+"="+dir, "TMPDIR="+t.TempDir()) // it leaves all behind
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var a answered
		if _, err := fmt.Sscan(lines.Text(), &a.device, &a.in); err != nil || a.device >= killedDevices {
			t.Errorf("answer %q: %v", lines.Text(), err)
			break
		}
		if said = append(said, a); len(said) == 1 {
			time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) // it may have failed by then
		}
	}
	if err := cmd.Wait(); err == nil || len(said) == 0 {
		t.Errorf("it has ended by itself, after %d answers", len(said))
	}
	return said
}

// killedWork lets devices in and out until somebody kills the process.
func killedWork(t *testing.T, dir string) {
	r := newRig(t)
	r.stop(true)
	r.dir = dir
	r.start(Settings{Ways: r.names(), Session: time.Hour})
	for i := range killedDevices {
		r.hear(killedAddr(i), mac(byte(i+1)))
	}
	for n := 0; ; n++ {
		i := n * 7 % killedDevices
		v, err := r.Visitor(t.Context(), from(killedAddr(i)))
		if v.In {
			err = r.Leave(t.Context(), from(killedAddr(i)))
		} else if err == nil {
			r.clock.Advance(2 * time.Second) // nobody is too fast
			_, err = r.enter(killedAddr(i), Click, "", "")
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(i, !v.In)
	}
}
