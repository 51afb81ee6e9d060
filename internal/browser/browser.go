// SPDX-License-Identifier: MIT

package browser

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"

	"nftdict/internal/need"
)

// Options of a Browser; the zero Options are a browser in this network namespace.
type Options struct {
	// NetNS is the path of the network namespace in which it runs, as Path of a lab's
	// Namespace returns it; with it come the mounts of commands there.
	NetNS string
	// Trust are authorities beside those of the system.
	Trust []*x509.Certificate
	// Languages are the ones that pages are asked for, "de,en"; "" is English.
	Languages string
	// Flags are more of the command line, without their dashes: "name" or "name=value".
	Flags []string
}

// Browser is a running Chromium. It ends with the test.
type Browser struct {
	ctx  context.Context
	opts Options
}

// Start starts a browser, where there is one (feature "chromium"). It waits until it
// answers.
func Start(t testing.TB, o Options) *Browser {
	t.Helper()
	program := need.Program(t, "chromium")
	if o.Languages == "" {
		o.Languages = "en"
	}
	home := trust(t, o.Trust)
	flags := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program),
		chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-domain-reliability", true),
		chromedp.Flag("no-proxy-server", true),
		// What it would ask its makers by itself.
		chromedp.Flag("host-resolver-rules", "MAP accounts.google.com ~NOTFOUND, MAP *.googleapis.com ~NOTFOUND"),
		chromedp.Flag("no-pings", true),
		chromedp.Flag("lang", strings.SplitN(o.Languages, ",", 2)[0]),
		chromedp.Flag("accept-lang", o.Languages),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.ModifyCmdFunc(func(cmd *exec.Cmd) { inside(cmd, o.NetNS, home) }),
	)
	for _, f := range o.Flags {
		name, value, has := strings.Cut(f, "=")
		if has {
			flags = append(flags, chromedp.Flag(name, value))
		} else {
			flags = append(flags, chromedp.Flag(name, true))
		}
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), flags...)
	ctx, end := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // it may be gone already
		end()
		stop()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("chromium: %v", err)
	}
	return &Browser{ctx: ctx, opts: o}
}

// inside has a command run in a network namespace, with the mounts of the thread that
// keeps it and a home of its own, and die with this process.
func inside(cmd *exec.Cmd, netns, home string) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Env = slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return strings.HasSuffix(strings.ToLower(name), "_proxy") || name == "DISPLAY" || name == "HOME"
	})
	cmd.Env = append(cmd.Env, "HOME="+home)
	if netns == "" {
		return
	}
	args := []string{"nsenter", "--net=" + netns, "--mount=" + filepath.Join(filepath.Dir(netns), "mnt"), "--", cmd.Path}
	cmd.Args = append(args, cmd.Args[1:]...)
	if path, err := exec.LookPath("nsenter"); err == nil { // else Start tells
		cmd.Path = path
	} else {
		cmd.Err = err
	}
}

// trust makes a home in which there is nothing but authorities that are trusted.
func trust(t testing.TB, all []*x509.Certificate) (home string) {
	t.Helper()
	home = t.TempDir()
	if len(all) == 0 {
		return home
	}
	certutil := need.Program(t, "certutil")
	db := filepath.Join(home, ".pki", "nssdb")
	if err := os.MkdirAll(db, 0o700); err != nil {
		t.Fatal(err)
	}
	tool := func(input []byte, args ...string) {
		t.Helper()
		cmd := exec.Command(certutil, append([]string{"-d", "sql:" + db}, args...)...)
		cmd.Stdin = bytes.NewReader(input)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("certutil %q: %v\n%s", args, err, out)
		}
	}
	tool(nil, "-N", "--empty-password")
	for i, c := range all {
		tool(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), "-A", "-t", "C,,", "-n", fmt.Sprintf("authority %d", i))
	}
	return home
}
