// SPDX-License-Identifier: MIT

package classifier

// maxMemos is how many undecided detectors can keep something of one session.
const maxMemos = 4

// memos is what undecided detectors keep of a session.
type memos struct {
	owner [maxMemos]uint8 // place of the detector in the list, from 1; 0: free
	data  [maxMemos][16]byte
}

// of returns the memory of detector i, taken if need be, or nil if none is
// free.
func (m *memos) of(i int) *[16]byte {
	free := -1
	for n, o := range m.owner {
		switch int(o) {
		case i + 1:
			return &m.data[n]
		case 0:
			if free < 0 {
				free = n
			}
		}
	}
	if free < 0 {
		return nil
	}
	m.owner[free], m.data[free] = uint8(i+1), [16]byte{}
	return &m.data[free]
}

// empty reports whether nothing is kept.
func (m *memos) empty() bool { return m.owner == [maxMemos]uint8{} }

// drop frees the memory of detector i.
func (m *memos) drop(i int) {
	for n, o := range m.owner {
		if int(o) == i+1 {
			m.owner[n] = 0
		}
	}
}

// keep frees the memory of every detector that is not in s.
func (m *memos) keep(s *idSet) {
	for n, o := range m.owner {
		if o != 0 && !s.has(int(o)-1) {
			m.owner[n] = 0
		}
	}
}

// memo returns sixteen bytes that the detector has to itself for as long as it
// is shown every datagram and says no to none, and from then on if it gets the
// session; zeroed at first. It is nil if others keep all there is.
func (x *sight) memo() *[16]byte { return x.c.tried(x.s).memos.of(x.id) }
