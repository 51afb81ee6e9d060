// SPDX-License-Identifier: MIT

package rule

import (
	"fmt"
	"strings"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// Level is how much a message of Log weighs; the zero value is warn.
type Level uint8

// The levels. LevelAudit writes to the audit log and takes no other options.
const (
	LevelWarn Level = iota
	LevelEmerg
	LevelAlert
	LevelCrit
	LevelErr
	LevelNotice
	LevelInfo
	LevelDebug
	LevelAudit
)

// String returns the level as nft writes it.
func (l Level) String() string {
	words := [...]string{"warn", "emerg", "alert", "crit", "err", "notice", "info", "debug", "audit"}
	if int(l) >= len(words) {
		return decimal(l)
	}
	return words[l]
}

func (l Level) kernel() expr.LogLevel {
	return [...]expr.LogLevel{expr.LogLevelWarning, expr.LogLevelEmerg, expr.LogLevelAlert, expr.LogLevelCrit, expr.LogLevelErr,
		expr.LogLevelNotice, expr.LogLevelInfo, expr.LogLevelDebug, expr.LogLevelAudit}[l]
}

// LogFlag is what else a message of Log tells.
type LogFlag uint8

// The flags.
const (
	LogTCPSequence LogFlag = 0x01
	LogTCPOptions  LogFlag = 0x02
	LogIPOptions   LogFlag = 0x04
	LogSKUID       LogFlag = 0x08
	LogEther       LogFlag = 0x20
	LogAll                 = LogTCPSequence | LogTCPOptions | LogIPOptions | LogSKUID | LogEther
)

// String returns the flags as nft writes them.
func (f LogFlag) String() string {
	if f == LogAll {
		return "flags all"
	}
	var words []string
	switch f & (LogTCPSequence | LogTCPOptions) {
	case LogTCPSequence | LogTCPOptions:
		words = append(words, "flags tcp sequence,options")
	case LogTCPSequence:
		words = append(words, "flags tcp sequence")
	case LogTCPOptions:
		words = append(words, "flags tcp options")
	}
	for _, w := range []struct {
		flag LogFlag
		word string
	}{{LogIPOptions, "ip options"}, {LogSKUID, "skuid"}, {LogEther, "ether"}} {
		if f&w.flag != 0 {
			words = append(words, "flags "+w.word)
		}
	}
	return strings.Join(words, " ")
}

// Log tells of the packet in the kernel's log or, with ToGroup, to a program
// that reads an nflog group.
type Log struct {
	Prefix string // at most 127 bytes
	Level  Level
	Flags  LogFlag

	ToGroup        bool // to Group, in place of the kernel's log
	Group          uint16
	Snaplen        uint32 // how many bytes of each packet; 0 is all
	QueueThreshold uint16 // how many packets are told at once; 0 is the kernel's
}

// String returns the statement as nft writes it.
func (l Log) String() string {
	words := []string{"log"}
	if l.Prefix != "" {
		words = append(words, "prefix "+quote(l.Prefix))
	}
	if l.ToGroup {
		words = append(words, fmt.Sprintf("group %d", l.Group))
		if l.Snaplen != 0 {
			words = append(words, fmt.Sprintf("snaplen %d", l.Snaplen))
		}
		if l.QueueThreshold != 0 {
			words = append(words, fmt.Sprintf("queue-threshold %d", l.QueueThreshold))
		}
	}
	if l.Level != LevelWarn {
		words = append(words, "level "+l.Level.String())
	}
	if l.Flags != 0 {
		words = append(words, l.Flags.String())
	}
	return strings.Join(words, " ")
}

func (Log) remedy() string {
	return "log needs a logger for the family: nf_log_syslog, or nfnetlink_log for groups"
}

func (l Log) build(b *builder) error {
	const longest = 127
	switch {
	case len(l.Prefix) > longest || strings.ContainsAny(l.Prefix, "\x00\"\n"):
		return fmt.Errorf("prefix %s: %w: at most %d bytes, no quotes or line ends", dict.Quote(l.Prefix), dict.ErrInvalid, longest)
	case l.Level > LevelAudit || l.Flags&^LogAll != 0:
		return fmt.Errorf("%w: no such level or flag", dict.ErrInvalid)
	case l.ToGroup && (l.Level != 0 || l.Flags != 0):
		return fmt.Errorf("%w: level and flags are the kernel log's, a group has none", dict.ErrInvalid)
	case !l.ToGroup && (l.Group != 0 || l.Snaplen != 0 || l.QueueThreshold != 0):
		return fmt.Errorf("%w: group, snaplen and queue threshold need ToGroup", dict.ErrInvalid)
	case l.Level == LevelAudit && (l.Prefix != "" || l.Flags != 0):
		return fmt.Errorf("%w: level audit takes neither prefix nor flags", dict.ErrInvalid)
	}
	e := &expr.Log{Level: l.Level.kernel(), Flags: expr.LogFlags(l.Flags), Group: l.Group, Snaplen: l.Snaplen, QThreshold: l.QueueThreshold, Data: []byte(l.Prefix)}
	set := func(is bool, attr uint32) {
		if is {
			e.Key |= 1 << attr
		}
	}
	set(l.Prefix != "", unix.NFTA_LOG_PREFIX)
	set(l.ToGroup, unix.NFTA_LOG_GROUP)
	set(l.Snaplen != 0, unix.NFTA_LOG_SNAPLEN)
	set(l.QueueThreshold != 0, unix.NFTA_LOG_QTHRESHOLD)
	set(!l.ToGroup, unix.NFTA_LOG_LEVEL)
	set(l.Flags != 0, unix.NFTA_LOG_FLAGS)
	b.add(e)
	return nil
}
