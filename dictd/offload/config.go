// SPDX-License-Identifier: MIT

package offload

// Config says what goes into the flowtable. The zero Config is none at all.
type Config struct {
	Enable   bool
	Devices  []string // names, or patterns with * and ?; none is all that can
	Hardware Hardware
	Ingress  int32 // priority of the flowtable at the hook ingress
	Priority int32 // of the chain at the hook forward: behind all that decides
	Keep     Keep
	// Metered are the fields, by table, that rows have whose subject has a budget: it
	// is kept on the slow path while devices carry flows that do not count. If there
	// are any, so is always of what nobody is known at either end.
	Metered map[string][]string
	Counts  bool // what devices carry is counted
	Follow  bool // what others' rules decide is asked again when they change
}

// Hardware says whether devices may carry flows.
type Hardware uint8

// What Hardware may be.
const (
	Auto Hardware = iota // where every device says that it can
	Off
	On // whatever devices say
)

// Keep is what stays on the slow path.
type Keep struct {
	Applications, Categories, Users []string // may be globs
	Marks                           []Mark
}

// Mark is a mark of packets or of their connection.
type Mark struct{ Value, Mask uint32 }
