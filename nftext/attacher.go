// SPDX-License-Identifier: MIT

package nftext

import "nftdict/dict"

// Attacher is a Compiler of a backend that knows the rows of Bound tables by
// the connection itself. Such a backend finds no connection by its id before
// the first packet has gone its way, unless a rule has made it known: whoever
// puts rows for packets that wait in a queue attaches them before the queue.
type Attacher interface {
	// Attach returns the expressions of a rule that makes the packet's connection
	// known to a Bound table. The rule goes on behind them in any case.
	Attach(Target, dict.Table) (*Code, error)
}
