// SPDX-License-Identifier: MIT

package genl

import (
	"encoding/binary"
	"sync"
	"testing"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"github.com/mdlayher/netlink/nltest"
	"golang.org/x/sys/unix"
)

// fakeID is the number of the fake module's family.
const fakeID = 77

// fake stands for the module: a function that answers requests.
type fake struct {
	t       testing.TB
	version uint8 // of the protocol; 0 means that no module is there
	answer  func(command uint8, attrs []byte) answer

	mu    sync.Mutex
	asked []uint8 // the commands, in order
}

// answer is what a fake module says to a request: attributes of messages, or
// an errno with a text.
type answer struct {
	messages    [][]byte
	interrupted bool // a dump that is marked so
	errno       unix.Errno
	text        string
}

// store returns a Store that speaks to the fake.
func (f *fake) store() *Store {
	s := &Store{tables: map[string]*table{}, pool: &pool{dial: f.dial}}
	f.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			f.t.Error(err)
		}
	})
	return s
}

func (f *fake) dial() (*netlink.Conn, wire, error) {
	return nltest.Dial(f.handle), &fakeWire{fake: f}, nil
}

// fakeWire carries requests to a fake module, and its answers.
type fakeWire struct {
	*fake
	answers [][]byte
}

func (w *fakeWire) send(request []byte) error {
	var r netlink.Message
	if err := r.UnmarshalBinary(request); err != nil {
		return err
	}
	for _, m := range w.one(r) {
		acknowledged := m.Header.Type == netlink.Error && len(m.Data) >= 4 && binary.NativeEndian.Uint32(m.Data) == 0
		if acknowledged && r.Header.Flags&netlink.Acknowledge == 0 {
			continue
		}
		m.Header.Length = uint32(unix.NLMSG_HDRLEN+len(m.Data)+3) &^ 3
		b, err := m.MarshalBinary()
		if err != nil {
			return err
		}
		w.answers = append(w.answers, b)
	}
	return nil
}

func (w *fakeWire) receive(wait bool) ([]byte, error) {
	if len(w.answers) == 0 {
		if wait {
			w.t.Error("waiting for an answer that does not come")
		}
		return nil, unix.EAGAIN
	}
	b := w.answers[0]
	w.answers = w.answers[1:]
	return b, nil
}

func (f *fake) handle(requests []netlink.Message) ([]netlink.Message, error) {
	var out []netlink.Message
	for _, r := range requests {
		out = append(out, f.one(r)...)
	}
	return out, nil
}

func (f *fake) one(r netlink.Message) []netlink.Message {
	f.mu.Lock()
	defer f.mu.Unlock()
	reply := func(header netlink.Header, data []byte) netlink.Message {
		header.Sequence, header.PID = r.Header.Sequence, r.Header.PID
		return netlink.Message{Header: header, Data: data}
	}
	if r.Header.Type == unix.GENL_ID_CTRL {
		if f.version == 0 {
			return []netlink.Message{reply(netlink.Header{Type: netlink.Error}, errorOf(unix.ENOENT, r, ""))}
		}
		b := newBuilder()
		b.uint16(unix.CTRL_ATTR_FAMILY_ID, fakeID)
		b.text(unix.CTRL_ATTR_FAMILY_NAME, familyName)
		b.uint32(unix.CTRL_ATTR_VERSION, uint32(f.version))
		data := append([]byte{unix.CTRL_CMD_NEWFAMILY, 1, 0, 0}, b.buf...)
		return []netlink.Message{reply(netlink.Header{Type: unix.GENL_ID_CTRL}, data)}
	}
	var g genetlink.Message
	if err := g.UnmarshalBinary(r.Data); err != nil || r.Header.Type != fakeID {
		f.t.Errorf("request %v: %v", r.Header, err)
	}
	f.asked = append(f.asked, g.Header.Command)
	a := f.answer(g.Header.Command, g.Data)
	if a.errno != 0 {
		return []netlink.Message{reply(netlink.Header{Type: netlink.Error, Flags: netlink.AcknowledgeTLVs}, errorOf(a.errno, r, a.text))}
	}
	var flags netlink.HeaderFlags
	dump := r.Header.Flags&netlink.Dump == netlink.Dump
	if dump {
		flags |= netlink.Multi
	}
	if a.interrupted {
		flags |= netlink.DumpInterrupted
	}
	var out []netlink.Message
	for _, m := range a.messages {
		out = append(out, reply(netlink.Header{Type: fakeID, Flags: flags}, append([]byte{g.Header.Command, 1, 0, 0}, m...)))
	}
	end := netlink.Header{Type: netlink.Error}
	data := errorOf(0, r, "")
	if dump {
		end, data = netlink.Header{Type: netlink.Done, Flags: netlink.Multi}, make([]byte, 4)
	}
	return append(out, reply(end, data))
}

// errorOf returns the body of an error message: errno, header of the request,
// text.
func errorOf(errno unix.Errno, r netlink.Message, text string) []byte {
	b := &builder{order: binary.NativeEndian}
	b.buf = binary.NativeEndian.AppendUint32(b.buf, uint32(-int32(errno)))
	b.buf = binary.NativeEndian.AppendUint32(b.buf, unix.NLMSG_HDRLEN)
	b.buf = append(b.buf, make([]byte, unix.NLMSG_HDRLEN-4)...)
	if text != "" {
		b.text(unix.NLMSGERR_ATTR_MSG, text)
	}
	return b.buf
}

// commands returns what the fake was asked since the last call.
func (f *fake) commands() []uint8 {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := f.asked
	f.asked = nil
	return asked
}
