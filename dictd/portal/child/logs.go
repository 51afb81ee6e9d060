// SPDX-License-Identifier: MIT

package child

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"time"
)

// Bounds of what the process may write into the daemon's log.
const (
	maxLine      = 2 << 10         // bytes of a line that are kept
	lineBurst    = 50              // lines at once,
	lineInterval = 2 * time.Second // and one more each
)

// line is what the process writes.
type line struct {
	Level slog.Level `json:"level"`
	Msg   string     `json:"msg"`
	Err   string     `json:"err,omitempty"`
	Log   string     `json:"log,omitempty"`
}

// forward puts what the process writes into the log, until there is no more. The
// program may be anybody's: what it writes is quoted by the log, and cut.
func forward(from io.Reader, log *slog.Logger) {
	r := bufio.NewReaderSize(from, maxLine)
	left, since, lost := float64(lineBurst), time.Now(), 0
	for {
		text, err := readLine(r)
		if err != nil {
			return
		}
		now := time.Now()
		left = min(lineBurst, left+float64(now.Sub(since))/float64(lineInterval))
		if since = now; left < 1 {
			lost++
			continue
		}
		left--
		if lost > 0 {
			log.Warn("the portal's pages have said too much", "lines", lost)
			lost = 0
		}
		var l line
		if json.Unmarshal(text, &l) != nil || l.Msg == "" {
			l = line{Level: slog.LevelWarn, Msg: string(text)}
		}
		args := []any{"said", l.Msg}
		if l.Err != "" {
			args = append(args, "err", l.Err)
		}
		if l.Log != "" {
			args = append(args, "log", l.Log)
		}
		level := min(max(l.Level, slog.LevelInfo), slog.LevelError)
		log.Log(context.Background(), level, "the portal's pages", args...)
	}
}

// readLine returns the beginning of a line.
func readLine(r *bufio.Reader) ([]byte, error) {
	text, more, err := r.ReadLine()
	text = append([]byte(nil), text...)
	for more && err == nil {
		_, more, err = r.ReadLine()
	}
	return text, err
}
