// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net/netip"

	"nftdict/dict"
	"nftdict/dictd/api"
	"nftdict/dictd/config"
	"nftdict/dictd/identity"
	"nftdict/dictd/offload"
	"nftdict/dictd/quota"
)

// Daemon is a running dictd, as *api.Client reaches it.
type Daemon interface {
	Status(context.Context) (*api.Status, error)
	Sessions(context.Context, api.Filter) iter.Seq2[api.Session, error]
	Why(ctx context.Context, ctid uint32) (*api.Why, error)
	Events(context.Context, api.EventFilter) iter.Seq2[api.Event, error]
	Hosts(context.Context) ([]identity.Host, error)
	HostWhy(context.Context, netip.Addr) (*identity.Why, error)
	Devices(context.Context) ([]identity.Device, error)
	Users(context.Context) ([]identity.User, error)
	Usage(context.Context, api.UsageQuery) ([]api.Usage, error)
	SetUser(ctx context.Context, name string, groups []string) error
	DeleteUser(ctx context.Context, name string) error
	Bind(ctx context.Context, device, name string) (api.Bound, error)
	Unbind(ctx context.Context, device string) (api.Bound, error)
	Quotas(context.Context) ([]quota.Budget, error)
	QuotasOf(context.Context, api.Subject) ([]quota.Budget, error)
	QuotaHistory(ctx context.Context, s api.Subject, plan string) ([]quota.Past, error)
	TopUpQuota(context.Context, api.Subject, api.QuotaAmount) (quota.Budget, error)
	SetQuota(context.Context, api.Subject, api.QuotaAmount) (quota.Budget, error)
	UnsetQuota(ctx context.Context, s api.Subject, plan string) (quota.Budget, error)
	ResetQuota(ctx context.Context, s api.Subject, plan string) (quota.Budget, error)
	Flows(context.Context, api.FlowFilter) ([]api.Flow, error)
	Recall(context.Context, offload.Whom) (int, error)
	Portal(context.Context) (api.Portal, error)
	PortalSessions(context.Context) ([]api.PortalSession, error)
	KickPortal(ctx context.Context, id string) error
	PortalAccounts(context.Context) ([]api.PortalAccount, error)
	SetPortalAccount(ctx context.Context, name string, a api.PortalAccountBody) error
	RemovePortalAccount(ctx context.Context, name string) error
	PortalBatches(context.Context) ([]api.PortalBatch, error)
	MakePortalVouchers(context.Context, api.PortalBatch) (api.PortalMade, error)
	PortalVouchers(ctx context.Context, batch string) ([]api.PortalVoucher, error)
	RevokePortalVoucher(ctx context.Context, number uint64) error
	RevokePortalBatch(ctx context.Context, name string) error
	RemovePortalBatch(ctx context.Context, name string) error
}

var _ Daemon = (*api.Client)(nil)

// DefaultSocket is where dictd listens unless it is told otherwise.
const DefaultSocket = config.DefaultSocket

// daemonRemedy helps where no daemon answers.
const daemonRemedy = "start it: systemctl start dictd, or dictd -config /etc/dictd/dictd.toml (tables and rules work without it)"

// daemon returns the daemon of this run.
func (c *ctl) daemon() Daemon {
	if c.Daemon != nil {
		return c.Daemon(c.socket)
	}
	return api.NewClient(c.socket)
}

// daemonError says that no daemon is there, or that it must not be asked,
// where that is what err means.
func (c *ctl) daemonError(err error) error {
	switch {
	case err == nil:
		return nil
	case api.IsAbsent(err):
		return &absentError{c.socket}
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("dictd at %s: %w", c.socket, dict.ErrPermission)
	}
	return err
}

// absentError says that no daemon listens on a socket.
type absentError struct{ socket string }

func (e *absentError) Error() string {
	return fmt.Sprintf("dictd is not running: nobody listens at %s", e.socket)
}
