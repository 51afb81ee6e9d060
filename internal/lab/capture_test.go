// SPDX-License-Identifier: MIT

package lab_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket/pcapgo"
	"golang.org/x/sys/unix"

	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// talk sends text to a service in the namespace's reach and reads the answer.
func talk(t *testing.T, from *lab.Namespace, network string, to netip.AddrPort, text string, size int) string {
	t.Helper()
	conn, err := from.Dial(timeout(t), network, to.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, size)
	n, err := io.ReadAtLeast(conn, answer, size)
	if err != nil {
		t.Fatalf("%s %s: %v", network, to, err)
	}
	return string(answer[:n])
}

func TestSmallServices(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	ssh, _ := l.Site(lab.SSHSite)
	ntp, _ := l.Site(lab.NTPSite)
	request := "\x23" + strings.Repeat("\x00", 39) + "original"
	for _, a := range []struct{ ssh, ntp netip.Addr }{{ssh.Addr4, ntp.Addr4}, {ssh.Addr6, ntp.Addr6}} {
		banner := lab.SSHBanner + "\r\n"
		if got := talk(t, l.Client, "tcp", netip.AddrPortFrom(a.ssh, lab.SSHPort), "SSH-2.0-test\r\n", len(banner)); got != banner {
			t.Errorf("ssh: %q", got)
		}
		if got := talk(t, l.Client, "tcp", netip.AddrPortFrom(a.ssh, lab.EchoPort), "again", 5); got != "again" {
			t.Errorf("echo: %q", got)
		}
		if got := talk(t, l.Client, "udp", netip.AddrPortFrom(a.ntp, lab.EchoPort), "again", 5); got != "again" {
			t.Errorf("echo: %q", got)
		}
		got := talk(t, l.Client, "udp", netip.AddrPortFrom(a.ntp, lab.NTPPort), request, 48)
		if got[0] != 0x24 || got[24:32] != "original" {
			t.Errorf("ntp: %x", got)
		}
	}
}

func TestServeHTTPInTheGateway(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "please log in") })
	if err := l.ServeHTTP(timeout(t), l.Gateway, "127.0.0.1:80", page); err != nil {
		t.Fatal(err)
	}
	if out, err := l.Gateway.Command(timeout(t), "curl", "-sS", "http://127.0.0.1/").Output(); err != nil || string(out) != "please log in\n" {
		t.Errorf("%q, %v", out, err)
	}
	if err := l.ServeHTTP(timeout(t), l.Gateway, "127.0.0.1:80", page); !errors.Is(err, unix.EADDRINUSE) {
		t.Errorf("second server: %v", err)
	}
}

func TestCapture(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	ntp, _ := l.Site(lab.NTPSite)
	at, elsewhere := labtest.Capture(t, l.Internet, "eth0"), labtest.Capture(t, l.Internet, "lo")
	to := netip.AddrPortFrom(ntp.Addr4, lab.EchoPort)
	talk(t, l.Client, "udp", to, "what was said", 13)

	for text, want := range map[string]bool{"what was said": true, "was said": true, "what was not": false} {
		if got, err := at.Received(text); err != nil || got != want {
			t.Errorf("Received(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	if got, err := elsewhere.Received("what was said"); got || err != nil {
		t.Errorf("on another interface: %v, %v", got, err)
	}
	packets, err := at.Packets()
	if err != nil {
		t.Fatal(err)
	}
	var out, in int
	for _, p := range packets {
		s, ok := p.Segment()
		if !ok || string(s.Payload) != "what was said" {
			continue
		}
		if p.Outgoing {
			out++
		} else if s.Dst == to && s.Src.Addr() == lab.Client4 {
			in++
		}
	}
	if in != 1 || out != 1 {
		t.Errorf("%d in and %d out, want one each", in, out)
	}

	var file bytes.Buffer
	if err := at.WritePCAP(&file); err != nil {
		t.Fatal(err)
	}
	r, err := pcapgo.NewReader(&file)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for ; err == nil; n++ {
		_, _, err = r.ReadPacketData()
	}
	if n-1 != len(packets) {
		t.Errorf("the file holds %d packets, want %d", n-1, len(packets))
	}

	if err := at.Close(); err != nil {
		t.Fatal(err)
	}
	talk(t, l.Client, "udp", to, "afterwards", 10)
	if got, err := at.Received("what was said"); !got || err != nil {
		t.Errorf("after Close: %v, %v", got, err)
	}
	if got, _ := at.Received("afterwards"); got {
		t.Error("a closed capture goes on")
	}
	if _, err := l.Internet.Capture("eth9"); err == nil {
		t.Error("captured an interface that does not exist")
	}
}

// A capture that has lost packets must not say that something was not there.
func TestCaptureIncomplete(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	capture := labtest.Capture(t, l.Internet, "eth0")
	capture.Limit(10_000)
	ntp, _ := l.Site(lab.NTPSite)
	to := netip.AddrPortFrom(ntp.Addr4, lab.EchoPort)
	talk(t, l.Client, "udp", to, "early", 5)
	for range 10 {
		talk(t, l.Client, "udp", to, strings.Repeat("x", 1000), 1000)
	}
	if got, err := capture.Received("early"); !got || err != nil {
		t.Errorf("early: %v, %v", got, err)
	}
	if _, err := capture.Received("never said"); !errors.Is(err, lab.ErrIncomplete) {
		t.Errorf("never said: %v, want ErrIncomplete", err)
	}
}

func TestNamespacesAreApart(t *testing.T) {
	a, b := labtest.New(t, lab.Config{}), labtest.New(t, lab.Config{})
	capture := labtest.Capture(t, b.Internet, "eth0")
	if out, err := a.Client.Command(timeout(t), "curl", "-sS", "http://example.org/").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got, err := capture.Received("example.org"); got || err != nil {
		t.Errorf("another lab's traffic: %v, %v", got, err)
	}
	inside := map[string]bool{}
	for _, n := range append(a.Namespaces(), b.Namespaces()...) {
		err := n.Do(func() error {
			_, err := net.InterfaceByName("eth0")
			inside[n.Name()] = err == nil
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if !inside["client"] || inside["gateway"] {
		t.Errorf("eth0 seen in %v", inside)
	}
	want := errors.New("mine")
	if err := a.Client.Do(func() error { return want }); !errors.Is(err, want) {
		t.Errorf("Do returned %v", err)
	}
}
