// SPDX-License-Identifier: MIT

package genl

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// Recall takes connections, by their conntrack ids, out of the flowtables of the
// namespace that rules with a term make known: those that hold both a term and
// `flow add`. Entry, id, mark, accounting and row stay, and the next packet of the
// connection passes by the rules. What packets that are at rules at the time of the
// call put into a flowtable is taken out as well: write first what rules are to see,
// then recall.
//
// missing are the ids, sorted, of which it is not known that they are in no
// flowtable: what carries them is in none that is known, or they are nobody's. The
// error wraps dict.ErrNotSupported where the module is older than 1.2; those that
// were not asked about are missing then, too.
func (s *Store) Recall(ids []uint32) (missing []uint32, err error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	b := newBuilder()
	err = s.pool.use(func(c *conn) error {
		for len(ids) > 0 {
			n := min(len(ids), maxIDs)
			b.reset()
			at := b.begin(attrIDs)
			for _, id := range ids[:n] {
				b.buf = binary.NativeEndian.AppendUint32(b.buf, id)
			}
			b.end(at)
			var left []uint32
			err := c.do(cmdRecall, b.buf, func(b []byte) error {
				return each(b, func(a attr) (err error) {
					if a.typ == attrIDs {
						left, err = a.uint32s()
					}
					return err
				})
			})
			if err != nil {
				return err
			}
			missing, ids = append(missing, left...), ids[n:]
		}
		return nil
	})
	if r, ok := errors.AsType[*refusal](err); ok && r.errno == unix.EOPNOTSUPP {
		err = errOlder("take connections out of flowtables", "1.2")
	}
	if err != nil {
		return append(missing, ids...), fmt.Errorf("recall: %w", err)
	}
	return missing, nil
}
