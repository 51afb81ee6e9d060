// SPDX-License-Identifier: MIT

package genl

import (
	"encoding/binary"
	"testing"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// What the module says is read to its end, or given up.
func FuzzMessages(f *testing.F) {
	refused := errorOf(unix.ENOENT, netlink.Message{}, "no such row")
	b := appendRequest(nil, unix.NLMSG_ERROR, unix.NLM_F_ACK_TLVS|unix.NLM_F_CAPPED, 1, 0, nil)[:unix.NLMSG_HDRLEN]
	b = append(b, refused...)
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	f.Add(b)
	f.Add(appendRequest(nil, fakeID, 0, 1, cmdRowGet, told(cell(1, 0, dict.IntValue(2)))))
	f.Fuzz(func(t *testing.T, b []byte) {
		for len(b) > 0 {
			m, rest, err := cut(b)
			if err != nil {
				return
			}
			if len(rest) >= len(b) {
				t.Fatal("a message of no length")
			}
			_, _, _ = m.verdict()
			b = rest
		}
	})
}

func TestVerdict(t *testing.T) {
	for name, c := range map[string]struct {
		flags  uint16
		length uint32 // of the request
		more   []byte // of it
	}{
		"capped": {unix.NLM_F_ACK_TLVS | unix.NLM_F_CAPPED, 1000, nil},
		"whole":  {unix.NLM_F_ACK_TLVS, unix.NLMSG_HDRLEN + 7, make([]byte, 8)},
	} {
		t.Run(name, func(t *testing.T) {
			body := errorOf(unix.ENOENT, netlink.Message{}, "")
			binary.NativeEndian.PutUint32(body[4:], c.length)
			b := &builder{buf: append(body, c.more...)}
			b.text(unix.NLMSGERR_ATTR_MSG, "no such row")
			m := message{unix.NLMSG_ERROR, c.flags, 1, b.buf}
			errno, text, err := m.verdict()
			if errno != unix.ENOENT || text != "no such row" || err != nil {
				t.Errorf("%v, %q, %v", errno, text, err)
			}
		})
	}
}
