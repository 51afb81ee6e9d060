// SPDX-License-Identifier: MIT

package guest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// ErrNotInit is returned by Main in a process that is not the first.
var ErrNotInit = errors.New("not process 1 of a guest")

// IsInit reports whether this process is the first one of a guest.
func IsInit() bool {
	if os.Getpid() != 1 {
		return false
	}
	_, err := os.Stat(PlanFile)
	return err == nil
}

// Main does what the Plan says and ends the machine. It returns only
// ErrNotInit.
func Main() error {
	if !IsInit() {
		return ErrNotInit
	}
	// What goes wrong before the ports are there can only be told on the
	// console.
	if err := live(); err != nil {
		fmt.Fprintln(os.Stderr, "guest:", err)
	}
	unix.Sync()
	// The virtual machine is told not to reboot, so this ends it; it works
	// without ACPI, which a small kernel has not.
	if err := unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART); err != nil {
		fmt.Fprintln(os.Stderr, "guest: end the machine:", err)
	}
	select {}
}

func live() error {
	text, err := os.ReadFile(PlanFile)
	if err != nil {
		return err
	}
	var plan Plan
	if err := json.Unmarshal(text, &plan); err != nil {
		return fmt.Errorf("%s: %w", PlanFile, err)
	}
	if err := mountKernel(""); err != nil {
		return err
	}
	mark("alive")
	for _, file := range plan.Boot {
		if err := load(file); err != nil {
			return err
		}
	}
	mark("modules are loaded")
	ports, err := openPorts()
	if err != nil {
		return err
	}
	var r Report
	if r.Exit, err = work(&plan, ports); err != nil {
		r.Exit, r.Error = 1, err.Error()
	}
	mark("the program is over")
	finish(&plan, &r)
	return json.NewEncoder(ports.report).Encode(r)
}

// work runs the program and returns its exit status.
func work(plan *Plan, ports *ports) (int, error) {
	extra, err := keepExtra(plan)
	if err != nil {
		return 0, err
	}
	if plan.Host {
		if err := enterHost(plan, extra); err != nil {
			return 0, err
		}
	} else if err := settle(extra); err != nil {
		return 0, err
	}
	if err := loopbackUp(); err != nil {
		return 0, err
	}
	for _, file := range extra.files() {
		if err := load(file); err != nil {
			return 0, err
		}
	}
	once()
	mark("the program starts")
	return run(plan, ports)
}

// mark leaves a line in the kernel's log, for who reads it later.
func mark(text string) {
	if f, err := os.OpenFile("/dev/kmsg", os.O_WRONLY, 0); err == nil {
		defer f.Close()
		fmt.Fprintf(f, "<5>guest: %s\n", text)
	}
}
