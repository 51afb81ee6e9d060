// SPDX-License-Identifier: MIT

package test

import (
	"bytes"
	"encoding/binary"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

const (
	perRequest = 500 // rows of a request, about as many as package genl sends
	few        = 1_000
	many       = 1_000_000
)

// puts measures rows of four fields: what putting one costs the kernel, what
// it takes, and what finding one costs. The most rows come last: the kernel is
// busy for long after they went.
func puts(b *testing.B, s *sheet) {
	const find = "dict four meta mark b 5"
	s.add("dict TABLE meta mark FIELD, 1,000 rows", mean(b, "find of 1,000", 5, func(b *testing.B, h *host) float64 {
		h.four(b, 1<<21, 0)
		newWriter(b, 5).put(b, 0, few)
		h.chain(b)
		h.marks = few
		return cost(b, h, h.compile(b, find))
	}), "instructions", 0)
	b.Run("put", func(b *testing.B) {
		time.Sleep(time.Second)
		h := newHost(b)
		h.four(b, 1<<21, 0)
		before := slab(b)
		w, other := newWriter(b, 5), newWriter(b, 6)
		s.add("put a new row of 4 fields, 100,000 of them", w.put(b, 0, 100_000), "instructions", 2000)
		w.put(b, 100_000, many-100_000)
		s.add("memory of a row, at 1,000,000 rows", float64(h.bytes(b, "four"))/many, "B", 256)
		s.add("the same in the kernel's slabs", (slab(b)-before)/many, "B", 0)
		h.chain(b)
		h.marks = many
		s.add("dict TABLE meta mark FIELD, 1,000,000 rows", cost(b, h, h.compile(b, find)), "instructions", 0)
		s.add("merge 4 other values into a row", other.put(b, 0, 100_000), "instructions", 0)
		s.add("put what is there already", other.put(b, 0, 100_000), "instructions", 0)
		b.ReportMetric(0, "ns/op")
	})
}

// refusals measures what a flood of new rows costs that a full table refuses:
// whether one of the rows that are there has ended is not looked for each time.
func refusals(b *testing.B, s *sheet) {
	b.Run("refuse", func(b *testing.B) {
		h := newHost(b)
		h.four(b, 100_000, time.Hour)
		w := newWriter(b, 5)
		w.put(b, 0, 100_000)
		sum := int64(0)
		for n := range 20 {
			sum += w.send(b, many+n*perRequest)
			if done := w.count(b); done != 0 {
				b.Fatalf("%d rows put into a full table", done)
			}
		}
		s.add("refuse a row in a full table of 100,000", float64(sum)/(20*perRequest), "instructions", 50_000)
		b.ReportMetric(0, "ns/op")
	})
}

// four adds a table of four fields, keyed by mark.
func (h *host) four(b *testing.B, limit int, timeout time.Duration) {
	t := dict.Table{Name: "four", Key: dict.KeyMark, Limit: limit, Timeout: timeout, Fields: []dict.Field{
		{Name: "a", Type: dict.Bool}, {Name: "b", Type: dict.Int}, {Name: "c", Type: dict.Int64}, {Name: "d", Type: dict.String}}}
	if err := h.store.AddTable(t); err != nil {
		b.Fatal(err)
	}
}

// slab returns the bytes of the kernel's slabs.
func slab(b *testing.B) float64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "Slab:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb * 1024
		}
	}
	b.Fatal("no Slab in /proc/meminfo")
	return 0
}

// writer puts rows by requests that are ready but for the keys.
type writer struct {
	sock    int
	request []byte
	keys    []int // where the keys are in the request
	reply   []byte
}

func newWriter(b *testing.B, n int32) *writer {
	_, family := dial(b)
	w := &writer{reply: make([]byte, 1<<16)}
	var err error
	if w.sock, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_GENERIC); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { unix.Close(w.sock) })
	body := fourFields(b, n)
	order := binary.NativeEndian
	w.request = order.AppendUint32(w.request, uint32(unix.NLMSG_HDRLEN+unix.GENL_HDRLEN+len(body)))
	w.request = order.AppendUint16(w.request, family.ID)
	w.request = order.AppendUint16(w.request, unix.NLM_F_REQUEST)
	w.request = append(w.request, make([]byte, 8)...)
	w.request = append(w.request, cmdRowPut, 1, 0, 0)
	w.request = append(w.request, body...)
	key := order.AppendUint32(nil, placeholder)
	for at := 0; ; at += 4 {
		i := bytes.Index(w.request[at:], key)
		if i < 0 {
			break
		}
		at += i
		w.keys = append(w.keys, at)
	}
	if len(w.keys) != perRequest {
		b.Fatalf("%d keys in the request", len(w.keys))
	}
	return w
}

// put puts n rows whose keys begin with from, and returns what each of them
// costs the kernel: all that happens between the call that sends a request and
// the return of the one that takes the answer.
func (w *writer) put(b *testing.B, from, n int) float64 {
	sum := int64(0)
	for range n / perRequest {
		sum += w.send(b, from)
		if done := w.count(b); done != perRequest {
			b.Fatalf("%d rows of %d put", done, perRequest)
		}
		from += perRequest
	}
	return float64(sum) / float64(n)
}

// send sends a request of rows whose keys begin with from, waits for the
// answer, and returns what that costs.
func (w *writer) send(b *testing.B, from int) int64 {
	for i, at := range w.keys {
		binary.NativeEndian.PutUint32(w.request[at:], uint32(from+i))
	}
	start := now(b)
	err := unix.Sendto(w.sock, w.request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	if err == nil {
		_, _, err = unix.Recvfrom(w.sock, w.reply, 0)
	}
	if err != nil {
		b.Fatal(err)
	}
	return now(b) - start
}

// count returns how many rows the answer says were put.
func (w *writer) count(b *testing.B) int {
	attrs, err := netlink.NewAttributeDecoder(w.reply[unix.NLMSG_HDRLEN+unix.GENL_HDRLEN : binary.NativeEndian.Uint32(w.reply)])
	if err != nil {
		b.Fatal(err)
	}
	for attrs.Next() {
		if attrs.Type() == attrCount {
			return int(attrs.Uint32())
		}
	}
	return 0
}

// placeholder stands in a request for a key.
const placeholder = 0xfeedf00d

// fourFields returns the body of a request that puts perRequest rows.
func fourFields(b *testing.B, n int32) []byte {
	enc := netlink.NewAttributeEncoder()
	enc.ByteOrder = binary.NativeEndian
	enc.String(attrTable, "four")
	enc.Uint32(attrTableID, 1)
	for range perRequest {
		enc.Nested(attrRow, func(row *netlink.AttributeEncoder) error {
			row.ByteOrder = binary.NativeEndian
			row.Uint32(rowKey, placeholder)
			cell := func(field uint32, f func(*netlink.AttributeEncoder)) {
				row.Nested(rowCell, func(c *netlink.AttributeEncoder) error {
					c.ByteOrder = binary.NativeEndian
					c.Uint32(cellField, field)
					f(c)
					return nil
				})
			}
			cell(0, func(c *netlink.AttributeEncoder) { c.Uint8(uint16(dict.Bool), uint8(n&1)) })
			cell(1, func(c *netlink.AttributeEncoder) { c.Int32(uint16(dict.Int), n) })
			cell(2, func(c *netlink.AttributeEncoder) { c.Int64(uint16(dict.Int64), int64(n)) })
			cell(3, func(c *netlink.AttributeEncoder) {
				c.Bytes(uint16(dict.String), []byte([]string{"NETFLIX", "YOUTUBE"}[n&1]))
			})
			return nil
		})
	}
	data, err := enc.Encode()
	if err != nil {
		b.Fatal(err)
	}
	return data
}
