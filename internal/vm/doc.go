// SPDX-License-Identifier: MIT

// Package vm runs programs, above all the tests of Go packages, in virtual
// machines with another kernel and with modules loaded:
//
//	go test -exec "bin/vm exec -kernel 6.12" ./somepackage
//
// A Machine is QEMU in emulation, a kernel of the cache (package kernel), and
// a boot archive made for the run: this very executable as process 1 (package
// guest), the modules it needs, a plan. The program's output, its exit status
// and the kernel's log come back on ports of their own. A run in which the
// kernel complained (a warning, an oops, a lock out of order, a leak, a module
// that cannot be unloaded) has failed, whatever the program says.
//
//	host                                   guest
//	 go test -> bin/vm exec -- x.test ...   /init (bin/vm again)
//	             |  boot archive  --------->  plan, modules
//	             |  9p, read only --------->  / (with memory above)
//	             |  <--- stdout, stderr ----  x.test ...
//	             |  <--- report ------------  exit status, taint, leaks
//	             |  <--- console -----------  kernel log
//
// The package refuses hardware virtualization, networks between host and
// guest, writing to the host from inside, and disks. Nothing outlives a run:
// it makes no file but the boot archive, in memory, and the machine dies with
// the process that started it.
package vm
