// SPDX-License-Identifier: MIT

package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nftdict/dictd/portal"
)

// fake is a desk that says what it was asked.
type fake struct {
	mu    sync.Mutex
	asked []any
	err   error
	hold  chan struct{} // Enter waits for it
}

var left = int64(5)

// seen is what the fake answers.
var seen = portal.Visitor{In: true, User: "anna", Way: portal.Account, Since: time.Unix(5, 0).UTC(), Until: time.Unix(9, 0).UTC(), BytesLeft: &left, Ways: []string{"x"}, Cookie: "c"}

func (f *fake) ask(what ...any) (portal.Visitor, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, what...)
	return seen, f.err
}

func (f *fake) Visitor(_ context.Context, from portal.From) (portal.Visitor, error) {
	return f.ask("visitor", from)
}

func (f *fake) Enter(ctx context.Context, from portal.From, c portal.Credentials) (portal.Visitor, error) {
	if f.hold != nil {
		select {
		case <-f.hold:
		case <-ctx.Done():
			return portal.Visitor{}, ctx.Err()
		}
	}
	return f.ask("enter", from, c)
}

func (f *fake) Leave(_ context.Context, from portal.From) error {
	_, err := f.ask("leave", from)
	return err
}

func (f *fake) Extend(_ context.Context, from portal.From) (portal.Visitor, error) {
	return f.ask("extend", from)
}

func (f *fake) Begin(_ context.Context, from portal.From, way string) (string, error) {
	_, err := f.ask("begin", from, way)
	return "https://provider.example/", err
}

func (f *fake) Finish(_ context.Context, from portal.From, way, state, code string) (portal.Visitor, error) {
	return f.ask("finish", from, way, state, code)
}

// rig is both ends.
type rig struct {
	*fake
	*Client
	served chan error
	stop   func()
	log    strings.Builder
}

func start(t *testing.T, f *fake) *rig {
	t.Helper()
	here, there := ends(t)
	r := &rig{fake: f, Client: NewClient(there), served: make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { r.served <- Serve(ctx, here, f, slog.New(slog.NewTextHandler(&r.log, nil))) }()
	go func() { ran <- r.Client.Run(context.Background()) }()
	r.stop = cancel
	t.Cleanup(func() {
		cancel()
		if err := <-ran; !errors.Is(err, ErrGone) {
			t.Error(err)
		}
	})
	return r
}

func ends(t *testing.T) (here, there *net.UnixConn) {
	t.Helper()
	here, file, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	if there, err = FromFile(file); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { here.Close(); there.Close() })
	return here, there
}

var who = portal.From{Addr: netip.MustParseAddr("2001:db8::1"), Cookie: "c", Language: "de"}

// TestDesk asks everything, and hears every answer.
func TestDesk(t *testing.T) {
	r := start(t, new(fake))
	ctx, cred := t.Context(), portal.Credentials{Way: "account", Name: "ännä <&>", Secret: " s "}
	var got []any
	for _, ask := range []func() (any, error){
		func() (any, error) { return r.Client.Visitor(ctx, who) },
		func() (any, error) { return r.Client.Enter(ctx, who, cred) },
		func() (any, error) { return nil, r.Client.Leave(ctx, who) },
		func() (any, error) { return r.Client.Extend(ctx, who) },
		func() (any, error) { return r.Client.Begin(ctx, who, "oidc") },
		func() (any, error) { return r.Client.Finish(ctx, who, "oidc", "state", "code") },
	} {
		a, err := ask()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, a)
	}
	addr := cmpopts.EquateComparable(netip.Addr{})
	if diff := cmp.Diff([]any{seen, seen, nil, seen, "https://provider.example/", seen}, got, addr); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	want := []any{"visitor", who, "enter", who, cred, "leave", who, "extend", who, "begin", who, "oidc", "finish", who, "oidc", "state", "code"}
	if diff := cmp.Diff(want, r.asked, addr); diff != "" {
		t.Errorf("questions (-want +got):\n%s", diff)
	}
	r.fake.err = fmt.Errorf("somewhere: %w", &portal.Refusal{Code: portal.CodeTooFast, After: time.Minute})
	_, err := r.Client.Enter(ctx, who, cred)
	var refusal *portal.Refusal
	if !errors.As(err, &refusal) || refusal.After != time.Minute || !errors.Is(err, portal.ErrTooFast) {
		t.Errorf("%v", err)
	}
	if _, err := r.Client.Begin(ctx, who, "oidc"); !errors.Is(err, portal.ErrTooFast) {
		t.Errorf("%v", err)
	}
	r.fake.err = errors.New("/var/lib/dictd/portal.db: broken")
	if err := r.Client.Leave(ctx, who); err == nil || strings.Contains(err.Error(), "portal.db") {
		t.Errorf("%v", err)
	}
	// What a visitor may type is refused here: the daemon would end everything.
	cred.Secret = strings.Repeat("x", maxSecret+1)
	if _, err := r.Client.Enter(ctx, who, cred); !errors.Is(err, portal.ErrWrong) {
		t.Errorf("%v", err)
	}
	cred.Secret = "a\nb"
	if _, err := r.Client.Enter(ctx, who, cred); !errors.Is(err, portal.ErrWrong) {
		t.Errorf("%v", err)
	}
	r.stop()
	if err := <-r.served; err != nil {
		t.Error(err)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		_, err := r.Client.Visitor(ctx, who)
		if errors.Is(err, ErrGone) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("gone, and: %v", err)
		}
	}
}

// TestSlow has all places of slow answers taken: more are told to come again, and
// quick ones are answered.
func TestSlow(t *testing.T) {
	f := &fake{hold: make(chan struct{})}
	r := start(t, f)
	answers := make(chan error, 2*maxSlow)
	for range 2 * maxSlow {
		go func() {
			_, err := r.Client.Enter(t.Context(), who, portal.Credentials{Way: "account"})
			answers <- err
		}()
	}
	for range maxSlow {
		if err := <-answers; !errors.Is(err, portal.ErrTooFast) {
			t.Errorf("%v", err)
		}
	}
	for range 100 {
		if _, err := r.Client.Visitor(t.Context(), who); err != nil {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Client.Visitor(ctx, who); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	close(f.hold)
	for range maxSlow {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
}

// TestHostile asks what no Client does: it is not answered, and the connection ends.
func TestHostile(t *testing.T) {
	const from = `"from":{"addr":"192.0.2.1"}`
	for _, text := range []string{
		"", "{", "[]", "null", `{"id":1}`, `"visitor"`,
		`{"id":1,"verb":"visitor"}`,
		`{"id":1,"verb":"visitor","from":{"addr":""}}`,
		`{"id":1,"verb":"visitor","from":{"addr":"::"}}`,
		`{"id":1,"verb":"visitor","from":{"addr":"ff02::1"}}`,
		`{"id":1,"verb":"visitor","from":{"addr":"255.255.255.255"}}`,
		`{"id":1,"verb":"visitor","from":{"addr":"::ffff:192.0.2.1"}}`,
		`{"id":1,"verb":"visitor","from":{"addr":"fe80::1%eth0"}}`,
		`{"id":1,"verb":"kick",` + from + `}`,
		`{"id":1,"verb":"enter",` + from + `}`,
		`{"id":1,"verb":"leave","credentials":{"way":"click"},` + from + `}`,
		`{"id":1,"verb":"visitor","way":"oidc",` + from + `}`,
		`{"id":1,"verb":"begin","way":"oidc","state":"x",` + from + `}`,
		`{"id":1,"verb":"visitor","root":true,` + from + `}`,
		`{"id":-1,"verb":"visitor",` + from + `}`,
		`{"id":1,"verb":"visitor",` + from + `}{"id":2,"verb":"visitor",` + from + `}`,
		`{"id":1,"verb":"enter","credentials":{"way":"` + strings.Repeat("x", maxWay+1) + `"},` + from + `}`,
		`{"id":1,"verb":"enter","credentials":{"way":"x","name":"` + strings.Repeat("x", maxName+1) + `"},` + from + `}`,
		`{"id":1,"verb":"enter","credentials":{"way":"x","secret":"a\u0000"},` + from + `}`,
		`{"id":1,"verb":"visitor","from":{"addr":"192.0.2.1","cookie":"a\r\nb"}}`,
		`{"id":1,"verb":"visitor","from":{"addr":"192.0.2.1","cookie":"` + strings.Repeat("x", maxCookie+1) + `"}}`,
		`{"id":1,"verb":"visitor",` + from + strings.Repeat(" ", maxMessage) + `}`,
	} {
		here, there := ends(t)
		f := new(fake)
		done := make(chan error, 1)
		go func() { done <- Serve(t.Context(), here, f, slog.New(slog.DiscardHandler)) }()
		if text == "" { // a message of no bytes looks like the end
			there.Close()
			if err := <-done; err != nil {
				t.Error(err)
			}
			continue
		}
		if _, err := there.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err == nil || f.asked != nil {
			t.Errorf("%.100s: %v, asked %v", text, err, f.asked)
		}
		if n, err := there.Read(make([]byte, 100)); n != 0 || err == nil {
			t.Errorf("%.100s: answered", text)
		}
	}
}

// TestDeaf asks without end, and reads no answer: the daemon does a bounded number of
// things at a time, and ends when it is told to.
func TestDeaf(t *testing.T) {
	for _, verb := range []string{`"visitor"`, `"enter","credentials":{"way":"x"}`} {
		here, there := ends(t)
		ctx, cancel := context.WithCancel(t.Context())
		before := runtime.NumGoroutine()
		done := make(chan error, 1)
		go func() { done <- Serve(ctx, here, new(fake), slog.New(slog.DiscardHandler)) }()
		if err := there.SetWriteDeadline(time.Now().Add(500 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		n := 0
		for ; n < 100_000; n++ {
			if _, err := fmt.Fprintf(there, `{"id":%d,"verb":%s,"from":{"addr":"192.0.2.1"}}`, n, verb); err != nil {
				break
			}
		}
		if now := runtime.NumGoroutine(); n == 100_000 || now-before > maxQuick+maxSlow+10 {
			t.Errorf("%s: %d questions are taken, %d goroutines", verb, n, now-before)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// FuzzQuestion reads questions; what is taken travels back and forth as it is.
func FuzzQuestion(f *testing.F) {
	f.Add([]byte(`{"id":1,"verb":"enter","from":{"addr":"192.0.2.1"},"credentials":{"way":"click"}}`))
	f.Add([]byte(`{"id":1,"verb":"finish","from":{"addr":"2001:db8::1"},"way":"oidc","state":"s","code":"c"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		q, err := parse(text)
		if err != nil {
			return
		}
		again, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		same, err := parse(again)
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		if diff := cmp.Diff(q, same, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
