// SPDX-License-Identifier: MIT

// Package fakenic works the network card without hardware of kmod/test/fakenic,
// in a namespace of a lab: devices claimed for it take rules of flowtables with
// `flags offload`, and forward what these match past the whole stack.
//
// It refuses to run where the module is not loaded: the test is skipped, or fails
// where the run has promised it (feature "fakenic"). `make kmod` builds it, and
// guests load it beside nft_dict.
package fakenic
