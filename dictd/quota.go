// SPDX-License-Identifier: MIT

package dictd

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"nftdict/dict"
	"nftdict/dictd/config"
	"nftdict/dictd/portal"
	"nftdict/dictd/quota"
	"nftdict/dictd/quota/policy"
	"nftdict/dictd/rules"
)

// quotas are the budgets, with the rules that charge them.
type quotas struct {
	*quota.Manager
	policy *rules.Policy // nil: there are no plans
}

// openQuota opens the budgets of the configuration's plans.
func (d *Daemon) openQuota(c *config.Config) error {
	plans, err := c.QuotaPlans()
	if err != nil {
		return err
	}
	if len(plans) > 0 && d.o.Compiler == nil {
		return fmt.Errorf("plan: %w: this backend compiles no rules, and nothing would be charged", dict.ErrNotSupported)
	}
	if d.quota.policy, err = quotaPolicy(c); err != nil {
		return err
	}
	near, err := c.Quota.NearBytes()
	if err != nil {
		return err
	}
	d.quota.Manager, err = quota.New(quota.Config{
		Near: near, Recall: d.nearEnd, Store: d.o.Store, Directory: d.who.Directory, Plans: plans, State: c.State,
		Passing: d.passing, Clock: time.Now, Events: d.happened, Log: d.o.Log,
	})
	return err
}

// passing says for how long a budget without end is kept of a user who has gone: names
// that the portal has made up are not for ever. 0 is without end.
func (d *Daemon) passing(user, plan string) time.Duration {
	if plan == config.PortalPlan {
		return portal.KeepVolume
	}
	if k := d.Portal(); k != nil {
		return k.Passing(user)
	}
	return 0
}

// quotaPolicy makes the rules of the configuration's plans.
func quotaPolicy(c *config.Config) (*rules.Policy, error) {
	plans, err := c.QuotaPlans()
	if err != nil {
		return nil, err
	}
	exempt, err := c.Quota.Prefixes()
	if err != nil {
		return nil, err
	}
	return policy.Build(plans, policy.Options{
		Priority: int32(c.Quota.Priority), Exempt: exempt, Packets: uint64(c.Sessions.Packets),
	}), nil
}

// reloadQuota takes over the plans of another configuration, and returns the rules:
// those before, if nothing has changed. The rules are to be installed after it.
func (d *Daemon) reloadQuota(was, c *config.Config) (*rules.Policy, error) {
	if reflect.DeepEqual(was.Quota, c.Quota) && reflect.DeepEqual(was.Plans, c.Plans) && was.Sessions.Packets == c.Sessions.Packets {
		return d.quota.policy, nil
	}
	plans, err := c.QuotaPlans()
	if err != nil {
		return nil, err
	}
	if len(plans) > 0 && d.o.Compiler == nil {
		return nil, fmt.Errorf("plan: %w: this backend compiles no rules", dict.ErrNotSupported)
	}
	made, err := quotaPolicy(c)
	if err != nil {
		return nil, err
	}
	near, err := c.Quota.NearBytes()
	if err != nil {
		return nil, err
	}
	if err := d.quota.SetPlans(plans); err != nil {
		return nil, err
	}
	d.quota.SetNear(near)
	d.quota.Look()
	return made, nil
}

// Quotas implements api.Source.
func (d *Daemon) Quotas() *quota.Manager { return d.quota.Manager }

// close closes what openQuota has opened.
func (q *quotas) close() error {
	if q.Manager == nil {
		return nil
	}
	return errors.Join(q.Manager.Close())
}
