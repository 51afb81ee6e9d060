// SPDX-License-Identifier: MIT

package portal

import (
	"nftdict/dictd/quota"
	"nftdict/dictd/quota/plan"
)

// budgets is a Volume that the kernel counts, by a plan of package quota.
type budgets struct {
	manager *quota.Manager
	plan    string
}

// VolumeOf returns the Volume of a plan that is for VolumeGroup, in bytes and without
// end.
func VolumeOf(m *quota.Manager, plan string) Volume { return budgets{m, plan} }

func (v budgets) Grant(user string, bytes int64) error {
	c := quota.Choice{Subject: plan.Subject{Kind: plan.User, Name: user}, Plan: v.plan}
	if _, err := v.manager.Grant(c, &bytes, plan.Bytes); err != nil {
		return err
	}
	_, err := v.manager.Reset(c)
	return err
}

func (v budgets) Left(user string) (int64, bool) {
	for _, b := range v.manager.Of(plan.Subject{Kind: plan.User, Name: user}) {
		if b.Plan == v.plan {
			return max(b.Remaining, 0), true
		}
	}
	return 0, false
}

func (v budgets) All() map[string]int64 {
	all := make(map[string]int64)
	for _, b := range v.manager.Known() {
		if b.Plan == v.plan && b.Kind == plan.User.String() {
			all[b.Name] = max(b.Remaining, 0)
		}
	}
	return all
}
