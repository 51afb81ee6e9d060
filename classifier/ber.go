// SPDX-License-Identifier: MIT

package classifier

// berElement is an element of the basic encoding rules (X.690) with a tag of
// one byte and a definite length.
type berElement struct {
	tag  byte
	head int // bytes of tag and length
	size int // bytes of content
}

// total returns the bytes of the whole element.
func (e berElement) total() int { return e.head + e.size }

// readBER reads the head of the element b begins with.
func readBER(b []byte) (e berElement, state parsed) {
	if len(b) < 2 {
		return e, partial
	}
	e = berElement{b[0], 2, int(b[1])}
	if b[1] < 0x80 {
		return e, whole
	}
	n := int(b[1] & 0x7f)
	if n < 1 || n > 4 {
		return e, malformed
	}
	if len(b) < 2+n {
		return e, partial
	}
	e.head, e.size = 2+n, 0
	for _, c := range b[2:e.head] {
		e.size = e.size<<8 | int(c)
	}
	if e.size > 1<<24 {
		return e, malformed
	}
	return e, whole
}

// berReader walks over elements that are there in full.
type berReader struct {
	b  []byte
	ok bool // nothing failed yet
}

// take returns the content of the next element, which must have the tag.
func (r *berReader) take(tag byte) []byte {
	e, state := readBER(r.b)
	if !r.ok || state != whole || e.tag != tag || e.total() > len(r.b) {
		r.ok = false
		return nil
	}
	content := r.b[e.head:e.total()]
	r.b = r.b[e.total():]
	return content
}

// enter steps into the next element, of which the end may be missing.
func (r *berReader) enter(tag byte) {
	e, state := readBER(r.b)
	if !r.ok || state != whole || e.tag != tag {
		r.ok = false
		return
	}
	r.b = r.b[e.head:min(len(r.b), e.total())]
}

// integer reads an INTEGER of at most four bytes.
func (r *berReader) integer() int {
	c := r.take(2)
	if len(c) < 1 || len(c) > 5 {
		r.ok = false
		return 0
	}
	v := int(int8(c[0]))
	for _, b := range c[1:] {
		v = v<<8 | int(b)
	}
	return v
}

// tag returns the next element's tag, 0 at the end.
func (r *berReader) tag() byte {
	if !r.ok || len(r.b) == 0 {
		return 0
	}
	return r.b[0]
}
