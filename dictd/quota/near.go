// SPDX-License-Identifier: MIT

package quota

// NoOffload is the field that keeps what a row's subject moves off flowtables.
const NoOffload = "no_offload"
