// SPDX-License-Identifier: MIT

package api

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// gate is the socket as the HTTP server listens on it: of each connection it is
// known who is there, and nobody takes all places.
type gate struct {
	*net.UnixListener

	mu    sync.Mutex
	total int
	of    map[uint32]int // by user
}

// Connections at one time: of everybody but root, of one user. Root finds places
// kept for him.
const (
	maxConnections = 256
	maxOfUser      = 64
	keptForRoot    = 64
)

// guest is a connection with a place.
type guest struct {
	*net.UnixConn
	peer  *Peer
	leave func()
}

// Close closes the connection and gives its place back.
func (g *guest) Close() error {
	g.leave()
	return g.UnixConn.Close()
}

// Accept waits for a connection. One that finds no place is told so and closed.
func (g *gate) Accept() (net.Conn, error) {
	for {
		conn, err := g.AcceptUnix()
		if err != nil {
			return nil, err
		}
		peer, err := peerOf(conn)
		if err != nil { // it is gone already
			conn.Close()
			continue
		}
		if !g.enter(peer.UID) {
			turnAway(conn)
			continue
		}
		return &guest{conn, peer, sync.OnceFunc(func() { g.exit(peer.UID) })}, nil
	}
}

func (g *gate) enter(uid uint32) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	limit := maxConnections
	if uid == 0 {
		limit += keptForRoot
	}
	if g.total >= limit || uid != 0 && g.of[uid] >= maxOfUser {
		return false
	}
	g.total++
	g.of[uid]++
	return true
}

func (g *gate) exit(uid uint32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.total--
	if g.of[uid]--; g.of[uid] == 0 {
		delete(g.of, uid)
	}
}

// turnAway answers whatever is asked, without waiting for it.
func turnAway(conn *net.UnixConn) {
	const body = `{"error":"too many connections","remedy":"close some, or use one for several requests"}` + "\n"
	// An empty buffer takes it; one that does not is not waited for.
	err := conn.SetWriteDeadline(time.Now().Add(time.Millisecond))
	if err == nil {
		_, err = io.WriteString(conn, "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nConnection: close\r\n"+
			fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body))
	}
	_ = errors.Join(err, conn.Close()) // it is turned away, told or not
}
