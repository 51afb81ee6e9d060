// SPDX-License-Identifier: MIT

// Package jsondoc looks into JSON text by offsets, so that a part of a document
// can be replaced and every other byte stays as it is: numbers of any size, the
// order of members, spacing.
//
// Walk goes over a document of any size without building anything; Parse makes
// a tree of a small piece. Both take what RFC 8259 calls JSON and refuse the
// rest, a text that is not UTF-8 and more than MaxDepth containers in each other.
package jsondoc
