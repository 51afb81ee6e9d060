// SPDX-License-Identifier: MIT

package portal

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"strings"
)

// alphabet is what codes are made of: what is easily taken for another when it is read
// or heard is not there (0 O, 1 I L, 5 S, 2 Z of which one alone).
const alphabet = "2346789ABCDEFGHJKMNPQRTUVWXY"

// codeLength is how many letters a code has: 62 bits that nobody knows.
const codeLength = 13

// newCode returns a code without its prefix.
func newCode() string {
	// Of 256 values those are left out that would make some letters likelier.
	const most = 256 / len(alphabet) * len(alphabet)
	code := make([]byte, 0, codeLength)
	for some := make([]byte, 2*codeLength); len(code) < codeLength; {
		rand.Read(some) // does not fail
		for _, b := range some {
			if int(b) < most && len(code) < codeLength {
				code = append(code, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(code)
}

// showCode writes a code for people: PREFIX-XXXX-XXXX-XXXXX.
func showCode(prefix, code string) string {
	text := code[:4] + "-" + code[4:8] + "-" + code[8:]
	if prefix != "" {
		return prefix + "-" + text
	}
	return text
}

// parseCode reads what somebody typed: in small letters or capitals, with or without
// hyphens, spaces and prefix. False if it cannot be a code.
func parseCode(text string) (prefix, code string, ok bool) {
	if len(text) > maxName {
		return "", "", false
	}
	text = strings.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '\u00a0' || r == '\u2010' || r == '\u2011' || r == '\u2013' {
			return -1
		}
		return r
	}, strings.TrimSpace(text)))
	if len(text) < codeLength {
		return "", "", false
	}
	prefix, code = text[:len(text)-codeLength], text[len(text)-codeLength:]
	if strings.Trim(code, alphabet) != "" || !validPrefix(prefix) {
		return "", "", false
	}
	return prefix, code, true
}

// maxPrefix is the length of the longest prefix.
const maxPrefix = 12

// validPrefix reports whether a prefix has letters and digits alone.
func validPrefix(prefix string) bool {
	return len(prefix) <= maxPrefix && strings.Trim(prefix, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// hashCode returns what is kept of a code. It has too many bits for anybody to try them
// all, so that costly work as for passwords would protect nothing; without the key of
// this portal not even a code that leaked elsewhere is found in a copy of the file.
// It is what is looked up: how long that takes says nothing of a code.
func (s *store) hashCode(code string) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte(code))
	return h.Sum(nil)
}
