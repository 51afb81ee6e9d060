// SPDX-License-Identifier: MIT

package labtest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nftdict/internal/lab"
	"nftdict/internal/need"
)

// NetworkManager is one that runs in a namespace, with a bus of its own.
type NetworkManager struct {
	ns  *lab.Namespace
	bus string
	log bytes.Buffer
}

const busConfiguration = `<busconfig><type>system</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>
<policy context="default"><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>
`

// It looks at the devices, and changes none.
const managerConfiguration = `[main]
plugins=keyfile
auth-polkit=false
no-auto-default=*
dns=none
rc-manager=unmanaged
[keyfile]
path=%s
[connectivity]
uri=%s
response=%s
interval=300
`

// Devices count as known without udev where /sys is read-only.
const managerScript = `set -e
mount -t sysfs -o ro sysfs /sys
mkdir -p /run/NetworkManager /var/lib/NetworkManager
mount -t tmpfs t /run/NetworkManager
mount -t tmpfs t /var/lib/NetworkManager
exec "$0" --debug --config="$1/nm.conf" --config-dir="$1/none" --system-config-dir="$1/none" --intern-config="$1/none" --state-file="$1/state" --pid-file="$1/pid"
`

// StartNetworkManager runs one that checks connectivity at a URL, which should give a
// text, until the test ends. It takes the namespace's devices as they are.
func StartNetworkManager(tb testing.TB, ns *lab.Namespace, uri, want string) *NetworkManager {
	tb.Helper()
	path, daemon := need.Program(tb, "NetworkManager"), need.Program(tb, "dbus-daemon")
	need.Program(tb, "nmcli")
	dir := tb.TempDir()
	n := &NetworkManager{ns: ns, bus: "unix:path=" + filepath.Join(dir, "bus")}
	for name, text := range map[string]string{
		"bus.conf": fmt.Sprintf(busConfiguration, filepath.Join(dir, "bus")), "nm.conf": fmt.Sprintf(managerConfiguration, filepath.Join(dir, "none"), uri, want),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	run := func(name string, args ...string) *lab.Cmd {
		c := ns.Command(ctx, name, args...)
		c.Env = append(c.Env, "DBUS_SYSTEM_BUS_ADDRESS="+n.bus)
		c.Stdout, c.Stderr = &n.log, &n.log
		if err := c.Start(); err != nil {
			cancel()
			tb.Fatal(err)
		}
		return c
	}
	bus := run(daemon, "--config-file="+filepath.Join(dir, "bus.conf"), "--nofork", "--nopidfile")
	tb.Cleanup(func() {
		cancel()
		_ = bus.Wait()
	})
	n.await(tb, "its bus", func() bool { _, err := os.Stat(filepath.Join(dir, "bus")); return err == nil })
	manager := run("unshare", "-m", "sh", "-c", managerScript, path, dir)
	tb.Cleanup(func() {
		cancel()
		_ = manager.Wait()
	})
	n.await(tb, "the manager", func() bool { _, err := n.ask("networking", "connectivity"); return err == nil })
	return n
}

// await waits for something of the start.
func (n *NetworkManager) await(tb testing.TB, what string, f func() bool) {
	tb.Helper()
	for end := time.Now().Add(30 * time.Second); !f(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			tb.Fatalf("NetworkManager: in vain: %s\n%s", what, n.log.String())
		}
	}
}

func (n *NetworkManager) ask(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c := n.ns.Command(ctx, "nmcli", args...)
	c.Env = append(c.Env, "DBUS_SYSTEM_BUS_ADDRESS="+n.bus)
	out, err := c.Output()
	return strings.TrimSpace(string(out)), err
}

// Connectivity has it checked and returns what it says: "none", "portal", "limited" or
// "full".
func (n *NetworkManager) Connectivity(tb testing.TB) string {
	tb.Helper()
	said, err := n.ask("networking", "connectivity", "check")
	if err != nil {
		tb.Fatalf("nmcli: %v\n%s", err, n.log.String())
	}
	return said
}
