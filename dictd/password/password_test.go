// SPDX-License-Identifier: MIT

package password

import (
	"errors"
	"strings"
	"testing"
)

func TestVerify(t *testing.T) {
	text, err := Hash("correct horse")
	if err != nil || strings.ContainsAny(text, ": \n") {
		t.Fatalf("%q, %v", text, err)
	}
	for secret, want := range map[string]bool{"correct horse": true, "correct hors": false, "": false, "Correct horse": false, strings.Repeat("x", MaxSecret+1): false} {
		if got, err := Verify(text, secret); got != want || err != nil {
			t.Errorf("%.20q: %v, %v", secret, got, err)
		}
	}
	if err := Check(text); err != nil {
		t.Error(err)
	}
	if err := Check(text + "="); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if again, _ := Hash("correct horse"); again == text {
		t.Error("the same salt twice")
	}
	for _, secret := range []string{"", strings.Repeat("x", MaxSecret+1)} {
		if _, err := Hash(secret); !errors.Is(err, ErrInvalid) {
			t.Errorf("%d bytes: %v", len(secret), err)
		}
	}
	Waste("anything")
}

// What another program has made of "password" with the salt "somesalt".
func TestVerifyForeign(t *testing.T) {
	const text = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if ok, err := Verify(text, "password"); !ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Add("$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Add("$argon2id$v=19$m=8,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parse(text)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if h.String() != text || h.memory > maxMemory || h.passes > maxPasses {
			t.Errorf("%q: %+v", text, h)
		}
	})
}
