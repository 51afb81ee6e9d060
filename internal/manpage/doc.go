// SPDX-License-Identifier: MIT

// Command manpage turns a document of the docs directory into a manual page, so
// that what both say is written once.
//
//	manpage NAME SECTION DATE "WHAT IT IS" FILE.md > NAME.SECTION
//
// It reads what those documents use of Markdown: headings of two and three
// hashes, paragraphs, indented blocks, lists with dashes, tables; in a line
// code, bold and links, of which the text stays. The heading with one hash is
// dropped. It refuses what it would print wrongly: fences, numbered lists, lists
// in lists, other headings.
package main
