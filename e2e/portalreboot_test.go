// SPDX-License-Identifier: MIT

package e2e

import (
	"fmt"
	"testing"

	"nftdict/internal/lab"
)

// The machine starts anew, and the directory of dictd's state is what is left: who was
// in is in, with what he had left, of a voucher that is known to be used.
func TestPortalReboot(t *testing.T) {
	dir, limit := t.TempDir(), int64(2*mega)
	var code string
	var before told
	boot := func(what string, then func(r *quotaRig, me *visitor, d *daemon)) {
		t.Run(what, func(t *testing.T) {
			r := newQuotaRig(t, lab.Config{})
			r.dir = dir
			d := r.start(portalOn + "ways = [\"voucher\"]\n")
			me := r.visitor(t, r.Client, 4)
			me.base = fmt.Sprintf("https://%s:8443", lab.GatewayLAN4)
			then(r, me, d)
		})
	}
	boot("at first", func(r *quotaRig, me *visitor, d *daemon) {
		code = r.vouchers(fmt.Sprintf(`{"name":"one","count":1,"bytes":%d,"time":86400,"devices":1}`, limit))[0]
		me.captive("before")
		me.enter("voucher", "", code)
		me.free("let in")
		before = me.api()
		d.kill()
	})
	boot("after the power went", func(r *quotaRig, me *visitor, d *daemon) {
		me.free("after the power went")
		a := me.api()
		if a.Captive || a.Bytes == nil || *a.Bytes > limit || *a.Bytes == 0 || a.Seconds == nil || *a.Seconds > *before.Seconds {
			me.t.Errorf("before %+v, now %+v", before, a)
		}
		conn := r.begin(r.Client, 4)
		r.eventually("the volume is used up", func() error {
			for buffer := make([]byte, 64<<10); ; {
				if _, err := conn.Read(buffer); err != nil {
					return nil
				}
			}
		})
		me.lost("used up")
		d.kill()
	})
	boot("once more", func(_ *quotaRig, me *visitor, _ *daemon) {
		me.captive("used up before")
		me.problem(me.enter("voucher", "", code), "used up")
	})
}
