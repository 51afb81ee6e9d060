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

// Ungranted is what the plan of VolumeOf gives whom nobody has granted anything, in bytes.
const Ungranted = 1

// VolumeOf returns the Volume of a plan that is for VolumeGroup, of Ungranted bytes and
// without end.
func VolumeOf(m *quota.Manager, plan string) Volume { return budgets{m, plan} }

func (v budgets) of(user string) quota.Choice {
	return quota.Choice{Subject: plan.Subject{Kind: plan.User, Name: user}, Plan: v.plan}
}

func (v budgets) Grant(user string, bytes int64) error {
	_, err := v.manager.Begin(v.of(user), bytes)
	return err
}

func (v budgets) Left(user string) (int64, bool) {
	b, err := v.manager.One(v.of(user))
	return max(b.Remaining, 0), err == nil && granted(&b)
}

// granted reports whether a budget is one that somebody was granted: else it was lost,
// and has begun anew.
func granted(b *quota.Budget) bool { return b.Granted || b.Size != Ungranted }

func (v budgets) All() map[string]int64 {
	all := make(map[string]int64)
	for _, b := range v.manager.Known() {
		if b.Plan == v.plan && b.Kind == plan.User.String() && granted(&b) {
			all[b.Name] = max(b.Remaining, 0)
		}
	}
	return all
}
