// SPDX-License-Identifier: MIT

package offload

import (
	"slices"
	"time"
)

// Status tells of a Keeper's flowtable.
type Status struct {
	Enabled     bool      `json:"enabled"`
	Table       string    `json:"table"`     // with family and flowtable
	State       string    `json:"state"`     // "off", "software", "hardware", "failed"
	Hardware    bool      `json:"hardware"`  // devices are asked to carry flows
	Devices     []Device  `json:"devices"`   // that the flowtable has
	Installed   time.Time `json:"installed"` // made last
	Renewed     uint64    `json:"renewed"`   // times all connections were asked about again
	Reinstalled uint64    `json:"reinstalled"`
	Refused     string    `json:"refused,omitempty"` // why devices that say that they can do not carry
	Error       string    `json:"error,omitempty"`
}

// Status returns how the flowtable is.
func (k *Keeper) Status() Status {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.status
	s.Enabled, s.Table = k.c.Enable, "inet "+TableName(k.o.Table)+" "+Flowtable
	if k.refused != nil {
		s.Refused = k.refused.Error()
	}
	s.Devices = append([]Device{}, slices.Clone(k.devices)...)
	switch {
	case !s.Enabled:
		s.State = "off"
	case !k.there:
		s.State = "failed"
	case s.Hardware:
		s.State = "hardware"
	default:
		s.State = "software"
	}
	return s
}
