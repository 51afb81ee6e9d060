// SPDX-License-Identifier: MIT

package classifier

func peersExamples() []example { return nil }
