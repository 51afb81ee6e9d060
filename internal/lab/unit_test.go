// SPDX-License-Identifier: MIT

package lab

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

func TestCuts(t *testing.T) {
	for _, c := range []struct {
		name string
		cut  Cut
		want []string
	}{
		{"at", CutAt(3, 5), []string{"abc", "de", "fghij"}},
		{"at, unsorted and outside", CutAt(5, 0, -1, 10, 99, 3, 5), []string{"abc", "de", "fghij"}},
		{"every", CutEvery(4), []string{"abcd", "efgh", "ij"}},
		{"every, exactly", CutEvery(5), []string{"abcde", "fghij"}},
		{"every, nonsense", CutEvery(0), []string{"abcdefghij"}},
		{"inside", CutInside("cdef"), []string{"abcd", "efghij"}},
		{"after", CutAfter("cdef"), []string{"abcdef", "ghij"}},
		{"after the end", CutAfter("ij"), []string{"abcdefghij"}},
		{"absent", CutInside("xyz"), []string{"abcdefghij"}},
	} {
		var got []string
		for _, p := range pieces([]byte("abcdefghij"), c.cut([]byte("abcdefghij"))) {
			got = append(got, string(p))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestOwner(t *testing.T) {
	for name, want := range map[string]int{
		"dl-12-345":                 12,
		"dl-12-345-client":          12,
		"dl-12":                     0,
		"dl--1-2":                   0,
		"dl-0-2":                    0,
		"dl-x-2":                    0,
		"model-12-3":                0,
		"dl-99999999999999999999-1": 0,
	} {
		if got, ok := owner(name); ok != (want != 0) || ok && got != want {
			t.Errorf("owner(%q) = %d, %v; want %d", name, got, ok, want)
		}
	}
}

func FuzzOwner(f *testing.F) {
	f.Add("dl-12-345")
	f.Fuzz(func(t *testing.T, name string) {
		if pid, ok := owner(name); ok && (pid <= 0 || !strings.HasPrefix(name, prefix)) {
			t.Errorf("owner(%q) = %d", name, pid)
		}
	})
}

func TestNTPTime(t *testing.T) {
	for _, c := range []struct {
		at   time.Time
		want uint64
	}{
		{ntpEpoch, 0},
		{ntpEpoch.Add(1500 * time.Millisecond), 1<<32 | 1<<31},
		{time.Unix(0, 0), 2208988800 << 32},
	} {
		if got := ntpTime(c.at); got != c.want {
			t.Errorf("%v: %#x, want %#x", c.at, got, c.want)
		}
	}
}

func FuzzNTPReply(f *testing.F) {
	f.Add([]byte{0x23, 47: 0})
	f.Add([]byte{0x24, 47: 0})
	f.Fuzz(func(t *testing.T, query []byte) {
		reply := ntpReply(query)
		if reply == nil {
			return
		}
		if len(reply) != 48 || reply[0]&7 != 4 || !bytes.Equal(reply[24:32], query[40:48]) {
			t.Errorf("reply to %x: %x", query, reply)
		}
		if ntpReply(reply) != nil {
			t.Error("a reply was answered")
		}
	})
}

func FuzzSegment(f *testing.F) {
	f.Add([]byte{12: 0x08, 14: 0x45, 17: 40, 23: 6, 33: 0, 46: 0x50, 53: 0})
	f.Add([]byte{12: 0x86, 13: 0xdd, 14: 0x60, 20: 17, 61: 0})
	f.Fuzz(func(t *testing.T, frame []byte) {
		s, ok := Packet{Frame: frame}.Segment()
		if ok && (!s.Src.IsValid() || !s.Dst.IsValid() || len(s.Payload) > len(frame)) {
			t.Errorf("%x: %+v", frame, s)
		}
	})
}

func TestAssign(t *testing.T) {
	own := netip.MustParseAddr("203.0.113.7")
	sites, err := assign([]Site{{Name: "One.Example."}, {Name: "two.example", Addr4: own}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range sites {
		got = append(got, s.Name+" "+s.Addr4.String()+" "+s.Addr6.String())
	}
	want := []string{
		"one.example 198.51.100.10 2001:db8:100::a",
		"two.example 203.0.113.7 2001:db8:100::b",
		"ssh.example.org 198.51.100.12 2001:db8:100::c",
		"ntp.example.org 198.51.100.13 2001:db8:100::d",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// answerTo collects what a name server writes.
type answerTo struct {
	dns.ResponseWriter
	msg *dns.Msg
}

func (w *answerTo) WriteMsg(m *dns.Msg) error {
	w.msg = m
	return nil
}

func TestNameserver(t *testing.T) {
	sites, err := assign([]Site{{Name: "www.example.org", CNAME: "real.example.net"}})
	if err != nil {
		t.Fatal(err)
	}
	ns := newNameserver(sites)
	for _, c := range []struct {
		name  string
		qtype uint16
		rcode int
		want  []string
	}{
		{"WWW.example.org.", dns.TypeA, dns.RcodeSuccess, []string{
			"WWW.example.org.\t60\tIN\tCNAME\treal.example.net.",
			"real.example.net.\t60\tIN\tA\t198.51.100.10"}},
		{"real.example.net.", dns.TypeAAAA, dns.RcodeSuccess, []string{"real.example.net.\t60\tIN\tAAAA\t2001:db8:100::a"}},
		{"ssh.example.org.", dns.TypeMX, dns.RcodeSuccess, nil},
		{"example.org.", dns.TypeA, dns.RcodeNameError, nil},
	} {
		query := new(dns.Msg)
		query.SetQuestion(c.name, c.qtype)
		w := &answerTo{}
		ns.ServeDNS(w, query)
		var got []string
		for _, rr := range w.msg.Answer {
			got = append(got, rr.String())
		}
		if diff := cmp.Diff(c.want, got); diff != "" || w.msg.Rcode != c.rcode {
			t.Errorf("%s: rcode %d, want %d (-want +got):\n%s", c.name, w.msg.Rcode, c.rcode, diff)
		}
	}
	w := &answerTo{}
	ns.ServeDNS(w, new(dns.Msg))
	if w.msg.Rcode != dns.RcodeFormatError {
		t.Errorf("no question: rcode %d", w.msg.Rcode)
	}
}

func TestWeb(t *testing.T) {
	s := newWeb()
	for _, c := range []struct {
		path   string
		status int
		size   int
	}{
		{"/", 200, len("hello from example.org\n")},
		{"/bytes/70000", 200, 70000},
		{"/bytes/0", 200, 0},
		{"/drip/2", 200, len("drip 1\ndrip 2\n")},
		{"/bytes/-1", 400, -1},
		{"/bytes/99999999999999999999", 400, -1},
		{"/bytes", 400, -1},
		{"/other/1", 404, -1},
	} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://Example.org:8080"+c.path, nil))
		if w.Code != c.status || c.size >= 0 && w.Body.Len() != c.size {
			t.Errorf("%s: status %d, %d bytes; want %d, %d", c.path, w.Code, w.Body.Len(), c.status, c.size)
		}
	}
	if s.hits["example.org"] != 8 {
		t.Errorf("hits: %v", s.hits)
	}
}

func TestTasks(t *testing.T) {
	run := newTasks()
	broken := errors.New("broken")
	var order []string
	for _, name := range []string{"first", "second"} {
		stop := make(chan struct{})
		run.start(name, func() error {
			<-stop
			return map[string]error{"first": broken, "second": http.ErrServerClosed}[name]
		}, func() error {
			order = append(order, name)
			close(stop)
			return nil
		})
	}
	if err := run.close(); !errors.Is(err, broken) || strings.Contains(err.Error(), "second") {
		t.Errorf("close: %v", err)
	}
	if diff := cmp.Diff([]string{"second", "first"}, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}
