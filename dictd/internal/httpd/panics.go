// SPDX-License-Identifier: MIT

package httpd

import (
	"bytes"
	"log"
	"log/slog"
)

// Panics returns a log for a server of which nothing is kept but that a request has ended
// in a panic: what clients do wrong is theirs to know.
func Panics(to *slog.Logger) *log.Logger { return log.New(panics{to}, "", 0) }

type panics struct{ log *slog.Logger }

// Write implements io.Writer.
func (p panics) Write(line []byte) (int, error) {
	if bytes.HasPrefix(line, []byte("http: panic")) {
		p.log.Error("a request has ended in a panic", "log", string(line))
	}
	return len(line), nil
}
