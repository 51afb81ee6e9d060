// SPDX-License-Identifier: MIT

package dictd

import (
	"strconv"

	"nftdict/dictd/api"
	"nftdict/dictd/event"
	"nftdict/dictd/session"
)

// Started is the Data of event.DaemonStart.
type Started struct {
	Version string `json:"version"`
	PID     int    `json:"pid"`
}

// Refused is the Data of event.ConfigRefused.
type Refused struct {
	Error string `json:"error"`
}

// Events implements api.Source.
func (d *Daemon) Events() *event.Log { return d.happened }

// ConfigRefused notes that a new configuration could not be read, or that Reload
// did not take it.
func (d *Daemon) ConfigRefused(err error) {
	d.happened.Publish(event.Event{Kind: event.ConfigRefused, Data: Refused{err.Error()}})
}

// sessionEnded notes the end of a locked session.
func (d *Daemon) sessionEnded(s *session.Session) { sessionEvent(d.happened, event.SessionEnd, s) }

func (d *Daemon) sessionFinal(s *session.Session) { sessionEvent(d.happened, event.SessionFinal, s) }

// sessionEvent notes what happened to a locked session, if anybody wants to know.
func sessionEvent(log *event.Log, kind event.Kind, s *session.Session) {
	if log.Wants(kind) {
		log.Publish(event.Event{Kind: kind, Subject: strconv.FormatUint(uint64(s.ID()), 10), Data: api.Describe(s)})
	}
}
