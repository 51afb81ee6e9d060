// SPDX-License-Identifier: MIT

package lab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Namespace is one network namespace of a lab. It belongs to the Lab, which
// closes it; its methods are safe for concurrent use.
type Namespace struct {
	name   string
	keeper *keeper
	env    []string // added to the environment of commands

	mu       sync.Mutex
	running  map[*Cmd]struct{}
	captures map[*Capture]struct{}
	private  bool   // the keeper has a mount namespace of its own
	bound    string // path under /run/netns, empty for an anonymous namespace
}

// newNamespace makes an empty namespace with its loopback up.
func newNamespace(name string) (*Namespace, error) {
	k, err := newKeeper()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	n := &Namespace{
		name:     name,
		keeper:   k,
		running:  map[*Cmd]struct{}{},
		captures: map[*Capture]struct{}{},
	}
	if err := n.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), n.close())
	}
	return n, nil
}

// Name returns the place's name in the topology, such as "gateway".
func (n *Namespace) Name() string { return n.name }

// FD returns a descriptor of the namespace for setns and for libraries that
// take one. It stays the lab's: do not close it.
func (n *Namespace) FD() int { return int(n.keeper.netns.Fd()) }

// Path returns a path that other processes can open while the lab lives, for
// instance `nsenter --net=PATH`.
func (n *Namespace) Path() string {
	return fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), n.keeper.tid)
}

// Do runs fn on the calling goroutine with its thread inside the namespace.
// Sockets that fn makes belong to the namespace for good; goroutines that fn
// starts do not run in it. The mounts seen are those of the process.
func (n *Namespace) Do(fn func() error) (err error) {
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer home.Close()
	if err := unix.Setns(n.FD(), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("enter %s: %w", n.name, err)
	}
	defer func() {
		if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
			// The thread stays locked and dies with its goroutine.
			err = errors.Join(err, fmt.Errorf("leave %s: %w", n.name, back))
			return
		}
		runtime.UnlockOSThread()
	}()
	return fn()
}

// Sysctl writes a sysctl of the namespace; the name is written with dots or
// slashes. The error wraps fs.ErrNotExist where the kernel has no such name.
func (n *Namespace) Sysctl(name, value string) error {
	if !strings.Contains(name, "/") {
		name = strings.ReplaceAll(name, ".", "/")
	}
	err := n.Do(func() error {
		return os.WriteFile(filepath.Join("/proc/sys", name), []byte(value), 0)
	})
	if err != nil {
		return fmt.Errorf("sysctl %s=%s in %s: %w", name, value, n.name, err)
	}
	return nil
}

// Netlink opens a route netlink handle in the namespace. The caller closes it.
func (n *Namespace) Netlink() (*netlink.Handle, error) {
	return netlink.NewHandleAt(netns.NsHandle(n.FD()), unix.NETLINK_ROUTE)
}

// Dial connects from the namespace. The address must hold a literal IP
// address: names are looked up with Lab.Lookup, through the lab's own DNS.
func (n *Namespace) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	var conn net.Conn
	err := n.Do(func() (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// Listen makes a plain TCP listener in the namespace, on a literal address.
func (n *Namespace) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	var ln net.Listener
	err := n.Do(func() (err error) {
		var lc net.ListenConfig
		lc.SetMultipathTCP(false)
		ln, err = lc.Listen(ctx, network, address)
		return err
	})
	return ln, err
}

// ListenPacket makes a datagram socket in the namespace, on a literal address.
func (n *Namespace) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error) {
	var pc net.PacketConn
	err := n.Do(func() (err error) {
		pc, err = new(net.ListenConfig).ListenPacket(ctx, network, address)
		return err
	})
	return pc, err
}

// prepare sets what must be set before the first link appears.
func (n *Namespace) prepare() error {
	for _, s := range [][2]string{
		// Addresses usable at once, and no chatter of the kernel's own.
		{"net.ipv6.conf.all.accept_dad", "0"},
		{"net.ipv6.conf.default.accept_dad", "0"},
		{"net.ipv6.conf.default.accept_ra", "0"},
		{"net.ipv6.conf.default.router_solicitations", "0"},
		{"net.ipv4.conf.all.rp_filter", "0"},
		{"net.ipv4.conf.default.rp_filter", "0"},
	} {
		if err := n.Sysctl(s[0], s[1]); err != nil {
			return err
		}
	}
	h, err := n.Netlink()
	if err != nil {
		return fmt.Errorf("netlink: %w", err)
	}
	defer h.Close()
	lo, err := h.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("link lo: %w", err)
	}
	return h.LinkSetUp(lo)
}

// bind gives the namespace a name for `ip netns`.
func (n *Namespace) bind(name string) error {
	if err := os.MkdirAll(netnsDir, 0o755); err != nil {
		return err
	}
	path := filepath.Join(netnsDir, name)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL, 0o444)
	if err != nil {
		return err
	}
	f.Close()
	if err := unix.Mount(n.Path(), path, "", unix.MS_BIND, ""); err != nil {
		os.Remove(path)
		return fmt.Errorf("bind %s: %w", path, err)
	}
	n.bound = path
	return nil
}

// close kills what still runs in the namespace and lets go of it. The kernel
// then removes its links and sockets.
func (n *Namespace) close() error {
	n.mu.Lock()
	running, captures := slices.Collect(maps.Keys(n.running)), slices.Collect(maps.Keys(n.captures))
	n.mu.Unlock()
	var errs []error
	for _, c := range running {
		c.kill()
		c.Wait() // its error is the kill
	}
	for _, c := range captures {
		errs = append(errs, c.Close())
	}
	if n.bound != "" {
		errs = append(errs, unbind(n.bound))
	}
	return errors.Join(append(errs, n.keeper.close())...)
}
