// SPDX-License-Identifier: MIT

package bpfmap

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// struct xt_bpf_info_v1: mode, then the length and instructions of a classic
// program or the descriptor of ours, 512 bytes for a path, and a pointer that
// is the kernel's.
const (
	infoSize   = 528
	infoFd     = 4
	infoPath   = 8
	pathSize   = 512
	modeFd     = 2
	matchName  = "bpf"
	matchRev   = 1
	labelMagic = "nftdict1 "
)

// label is what a rule of ours says about itself, in the path that a match by
// descriptor does not use: the term's canonical text, and the ids of the
// tables it consults, which names and aliases would not tell for sure. A plus
// behind them says that the two expressions before belong to the term.
//
//	nftdict1 3,4+ dict users dict sessions ct id username quota_exceeded true
type label struct {
	tables  []uint32
	carried bool
	text    string
}

// info returns the match's data for a program. The error wraps
// dict.ErrTooLong.
func (l label) info(fd int) ([]byte, error) {
	ids := make([]string, len(l.tables))
	for i, id := range l.tables {
		ids[i] = strconv.FormatUint(uint64(id), 10)
	}
	path := labelMagic + strings.Join(ids, ",") + map[bool]string{true: "+ ", false: " "}[l.carried] + l.text
	if len(path) >= pathSize {
		return nil, fmt.Errorf("%s: %w for one rule: %d bytes, at most %d: split it", l.text, dict.ErrTooLong, len(l.text), pathSize-1-(len(path)-len(l.text)))
	}
	info := make([]byte, infoSize)
	binary.NativeEndian.PutUint16(info, modeFd)
	binary.NativeEndian.PutUint32(info[infoFd:], uint32(fd))
	copy(info[infoPath:], path)
	return info, nil
}

// parseLabel reads a label from the match's data, false if it is not ours.
func parseLabel(info []byte) (label, bool) {
	if len(info) < infoPath+pathSize || binary.NativeEndian.Uint16(info) != modeFd {
		return label{}, false
	}
	path, _, _ := bytes.Cut(info[infoPath:infoPath+pathSize], []byte{0})
	rest, ok := strings.CutPrefix(string(path), labelMagic)
	ids, text, found := strings.Cut(rest, " ")
	if !ok || !found || text == "" {
		return label{}, false
	}
	l := label{text: text}
	ids, l.carried = strings.CutSuffix(ids, "+")
	for id := range strings.SplitSeq(ids, ",") {
		n, err := strconv.ParseUint(id, 10, 32)
		if err != nil {
			return label{}, false
		}
		l.tables = append(l.tables, uint32(n))
	}
	return l, true
}

// parseMatch reads the label of an nft expression, false if it is not ours.
// data is the expression's attributes.
func parseMatch(name string, data []byte) (label, bool) {
	if name != "match" {
		return label{}, false
	}
	attrs, err := netlink.NewAttributeDecoder(data)
	if err != nil {
		return label{}, false
	}
	attrs.ByteOrder = binary.BigEndian
	var info []byte
	var match string
	var revision uint32
	for attrs.Next() {
		switch attrs.Type() {
		case unix.NFTA_MATCH_NAME:
			match = attrs.String()
		case unix.NFTA_MATCH_REV:
			revision = attrs.Uint32()
		case unix.NFTA_MATCH_INFO:
			info = attrs.Bytes()
		}
	}
	if attrs.Err() != nil || match != matchName || revision != matchRev {
		return label{}, false
	}
	return parseLabel(info)
}
