// SPDX-License-Identifier: MIT

package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"nftdict/dictd/api"
	"nftdict/internal/cli"
)

func (d *fakeDaemon) Events(_ context.Context, f api.EventFilter) iter.Seq2[api.Event, error] {
	d.asked = append(d.asked, "events "+strings.Join(f.Kinds, " ")+" after "+f.After)
	return func(yield func(api.Event, error) bool) {
		for _, e := range []api.Event{
			{ID: "ab-1", Seq: 1, Time: time.Date(2026, 11, 20, 10, 0, 0, 0, time.Local), Kind: "daemon-start"},
			{ID: "ab-2", Seq: 2, Time: time.Date(2026, 11, 20, 10, 0, 1, 0, time.Local), Kind: "user-bound", Subject: "b\u0085b", Data: json.RawMessage(`{"n":12345678901234567890}`)},
		} {
			if !yield(e, nil) {
				return
			}
		}
		end := errors.New("gone")
		if len(f.Kinds) == 0 {
			end = context.Canceled
		}
		yield(api.Event{}, end)
	}
}

func TestEvents(t *testing.T) {
	d := newFakeDaemon()
	status, out, stderr := runWith(t, d, "events")
	want := "2026-11-20 10:00:00  daemon-start\n2026-11-20 10:00:01  user-bound       b\\u0085b  {\"n\":12345678901234567890}\n"
	if status != cli.ExitDone || out != want || stderr != "" {
		t.Errorf("exit status %d, %s\n%s\nwant\n%s", status, stderr, out, want)
	}
	status, out, stderr = runWith(t, d, "-j", "events", "--kind", "host-*,user-bound", "--after", "ab-7")
	if status != cli.ExitFailed || stderr != "dictctl: gone\n" || strings.Count(out, "\n") != 2 || !strings.Contains(out, `"id":"ab-2"`) || !strings.Contains(out, "12345678901234567890") {
		t.Errorf("exit status %d, %s\n%s", status, stderr, out)
	}
	if last := d.asked[len(d.asked)-1]; last != "events host-* user-bound after ab-7" {
		t.Errorf("asked for %s", last)
	}
}
