// SPDX-License-Identifier: MIT

// Package rules keeps the daemon's own nft table in the kernel: the chains that
// send the first packets of connections to the queues, and that take finished
// connections out of their way.
//
// Install puts the whole table there in one transaction, in place of what was
// there under that name. Where the kernel has the flags owner and persist the
// table is locked against others while the daemon lives and stays after it;
// elsewhere Watch tells when somebody has touched it. Rules (nftext/rule) are plain
// nft expressions, the terms that a Compiler makes of `dict` text, and
// the xt NFQUEUE target on kernels without nft's own queue.
//
// It refuses to touch tables of others, and to write any mark of theirs: of the
// conntrack mark it sets one bit, and the packet mark, where it carries the
// conntrack id, is put back by the kernel itself, daemon or not. The security
// mark of packets is overwritten where the id travels in the packet mark.
package rules
