// SPDX-License-Identifier: MIT

package doctor

import (
	"context"
	"errors"
	"strings"

	"nftdict/dictd/offload"
	"nftdict/dictd/rules"
)

// tryDevices looks for network devices that carry connections themselves.
func tryDevices(context.Context) (string, error) {
	devices, err := offload.Devices(0)
	if err != nil {
		return "", err
	}
	var can []string
	for _, d := range devices {
		if d.Hardware {
			can = append(can, d.Name)
		}
	}
	if len(can) == 0 {
		return "", errors.New("no device has hw-tc-offload switched on")
	}
	return strings.Join(can, ", "), nil
}

// trySweep makes what dictd has devices let go with.
func trySweep(context.Context) (string, error) { return "", offload.TrySweep() }

// listFlowtables names the flowtables that are there.
func listFlowtables(context.Context) (string, error) {
	all, err := offload.List(0)
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return "", errors.New("none")
	}
	texts := make([]string, len(all))
	for i := range all {
		texts[i] = all[i].String()
	}
	return strings.Join(texts, "; "), nil
}

// offloadPriority is the priority of the chain that sends connections to dictd's
// flowtable, while there is none.
const offloadPriority = 300

// listBehind names the chains that do not see what a flowtable carries.
func listBehind(context.Context) (string, error) {
	if all, err := offload.List(0); err != nil || len(all) == 0 {
		return "", nil // there is nothing to be behind of
	}
	chains, err := rules.Behind(0, offload.Flowtable, offloadPriority)
	if err != nil {
		return "", err
	}
	if len(chains) > 0 {
		return "", errors.New(strings.Join(chains, "; "))
	}
	return "", nil
}
