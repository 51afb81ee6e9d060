// SPDX-License-Identifier: MIT

// Package guest is the inside of a virtual machine: the first process, which
// mounts what a Linux system has, loads modules, runs one program and reports
// how it went to the outside.
//
// Plan and Report are what crosses: a Plan lies in the boot archive, a Report
// is one line of JSON on a port of its own, so that nothing a program prints
// can be taken for a result.
//
// It refuses to run as anything but process 1, and it starts no services: one
// program, then the machine is over.
package guest
