// SPDX-License-Identifier: MIT

package rule

import (
	"github.com/mdlayher/netlink"

	"nftdict/nftext"
)

// Options of a Batch. The zero value does without dict terms.
type Options struct {
	// NetNS is the descriptor of the network namespace; 0 means the caller's.
	NetNS int
	// Conn, of NETLINK_NETFILTER, is the socket to use, and who owns the tables
	// with TableOwner; nil is a new one for each commit. It is of the namespace
	// NetNS. Only one batch at a time may use it, and nobody else may receive from
	// it.
	Conn *netlink.Conn
	// Schema and Compiler, usually a backend's, make expressions of dict terms.
	Schema   nftext.Schema
	Compiler nftext.Compiler
	// Features is what the kernel can do; nil means that it is asked, once, when
	// a rule wants to know.
	Features *Features
}

// TableFlags say how a table is to others.
type TableFlags uint32

// The flags. Owner and Persist are newer than the other things here: 5.12 and
// 6.9.
const (
	TableDormant TableFlags = 1 << iota // its chains do nothing
	TableOwner                          // nobody else may change it, and it goes with the socket that made it
	TablePersist                        // it stays when its owner goes
)
