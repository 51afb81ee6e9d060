// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nftdict/dictd/config"
	"nftdict/dictd/offload"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
	"nftdict/nftext"
)

// faltering is a compiler that cannot for a time.
type faltering struct {
	nftext.Compiler
	broken atomic.Bool
}

func (f *faltering) Compile(to nftext.Target, b nftext.Bound) (*nftext.Code, error) {
	if f.broken.Load() {
		return nil, errors.New("out of memory")
	}
	return f.Compiler.Compile(to, b)
}

// What rules drop that somebody has added is not carried on, though the flowtable cannot be
// made anew just then; it is there again when it can.
func TestOffloadBrokenForATime(t *testing.T) {
	offloadedOn(t, backend.EBPF, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		compiler := &faltering{Compiler: on.Compiler}
		d := startOn(t, l.Gateway, &backend.Backend{Kind: on.Kind, Store: on.Store, Compiler: compiler}, func(c *config.Config) { c.Offload.Enable = true })
		open := func(url string) (get func(time.Duration) error) {
			t.Helper()
			v, err := l.Browser().Open(url)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { v.Close() })
			return func(patience time.Duration) error {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				_, err := v.Get(ctx, "")
				return err
			}
		}
		dropped, other := open("https://www.youtube.com/"), open("http://example.org/")
		both := func() {
			t.Helper()
			for _, get := range []func(time.Duration) error{dropped, other} {
				if err := get(patience); err != nil {
					t.Fatal(err)
				}
			}
		}
		eventually(t, "both are in the flowtable", func() bool {
			both()
			return inFlowtable(t, l, 443) == 1 && inFlowtable(t, l, 80) == 1
		})
		compiler.broken.Store(true)
		run(t, l.Gateway, "nft", "add table inet other; add chain inet other forward { type filter hook forward priority 0; }; add rule inet other forward tcp dport 443 drop")
		eventually(t, "status says why", func() bool {
			s := d.Status().Offload
			return s.State == "failed" && strings.Contains(s.Error, "out of memory")
		})
		if tables := run(t, l.Gateway, "nft", "list", "tables"); strings.Contains(tables, offload.TableName("dictd")) {
			t.Errorf("there are\n%s", tables)
		}
		if err := other(patience); err != nil {
			t.Errorf("what no rule drops: %v", err)
		}
		if err := dropped(2 * time.Second); err == nil {
			t.Error("a rule of others is passed by")
		}
		if s := d.Status().Offload; s.Error == "" {
			t.Errorf("while it is broken: %+v", s)
		}
		compiler.broken.Store(false)
		eventually(t, "it is there again", func() bool {
			s := d.Status().Offload
			return s.State == "software" && s.Error == ""
		})
		eventually(t, "what no rule drops is in the flowtable", func() bool {
			if err := other(patience); err != nil {
				t.Fatal(err)
			}
			return inFlowtable(t, l, 80) == 1
		})
	})
}
