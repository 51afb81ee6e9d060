// SPDX-License-Identifier: MIT

package ledger

// Follow has what a device moves added up from now on, until Forget. Whoever follows
// bounds how many there are.
func (l *Ledger) Follow(mac [6]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.followed[mac] == nil {
		l.followed[mac] = &Use{}
	}
}

// Forget forgets what a device has moved.
func (l *Ledger) Forget(mac [6]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.followed, mac)
}

// Moved returns what a device has moved since it is followed, as of the last round and
// of connections that have ended since.
func (l *Ledger) Moved(mac [6]byte) Use {
	l.mu.Lock()
	defer l.mu.Unlock()
	if u := l.followed[mac]; u != nil {
		return *u
	}
	return Use{}
}
