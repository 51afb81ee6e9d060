// SPDX-License-Identifier: MIT

package api

import (
	"errors"
	"strings"
	"testing"
)

func TestQuotas(t *testing.T) {
	c, ctx := NewClient(serve(t, 0)), t.Context()
	zoe := Subject{"user", "zoe"}
	list, err := c.Quotas(ctx)
	if err != nil || len(list) != 1 || list[0].Name != "zoe" || list[0].Remaining != 1000 || list[0].Unit != "bytes" {
		t.Fatalf("quotas %+v, %v", list, err)
	}
	if b, err := c.TopUpQuota(ctx, zoe, QuotaAmount{Amount: 500, Unit: "bytes"}); err != nil || b.Remaining != 1500 || b.Size != 1500 {
		t.Errorf("topped up: %+v, %v", b, err)
	}
	if b, err := c.SetQuota(ctx, zoe, QuotaAmount{Plan: "daily", Amount: 2000, Unit: "bytes"}); err != nil || b.Remaining != 2500 || !b.Granted {
		t.Errorf("set: %+v, %v", b, err)
	}
	if b, err := c.UnsetQuota(ctx, zoe, ""); err != nil || b.Remaining != 1500 || b.Granted {
		t.Errorf("unset: %+v, %v", b, err)
	}
	if b, err := c.ResetQuota(ctx, zoe, "daily"); err != nil || b.Remaining != 1000 {
		t.Errorf("reset: %+v, %v", b, err)
	}
	if past, err := c.QuotaHistory(ctx, zoe, ""); err != nil || len(past) != 1 || past[0].Size != 1500 {
		t.Errorf("history: %+v, %v", past, err)
	}
	// A user of two plans has to say which.
	if err := c.SetUser(ctx, "a/b", []string{"staff"}); err != nil {
		t.Fatal(err)
	}
	_, err = c.ResetQuota(ctx, Subject{"user", "a/b"}, "")
	var refused *Error
	if !errors.As(err, &refused) || refused.Status != 400 || !strings.Contains(refused.Text, "daily, tv") || refused.Remedy == "" {
		t.Errorf("of two plans: %v", err)
	}
	if list, err := c.QuotasOf(ctx, Subject{"user", "a/b"}); err != nil || len(list) != 2 || list[1].End != nil {
		t.Errorf("of two plans: %+v, %v", list, err)
	}
	if b, err := c.TopUpQuota(ctx, Subject{"user", "a/b"}, QuotaAmount{"tv", 60, "seconds"}); err != nil || b.Remaining != 3660 {
		t.Errorf("time: %+v, %v", b, err)
	}
}
