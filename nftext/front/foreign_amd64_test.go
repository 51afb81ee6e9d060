// SPDX-License-Identifier: MIT

package front

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// program returns an executable file of that machine code.
func program(t *testing.T, code string) string {
	t.Helper()
	elf := "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00\x01\x00\x00\x00\x78\x00\x40\x00\x00\x00\x00\x00" +
		"\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x40\x00\x38\x00\x01\x00\x00\x00\x00\x00\x00\x00" + // one segment
		"\x01\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00\x40\x00\x00\x00\x00\x00" +
		"\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00" + code
	name := filepath.Join(t.TempDir(), "nft")
	if err := os.WriteFile(name, append([]byte(elf), make([]byte, 256-len(elf))...), 0o700); err != nil {
		t.Fatal(err)
	}
	return name
}

const exitCode = "\xb8\x3c\x00\x00\x00\x31\xff\x0f\x05" // exit(0)

// A program that makes calls of another architecture does not run.
func TestRunForeignCalls(t *testing.T) {
	needListener(t)
	c := Command{Nft: program(t, "\xb8\x27\x00\x00\x40\x0f\x05"+exitCode), Codec: fakeCodec{}} // getpid of x32
	if exit, err := c.Run(context.Background()); exit != 128+int(unix.SIGSYS) || !errors.Is(err, dict.ErrNotSupported) {
		t.Errorf("exit %d, %v", exit, err)
	}
}

// A program that sends by a call that is not translated is ended before it.
func TestRunOtherCall(t *testing.T) {
	needListener(t)
	const (
		socket   = "\xbf\x10\x00\x00\x00\xbe\x03\x00\x00\x00\xba%c\x00\x00\x00\xb8\x29\x00\x00\x00\x0f\x05" // AF_NETLINK, SOCK_RAW, protocol
		sendmmsg = "\x89\xc7\x31\xf6\x31\xd2\x4d\x31\xd2\xb8\x33\x01\x00\x00\x0f\x05"                       // of nothing
	)
	c := Command{Nft: program(t, fmt.Sprintf(socket, unix.NETLINK_NETFILTER)+sendmmsg+exitCode), Codec: fakeCodec{}}
	if exit, err := c.Run(context.Background()); exit == 0 || err == nil || !strings.Contains(err.Error(), "system call 307 ") {
		t.Errorf("nf_tables: exit %d, %v", exit, err)
	}
	c.Nft = program(t, fmt.Sprintf(socket, unix.NETLINK_ROUTE)+sendmmsg+exitCode)
	if exit, err := c.Run(context.Background()); exit != 0 || err != nil {
		t.Errorf("another socket: exit %d, %v", exit, err)
	}
}
