// SPDX-License-Identifier: MIT

// Package password keeps what people know as what only costly work can compare with it:
// argon2id, in the text form that other programs write and read, too.
//
// It refuses hashes of other kinds, and such that want more work than a gateway should
// do for somebody who has not shown who he is. How many are compared at a time is the
// caller's to bound: each takes Memory.
package password

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The work of new hashes.
const (
	Memory = 19 << 10 // KiB
	passes = 2
	lanes  = 1

	saltSize = 16
	keySize  = 32
)

// Most that a hash may want.
const (
	maxMemory = 256 << 10 // KiB
	maxPasses = 16
	maxLanes  = 8
	maxText   = 512
)

// MaxSecret is the length of the longest secret, in bytes.
const MaxSecret = 1024

// ErrInvalid says that a text is no hash that is understood, or a secret none that is
// taken.
var ErrInvalid = errors.New("invalid")

// Hash returns the hash of a secret, with a salt of its own, as one word of printable
// characters without a colon. A secret that is empty or longer than MaxSecret is
// ErrInvalid.
func Hash(secret string) (string, error) {
	if secret == "" || len(secret) > MaxSecret {
		return "", fmt.Errorf("password: %w: want 1 to %d bytes", ErrInvalid, MaxSecret)
	}
	h := hash{memory: Memory, passes: passes, lanes: lanes, salt: make([]byte, saltSize), key: make([]byte, keySize)}
	rand.Read(h.salt) // does not fail
	h.key = h.of(secret)
	return h.String(), nil
}

// Verify reports whether a secret is the one of a hash. The time it takes says nothing
// about the secret. The error wraps ErrInvalid where the text is no hash.
func Verify(text, secret string) (bool, error) {
	h, err := parse(text)
	if err != nil {
		return false, err
	}
	if len(secret) > MaxSecret {
		secret = ""
	}
	return subtle.ConstantTimeCompare(h.of(secret), h.key) == 1 && secret != "", nil
}

// Check reports whether a text is a hash, without the work of Verify. The error wraps
// ErrInvalid.
func Check(text string) error {
	_, err := parse(text)
	return err
}

// Waste does the work of Verify for a name that nobody has, so that the time an answer
// takes does not tell which names there are.
func Waste(secret string) {
	h := hash{memory: Memory, passes: passes, lanes: lanes, salt: make([]byte, saltSize), key: make([]byte, keySize)}
	h.of(secret[:min(len(secret), MaxSecret)])
}

// hash is a text in its parts.
type hash struct {
	memory, passes uint32
	lanes          uint8
	salt, key      []byte
}

func (h *hash) of(secret string) []byte {
	return argon2.IDKey([]byte(secret), h.salt, h.passes, h.memory, h.lanes, uint32(len(h.key)))
}

// String returns the text form.
func (h *hash) String() string {
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.passes, h.lanes, b.EncodeToString(h.salt), b.EncodeToString(h.key))
}

// parse reads the text form, exactly as String writes it.
func parse(text string) (*hash, error) {
	var h hash
	parts := strings.Split(text, "$")
	if len(text) > maxText || len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return nil, fmt.Errorf("hash of a password: %w: want one that begins with $argon2id$v=%d$", ErrInvalid, argon2.Version)
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.passes, &h.lanes); err != nil {
		return nil, fmt.Errorf("hash of a password: %w: work %q", ErrInvalid, parts[3])
	}
	if h.lanes < 1 || h.lanes > maxLanes || h.passes < 1 || h.passes > maxPasses || h.memory < 8*uint32(h.lanes) || h.memory > maxMemory {
		return nil, fmt.Errorf("hash of a password: %w: work %q, want at most m=%d,t=%d,p=%d", ErrInvalid, parts[3], maxMemory, maxPasses, maxLanes)
	}
	var bad, worse error
	h.salt, bad = base64.RawStdEncoding.Strict().DecodeString(parts[4])
	h.key, worse = base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if bad != nil || worse != nil || len(h.salt) < 8 || len(h.key) < 16 || h.String() != text {
		return nil, fmt.Errorf("hash of a password: %w: salt or key", ErrInvalid)
	}
	return &h, nil
}
