// SPDX-License-Identifier: MIT

package rule

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/nftables"

	"nftdict/dict"
	"nftdict/nftext"
	"nftdict/nftext/front"
)

// Listed is a rule as the kernel has it.
type Listed struct {
	Handle uint64 // what Replace, Delete and their like take
	Text   string // as nft writes it, dict terms as they were written
}

// List returns the rules of a chain in their order: as the installed nft lists
// them, with the dict terms that codec finds (nftext/codec makes one of a store
// and a compiler). It works in the network namespace of the calling thread. The
// error has nft's words where there is no such chain.
func List(ctx context.Context, codec front.Codec, c *nftables.Chain) ([]Listed, error) {
	if c == nil || c.Table == nil {
		return nil, fmt.Errorf("list rules: %w: no chain, or a chain without its table", dict.ErrInvalid)
	}
	var out, errs bytes.Buffer
	nft := front.Command{
		Args:   []string{"-a", "list", "chain", nftext.FamilyWord(uint8(c.Table.Family)), c.Table.Name, c.Name},
		Codec:  codec,
		Stdout: &out, Stderr: &errs,
	}
	exit, err := nft.Run(ctx)
	if err != nil {
		return nil, fmt.Errorf("list rules of %s: %w", place(c), err)
	}
	if exit != 0 {
		said, _, _ := strings.Cut(strings.TrimSpace(errs.String()), "\n")
		return nil, fmt.Errorf("list rules of %s: %w: %s", place(c), dict.ErrNotExist, strings.TrimPrefix(said, "Error: "))
	}
	return parseList(out.String())
}

// handleMark is between a rule and its handle.
const handleMark = " # handle "

// parseList reads the listing of one chain.
func parseList(text string) ([]Listed, error) {
	var out []Listed
	rule := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		i := strings.LastIndex(line, handleMark)
		switch {
		case line == "" || line == "}" && rule == "",
			rule == "" && opens(line):
			continue
		case i < 0 && rule == "" && strings.HasPrefix(line, "type ") && strings.Contains(line, " hook "),
			i < 0 && rule == "" && strings.HasPrefix(line, "comment "):
			continue
		case i < 0: // nft breaks long sets
			rule += line + " "
			continue
		}
		handle, err := strconv.ParseUint(line[i+len(handleMark):], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("listing %s: %w: no handle at its end", dict.Quote(line), dict.ErrInvalid)
		}
		out = append(out, Listed{Handle: handle, Text: rule + line[:i]})
		rule = ""
	}
	if rule != "" {
		return nil, fmt.Errorf("listing %s: %w: no handle at its end", dict.Quote(rule), dict.ErrInvalid)
	}
	return out, nil
}

// opens reports whether a line begins a table's or a chain's block.
func opens(line string) bool {
	head, _, _ := strings.Cut(line, " # handle ")
	return strings.HasSuffix(head, "{") && (strings.HasPrefix(head, "table ") || strings.HasPrefix(head, "chain "))
}
