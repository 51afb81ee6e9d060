// SPDX-License-Identifier: MIT

// Package genl is a dict.Store over the generic netlink family of the kernel
// module nft_dict, and the compiler of rules for the module's nf_tables
// expression dict: the backend of choice.
//
// What goes over the wire is specified in kmod/nft_dict.yaml. Many rows go in
// one message, both ways. A request names the table and which table of that
// name it means, so that nothing is ever written into one that took its place.
// Rows are stored whole or not at all by the module, under any number of
// writers and whatever becomes of them; rows of Bound tables hold their
// connection and go with it, without leases and without anybody's help.
//
// A rule's dict term is one expression, before which stand those of nft that
// read the key or the value from the packet. The connection's entry the module
// finds by itself.
//
// The package refuses what the schema does not allow before it asks, with the
// same errors as every store; the module's own refusals keep their errno and
// text. It needs the module, and CAP_NET_ADMIN in the user namespace that owns
// the network namespace, for reading too.
package genl
