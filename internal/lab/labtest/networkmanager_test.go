// SPDX-License-Identifier: MIT

package labtest

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"nftdict/internal/lab"
)

// It tells a network that answers itself from one that lets it through.
func TestNetworkManager(t *testing.T) {
	l := New(t, lab.Config{})
	site, ok := l.Site("example.org")
	if !ok {
		t.Fatal("no such site")
	}
	listener, err := l.Internet.Listen(context.Background(), "tcp", site.Addr4.String()+":8091")
	if err != nil {
		t.Fatal(err)
	}
	var captive atomic.Bool
	captive.Store(true)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if captive.Load() {
			http.Redirect(w, r, "http://portal.example/", http.StatusFound)
			return
		}
		io.WriteString(w, "all is well")
	})}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	n := StartNetworkManager(t, l.Client, "http://example.org:8091/check", "all is well")
	for _, want := range []string{"portal", "full"} {
		captive.Store(want == "portal")
		said := ""
		for end := time.Now().Add(30 * time.Second); said != want && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			said = n.Connectivity(t)
		}
		if said != want {
			t.Errorf("it says %q, want %q", said, want)
		}
	}
}
