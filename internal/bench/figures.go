// SPDX-License-Identifier: MIT

package main

// figures are what docs/performance.md shows, in its order.
var figures = []figure{
	{Name: "set one number, beside a bare map update", pkg: "bpfmap", bench: "^BenchmarkRatioSet$", time: "300x", unit: "set/bare", Most: 2},
	{Name: "set one string, beside a bare map update", pkg: "bpfmap", bench: "^BenchmarkRatioSet$", time: "300x", unit: "string/bare"},
	{Name: "put 1000 rows of 4 fields at once", pkg: "bpfmap", bench: "^BenchmarkStore$", time: "500x", line: "batch", unit: "fields/s", Least: 1e6},
	{Name: "one dict rule that finds a string, beside its bare equivalent", pkg: "bpfmap", bench: "^BenchmarkRatioRule$", time: "3x", unit: "hit/bare", Most: 1.2},
	{Name: "one dict rule that finds a number, beside its bare equivalent", pkg: "bpfmap", bench: "^BenchmarkRatioRule$", time: "3x", unit: "number/bare", Most: 1.2},
	{Name: "one dict rule that finds nothing, beside its bare equivalent", pkg: "bpfmap", bench: "^BenchmarkRatioRule$", time: "3x", unit: "absent/bare", Most: 1.2},
	{Name: "a packet past ten rules `ct id @set`", pkg: "bpfmap", bench: "^BenchmarkRatioRule$", time: "3x", unit: "ten-set-ns"},
	{Name: "a packet past ten dict rules on one table", pkg: "bpfmap", bench: "^BenchmarkRatioRule$", time: "3x", unit: "ten-dict-ns"},
	{Name: "a rule that charges a host's budget, beside one that looks at it", pkg: "bpfmap", bench: "^BenchmarkRatioCharge$", time: "5x", unit: "host-charge/match", Most: 1.3},
	{Name: "a rule that charges the budget of a host's user, beside one that looks at it", pkg: "bpfmap", bench: "^BenchmarkRatioCharge$", time: "5x", unit: "user-charge/match", Most: 1.3},
	{Name: "a budget used up, of a user with 10,000 connections, until packets of 100 of these are refused", pkg: "bpfmap", bench: "^BenchmarkFlip$", time: "50x", unit: "worst-ns", Most: 50e6},
	{Name: "CPU per queued packet, no writes, beside a loop that accepts", pkg: "dictd", bench: "^BenchmarkRatioPipeline$", time: "5x", unit: "ratio-without-writes", Most: 1.5},
	{Name: "CPU per queued packet, the lab's writes, beside that loop", pkg: "dictd", bench: "^BenchmarkRatioPipeline$", time: "5x", unit: "ratio-with-writes", Most: 2.5},
	{Name: "daemon's memory per session, 100,000 sessions", pkg: "dictd", bench: "^BenchmarkSessionMemory$", time: "1x", unit: "B/session", Most: 1024},
	{Name: "a million sessions, the daemon's live memory", pkg: "dictd", bench: "^BenchmarkMillionSessions$", time: "1x", unit: "live-MiB", Most: 1024},
	{Name: "a million sessions, what the process has of the machine's", pkg: "dictd", bench: "^BenchmarkMillionSessions$", time: "1x", unit: "resident-MiB", Most: 1024},
	{Name: "changes by the API, on the disk, in the maps and told to a follower", pkg: "dictd", bench: "^BenchmarkAPIWrites$", time: "3x", unit: "writes/s", Least: 1000},
	{Name: "a round of the ledger, 100,000 living connections of which 20,000 have moved, beside its period", pkg: "dictd/ledger", bench: "^BenchmarkRound$", time: "10x", unit: "%core", Most: 5},
	{Name: "a look at the quotas of 1,000 users, all in use, of 10,000 hosts", pkg: "dictd", bench: "^BenchmarkQuotaUsers$", time: "10x", unit: "cpu-ns/op", Most: 50e6},
	{Name: "a top-up of a user with 10,000 sessions, of 1,000 users, until his row and the file say so", pkg: "dictd", bench: "^BenchmarkQuotaFlip$", time: "100x", unit: "ns/op", Most: 50e6},
	{Name: "redirections to the portal, a connection each, for a second of its processor", pkg: "dictd/portal/child", bench: "^BenchmarkRedirect$", time: "20000x", unit: "answers/core-s", Least: 5000},
	{Name: "a login with an account, 2,000 devices in, until files and rows say so: argon2id and all", pkg: "dictd", bench: "^BenchmarkPortalLogin$", time: "200x", line: "account", unit: "cpu-ns/op", Most: 60e6},
	{Name: "a login with a voucher of a volume, by the clock", pkg: "dictd", bench: "^BenchmarkPortalLogin$", time: "200x", line: "voucher", unit: "ns/op", Most: 100e6},
	{Name: "the operator's page in Chromium, from the navigation until 10,000 living sessions are there to be gone through", pkg: "e2e", bench: "^BenchmarkOperatorPage$", time: "10x", unit: "shown-ns", Most: 1e9},
	{Name: "corpus: CPU per packet, whole program, one core", pkg: "classifier/pcap", bench: "^BenchmarkClassify$", time: "100x", unit: "ns/packet", Most: 402, corpus: true},
	{Name: "corpus: CPU per flow", pkg: "classifier/pcap", bench: "^BenchmarkClassify$", time: "100x", unit: "ns/flow", Most: 4500, corpus: true},
	{Name: "corpus: CPU, beside only sorting its packets into flows", pkg: "classifier/pcap", bench: "^BenchmarkClassify$", time: "100x", unit: "classify/sort", Most: 3, corpus: true},
	{Name: "corpus: state per session, names and evidence included", pkg: "classifier/pcap", bench: "^BenchmarkState$", time: "1x", unit: "B/session", Most: 512, corpus: true},
	{Name: "a QUIC Initial: open it, read it, find its name", pkg: "classifier", bench: "^BenchmarkInspectQUIC$", time: "2s", line: "classic", unit: "cpu-ns/op", Most: 6000},
	{Name: "classify a packet of a session that is done", pkg: "classifier", bench: "^BenchmarkInspectDone$", time: "1s", unit: "allocs/op", Zero: true},
	{Name: "load 10,000 rules, 1,000 with a condition of their own, beside nft, by the clock", pkg: "cmd/dictctl", bench: "^BenchmarkRatioNft$", time: "5x", unit: "ebpf-load-clock/nft", Most: 4},
	{Name: "load 10,000 rules, 1,000 with a condition of their own, beside nft, processor", pkg: "cmd/dictctl", bench: "^BenchmarkRatioNft$", time: "5x", unit: "ebpf-load/nft", Most: 4},
	{Name: "list these rules, beside nft, by the clock", pkg: "cmd/dictctl", bench: "^BenchmarkRatioNft$", time: "5x", unit: "ebpf-list-clock/nft", Most: 2},
	{Name: "list these rules, beside nft, processor", pkg: "cmd/dictctl", bench: "^BenchmarkRatioNft$", time: "5x", unit: "ebpf-list/nft", Most: 2},
	{Name: "load 100,000 elements of a set and a dict rule, beside nft, by the clock", pkg: "cmd/dictctl", bench: "^BenchmarkRatioNft$", time: "5x", unit: "ebpf-elements-clock/nft", Most: 1.5},
	{Name: "load 100,000 elements of a set and a dict rule, beside nft, processor", pkg: "cmd/dictctl", bench: "^BenchmarkRatioNft$", time: "5x", unit: "ebpf-elements/nft", Most: 1.5},
	{Name: "`dictctl nft list tables`, more than nft takes", pkg: "cmd/dictctl", bench: "^BenchmarkRatioNft$", time: "5x", unit: "plain-more-ms", Most: 5},
}

// inGuest returns the figures that want the module, measured by command.
func inGuest(command string) []figure {
	some := []figure{
		{Name: "with the module: load 10,000 rules, 1,000 with a condition of their own, beside nft", unit: "kmod-load/nft", Most: 2},
		{Name: "with the module: list these rules, beside nft", unit: "kmod-list/nft", Most: 2},
		{Name: "with the module: load 100,000 elements of a set and a dict rule, beside nft", unit: "kmod-elements/nft", Most: 1.5},
	}
	for i := range some {
		some[i].pkg, some[i].bench = "cmd/dictctl", "^BenchmarkRatioNft$"
	}
	// Without TLS there is little beside which dictd's share could be small: no limit.
	for _, of := range []struct {
		protocol string
		most     float64
	}{{"tls", 1.25}, {"http", 0}} {
		for _, f := range []figure{
			{Name: "without dictd", unit: "tracked-kinstr"},
			{Name: "with it and its flowtable", unit: "offloaded-kinstr"},
			{Name: "beside without", unit: "offloaded/tracked", Most: of.most},
			{Name: "beside a flowtable for all", unit: "offloaded/flowtable"},
		} {
			f.Name = "20 packets of " + of.protocol + ", both ends included: " + f.Name
			f.pkg, f.bench, f.line = "e2e", "^BenchmarkConnection$", "/"+of.protocol
			some = append(some, f)
		}
	}
	for _, f := range []figure{
		{Name: "with dictd", unit: "kmod-kinstr/s"},
		{Name: "with dictd and its flowtable", unit: "kmod-offload-kinstr/s", Most: 1500},
		{Name: "with dictd on eBPF", unit: "ebpf-kinstr/s"},
		{Name: "with dictd and its flowtable on eBPF", unit: "ebpf-offload-kinstr/s"},
	} {
		f.Name = "a second at rest: " + f.Name
		f.pkg, f.bench = "e2e", "^BenchmarkRest$"
		some = append(some, f)
	}
	for i := range some {
		some[i].time, some[i].exec = "1x", command
	}
	return some
}
