// SPDX-License-Identifier: MIT

package session

// Garden is what is known of a session and the portal's walled garden.
type Garden uint8

// What may be known.
const (
	Apart      Garden = iota // nothing: the row does not say
	InGarden                 // the client was told the server's address for a name of it
	LeftGarden               // but asks it for another name
)

// Garden returns what is known. The session is locked.
func (s *Session) Garden() Garden { return s.much().garden }

// SetGarden changes what is known, which Changes brings to the row. The session is
// locked.
func (s *Session) SetGarden(g Garden) {
	m := s.much()
	m.garden = g
	s.setMore(m)
}
