// SPDX-License-Identifier: MIT

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"nftdict/internal/lab"
)

// crossEnd names, in the environment, the end of connections that this program is:
// within one process client and server would hand over to each other without the kernel,
// as long as nothing keeps a packet waiting.
const crossEnd = "NFTDICT_CROSS_END"

// order is what a client is to do, a line of its input: so many connections, of so many
// requests each, or to collect its garbage, which it does at no other time.
type order struct {
	protocol        string // "" to collect
	to              netip.Addr
	count, requests int
}

// client is the client's end in its own process.
type client struct {
	orders  io.Writer
	answers *bufio.Reader
}

// newClient starts it.
func newClient(b *testing.B, l *lab.Lab) *client {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := l.Client.Command(context.Background(), self)
	cmd.Env = append(cmd.Env, crossEnd+"=client", "GOGC=off")
	cmd.Stderr = os.Stderr
	orders, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	answers, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		orders.Close()
		if err := cmd.Wait(); err != nil {
			b.Errorf("the client's end: %v", err)
		}
	})
	return &client{orders, bufio.NewReader(answers)}
}

// do has it follow an order.
func (c *client) do(t testing.TB, o order) {
	t.Helper()
	if _, err := fmt.Fprintf(c.orders, "%q %s %d %d\n", o.protocol, o.to, o.count, o.requests); err != nil {
		t.Fatal(err)
	}
	switch answer, err := c.answers.ReadString('\n'); {
	case err != nil:
		t.Fatal(err)
	case answer != "done\n":
		t.Fatal(strings.TrimSpace(answer))
	}
}

// beClient follows orders until there are no more, and returns the exit status.
func beClient(orders io.Reader, answers io.Writer) int {
	runtime.KeepAlive(bytes.Repeat([]byte{1}, 32<<20)) // room that the process has from now on
	for {
		var o order
		var to string
		switch _, err := fmt.Fscanf(orders, "%q %s %d %d\n", &o.protocol, &to, &o.count, &o.requests); {
		case err == io.EOF:
			return 0
		case err != nil:
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		answer := "done"
		if o.protocol == "" {
			runtime.GC()
			o.count = 0
		} else {
			o.to = netip.MustParseAddr(to)
		}
		for range o.count {
			if err := o.connect(); err != nil {
				answer = fmt.Sprintf("%q", err.Error())
				break
			}
		}
		if _, err := fmt.Fprintln(answers, answer); err != nil {
			return 1
		}
	}
}

// connect makes one connection, from its SYN to its last FIN.
func (o *order) connect() error {
	port := lab.HTTPPort
	if o.protocol == "tls" {
		port = lab.HTTPSPort
	}
	conn, err := net.Dial("tcp", netip.AddrPortFrom(o.to, uint16(port)).String())
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return err
	}
	if o.protocol == "tls" {
		conn = tls.Client(conn, &tls.Config{ServerName: crossSite}) // the lab's authority is the environment's
	}
	reader := bufio.NewReader(conn)
	for range o.requests {
		if _, err := io.WriteString(conn, "GET /bytes/1000 HTTP/1.1\r\nHost: "+crossSite+"\r\n\r\n"); err != nil {
			return err
		}
		res, err := http.ReadResponse(reader, nil)
		if err != nil {
			return err
		}
		if n, err := io.Copy(io.Discard, res.Body); err != nil || n != 1000 {
			return fmt.Errorf("%d bytes: %w", n, err)
		}
	}
	return conn.Close()
}
