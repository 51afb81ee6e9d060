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
// known who is there, and nobody takes all places. Who has no right to ask finds
// places of his own, where he is told so: a user may have thousands of ids by the
// name spaces of users, and would have all with them.
type gate struct {
	*net.UnixListener
	may       func(*Peer) bool // ask
	places    *places
	strangers *places
}

// Connections at one time: of everybody but root, of one user, and kept for root; and
// of those who have no right, of all and of one.
const (
	maxConnections = 256
	maxOfUser      = 64
	keptForRoot    = 64

	maxStrangers  = 32
	maxOfStranger = 8
)

func newGate(ln *net.UnixListener, may func(*Peer) bool) *gate {
	return &gate{ln, may, newPlaces(maxConnections, maxOfUser, keptForRoot), newPlaces(maxStrangers, maxOfStranger, 0)}
}

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
		places := g.places
		if !g.may(peer) {
			places = g.strangers
		}
		if !places.enter(peer.UID) {
			turnAway(conn)
			continue
		}
		return &guest{conn, peer, sync.OnceFunc(func() { places.exit(peer.UID) })}, nil
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
