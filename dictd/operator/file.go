// SPDX-License-Identifier: MIT

package operator

import (
	"crypto/tls"
	"os"
	"sync"
	"syscall"
)

// stateOf returns which content a file has, nothing if it is not there.
func stateOf(path string) fileState {
	fi, err := os.Stat(path)
	if err != nil {
		return fileState{}
	}
	s := fileState{modified: fi.ModTime(), size: fi.Size()}
	if sys, ok := fi.Sys().(*syscall.Stat_t); ok {
		s.inode = sys.Ino
	}
	return s
}

// certificate is a pair of files that is read again when they change: one that is
// renewed needs no restart.
type certificate struct {
	cert, key string

	mu       sync.Mutex
	seen     [2]fileState
	loaded   *tls.Certificate
	lastFail error
}

// get returns the certificate. While new files are no pair it is the one before.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := [2]fileState{stateOf(c.cert), stateOf(c.key)}
	if now != c.seen || c.loaded == nil {
		pair, err := tls.LoadX509KeyPair(c.cert, c.key)
		c.seen, c.lastFail = now, err
		if err == nil {
			c.loaded = &pair
		}
	}
	if c.loaded == nil {
		return nil, c.lastFail
	}
	return c.loaded, nil
}
