// SPDX-License-Identifier: MIT

package portal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"nftdict/dict"
)

func contains(text []byte, s string) bool { return bytes.Contains(text, []byte(s)) }

func (r *rig) batch(b Batch) *Made {
	r.t.Helper()
	made, err := r.MakeVouchers(b)
	if err != nil {
		r.t.Fatal(err)
	}
	return made
}

func amount(n int64) *int64 { return &n }

// The time of a voucher begins with its first use, and goes on while nobody is in.
func TestVoucherTime(t *testing.T) {
	r := newRig(t)
	r.hear("10.0.0.1", mac(1))
	made := r.batch(Batch{Name: "may", Prefix: "inn", Count: 2, Time: 2 * time.Hour, Devices: 1})
	code := made.Vouchers[0].Code
	if !strings.HasPrefix(code, "INN-") || made.Vouchers[0].Number == made.Vouchers[1].Number {
		t.Fatalf("made %+v", made)
	}
	r.clock.Advance(24 * time.Hour)
	first := r.clock.Now()
	v := r.enters("10.0.0.1", Voucher, "", " "+strings.ToLower(strings.ReplaceAll(code, "-", " ")))
	if !v.Until.Equal(first.Add(2*time.Hour)) || v.User != "voucher-1" || v.CanExtend {
		t.Errorf("%+v", v)
	}
	r.clock.Advance(time.Hour)
	if err := r.Leave(t.Context(), from("10.0.0.1")); err != nil {
		t.Fatal(err)
	}
	r.again()
	if v := r.enters("10.0.0.1", Voucher, "", strings.TrimPrefix(code, "INN-")); !v.Until.Equal(first.Add(2 * time.Hour)) {
		t.Errorf("the time began anew: %+v", v)
	}
	if _, err := r.Extend(t.Context(), from("10.0.0.1")); !errors.Is(err, ErrCannotExtend) {
		t.Errorf("extended: %v", err)
	}
	r.clock.Advance(time.Hour)
	r.endsOver()
	r.rows("10.0.0.1", "")
	r.refused(ErrExpired, "10.0.0.1", Voucher, "", code)
	r.refused(ErrWrong, "10.0.0.1", Voucher, "", "OUT-"+strings.TrimPrefix(code, "INN-"))
	if text, err := os.ReadFile(filepath.Join(r.dir, "portal.db")); err != nil || contains(text, strings.ReplaceAll(strings.TrimPrefix(code, "INN-"), "-", "")) {
		t.Errorf("the file has a code, or cannot be read: %v", err)
	}
}

// The volume of a voucher is its own, however often and wherever somebody comes in by it.
func TestVoucherVolume(t *testing.T) {
	r := newRig(t)
	r.hear("10.0.0.1", mac(1))
	r.hear("10.0.0.2", mac(2))
	code := r.batch(Batch{Name: "may", Count: 1, Bytes: amount(20e6)}).Vouchers[0].Code
	in := func(addr string, want int64) {
		t.Helper()
		if v := r.enters(addr, Voucher, "", code); v.BytesLeft == nil || *v.BytesLeft != want {
			t.Errorf("left %+v, want %d", v, want)
		}
	}
	in("10.0.0.1", 20e6)
	if row, err := r.store.Get(dict.Users, mustKey(t, "voucher-1")); err != nil || func() string { v, _ := row.Get("usergroups"); return v.Str() }() != VolumeGroup {
		t.Errorf("user %v, %v", row, err)
	}
	r.volume.use("voucher-1", 5e6)
	in("10.0.0.2", 15e6) // a second device takes from the same
	r.volume.use("voucher-1", 5e6)
	if n, err := r.EndOf("voucher-1", CauseKicked); n != 2 || err != nil {
		t.Errorf("ended %d, %v", n, err)
	}
	delete(r.volume.left, "voucher-1") // whoever counts forgets
	r.again()
	in("10.0.0.1", 10e6)
	r.again() // with the session
	r.rows("10.0.0.1", "voucher-1")
	r.volume.use("voucher-1", 10e6+300)
	r.look()
	r.rows("10.0.0.1", "")
	r.refused(ErrUsedUp, "10.0.0.1", Voucher, "", code)
	all, err := r.Vouchers("may")
	if err != nil || len(all) != 1 || *all[0].Left != 0 || all[0].First.IsZero() {
		t.Errorf("%+v, %v", all, err)
	}
}

// Who comes in again by a voucher whose session this ends, at the same device or another,
// has what was left of it, not what it had when that session began.
func TestVoucherMoves(t *testing.T) {
	r := newRig(t)
	r.hear("10.0.0.1", mac(1))
	r.hear("10.0.0.2", mac(2))
	code := r.batch(Batch{Name: "may", Count: 1, Bytes: amount(20e6), Devices: 1}).Vouchers[0].Code
	left := int64(20e6)
	for _, addr := range []string{"10.0.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.1"} {
		if v := r.enters(addr, Voucher, "", code); v.BytesLeft == nil || *v.BytesLeft != left {
			t.Errorf("%s: left %d, want %d", addr, *v.BytesLeft, left)
		}
		r.volume.use("voucher-1", 5e6)
		left -= 5e6
	}
	r.refused(ErrUsedUp, "10.0.0.2", Voucher, "", code)
	r.rows("10.0.0.2", "")
}

// What is taken back between its check and the session that it is for lets nobody in.
func TestTakenBackMeanwhile(t *testing.T) {
	r := newRig(t)
	r.hear("10.0.0.1", mac(1))
	made := r.batch(Batch{Name: "may", Count: 2})
	if err := r.SetAccount(LocalAccount{Name: "bob"}, "a long password"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		way, name, secret string
		takeBack          func() error
		want              error
	}{
		{Voucher, "", made.Vouchers[0].Code, func() error { return r.RevokeVoucher(made.Vouchers[0].Number) }, ErrRevoked},
		{Voucher, "", made.Vouchers[1].Code, func() error { return r.RemoveBatch("may") }, ErrRevoked},
		{Account, "bob", "a long password", func() error { return r.RemoveAccount("bob") }, ErrWrong},
	} {
		_, err := r.try(t.Context(), from("10.0.0.1"), c.way, c.name, func(w Way, a Attempt) (Grant, error) {
			a.Name, a.Secret = c.name, c.secret
			g, err := w.Check(t.Context(), a)
			return g, errors.Join(err, c.takeBack())
		})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.way, err, c.want)
		}
		r.rows("10.0.0.1", "")
	}
}

// What cannot be counted is not let in.
func TestVolumeFails(t *testing.T) {
	r := newRig(t)
	r.hear("10.0.0.1", mac(1))
	code := r.batch(Batch{Name: "may", Count: 1, Bytes: amount(20e6)}).Vouchers[0].Code
	r.volume.fail = true
	var refusal *Refusal
	if _, err := r.enter("10.0.0.1", Voucher, "", code); err == nil || errors.As(err, &refusal) {
		t.Errorf("got %v", err)
	}
	r.rows("10.0.0.1", "")
	if len(r.Sessions()) != 0 {
		t.Error("there is a session")
	}
	r.volume.fail = false
	r.enters("10.0.0.1", Voucher, "", code)
}

func TestVoucherRevoked(t *testing.T) {
	r := newRig(t)
	r.hear("10.0.0.1", mac(1))
	r.hear("10.0.0.2", mac(2))
	made := r.batch(Batch{Name: "may", Count: 3})
	june := r.batch(Batch{Name: "june", Count: 1, Valid: r.clock.Now().Add(time.Hour)})
	r.enters("10.0.0.1", Voucher, "", made.Vouchers[0].Code)
	r.enters("10.0.0.2", Voucher, "", made.Vouchers[1].Code)
	if err := r.RevokeVoucher(made.Vouchers[0].Number); err != nil {
		t.Fatal(err)
	}
	r.rows("10.0.0.1", "")
	r.rows("10.0.0.2", "voucher-2")
	r.refused(ErrRevoked, "10.0.0.1", Voucher, "", made.Vouchers[0].Code)
	if err := r.RevokeBatch("may"); err != nil {
		t.Fatal(err)
	}
	r.rows("10.0.0.2", "")
	r.refused(ErrRevoked, "10.0.0.1", Voucher, "", made.Vouchers[2].Code)
	if err := r.RemoveBatch("may"); err != nil {
		t.Fatal(err)
	}
	r.refused(ErrWrong, "10.0.0.1", Voucher, "", made.Vouchers[2].Code)
	if v := r.enters("10.0.0.1", Voucher, "", june.Vouchers[0].Code); !v.Until.Equal(june.Valid) {
		t.Errorf("%+v", v)
	}
	r.clock.Advance(time.Hour)
	r.endsOver()
	r.refused(ErrExpired, "10.0.0.1", Voucher, "", june.Vouchers[0].Code)
	for _, err := range []error{r.RevokeVoucher(99), r.RevokeBatch("may"), r.RemoveBatch("may")} {
		if !errors.Is(err, dict.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	}
	if all, err := r.Batches(); err != nil || len(all) != 1 || all[0].Name != "june" {
		t.Errorf("%+v, %v", all, err)
	}
	if all, err := r.Vouchers(""); err != nil || len(all) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestBatchRefused(t *testing.T) {
	r := newRig(t)
	r.batch(Batch{Name: "may", Count: 1})
	for _, c := range []struct {
		batch Batch
		want  error
	}{
		{Batch{Name: "may", Count: 1}, dict.ErrExist},
		{Batch{Name: "", Count: 1}, dict.ErrInvalid},
		{Batch{Name: "a", Count: 0}, dict.ErrRange},
		{Batch{Name: "a", Count: maxInBatch + 1}, dict.ErrRange},
		{Batch{Name: "a", Count: 1, Prefix: "<b>"}, dict.ErrInvalid},
		{Batch{Name: "a", Count: 1, Prefix: "ABCDEFGHIJKLM"}, dict.ErrInvalid},
		{Batch{Name: "a", Count: 1, Time: -1}, dict.ErrRange},
		{Batch{Name: "a", Count: 1, Bytes: amount(0)}, dict.ErrRange},
		{Batch{Name: "a", Count: 1, Valid: r.clock.Now()}, dict.ErrRange},
		{Batch{Name: "a", Count: 1, Groups: []string{"a,b"}}, dict.ErrInvalid},
	} {
		if _, err := r.MakeVouchers(c.batch); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %v", c.batch, err, c.want)
		}
	}
}

// Two who use a voucher first at the same moment: its time begins once.
func TestVoucherTogether(t *testing.T) {
	r := newRig(t)
	code := r.batch(Batch{Name: "may", Count: 1, Time: time.Hour, Devices: -1}).Vouchers[0].Code
	var group sync.WaitGroup
	for i := range byte(8) {
		addr := "10.0.0." + string('1'+rune(i))
		r.hear(addr, mac(i+1))
		group.Go(func() {
			if _, err := r.enter(addr, Voucher, "", code); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := len(r.Sessions()); n != 8 {
		t.Errorf("%d sessions", n)
	}
}

func mustKey(t *testing.T, name string) dict.Key {
	t.Helper()
	key, err := dict.StringKey(name)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Codes are of the alphabet, all letters about as often, and never twice.
func TestNewCode(t *testing.T) {
	seen, letters := make(map[string]bool), make(map[rune]int)
	const n = 4000
	for range n {
		code := newCode()
		if seen[code] || len(code) != codeLength {
			t.Fatalf("code %q", code)
		}
		seen[code] = true
		for _, c := range code {
			letters[c]++
		}
	}
	for _, c := range alphabet {
		if mean := n * codeLength / len(alphabet); letters[c] < mean*3/4 || letters[c] > mean*5/4 {
			t.Errorf("%c comes %d times of %d", c, letters[c], n*codeLength)
		}
	}
	if len(letters) != len(alphabet) {
		t.Errorf("%d letters", len(letters))
	}
}

// FuzzParseCode: what parses is of the alphabet, and parses the same as it is shown.
func FuzzParseCode(f *testing.F) {
	for _, s := range []string{"", "INN-2346-789A-BCDEF", "2346 789a bcdef", "0OIL-2346-789A-BCDEF", "2346\u2011789A\u2011BCDEF", "2346-789A-BCDE5", strings.Repeat("2", 300)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		prefix, code, ok := parseCode(text)
		if !ok {
			return
		}
		if len(code) != codeLength || strings.Trim(code, alphabet) != "" || !validPrefix(prefix) {
			t.Fatalf("%q is %q and %q", text, prefix, code)
		}
		if p, c, ok := parseCode(showCode(prefix, code)); !ok || p != prefix || c != code {
			t.Fatalf("%q is shown as %q, which is %q and %q, %v", text, showCode(prefix, code), p, c, ok)
		}
	})
}
