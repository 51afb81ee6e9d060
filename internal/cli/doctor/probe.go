// SPDX-License-Identifier: MIT

package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"nftdict/dictd/config"
)

// probe is one check to be made.
type probe struct {
	name    string
	role    string // Check.For
	scratch bool   // is tried in the scratch namespace; otherwise in the caller's
	follows string
	// try returns what was found; an error means that the thing is absent, or
	// unknown if permission was refused.
	try func(ctx context.Context) (found string, err error)
}

// Run makes all checks. Where it may not make a namespace the checks that need
// one are Unknown.
func Run(ctx context.Context) Report {
	var r Report
	r.Kernel = kernel()
	all := probes()
	r.Checks = make([]Check, len(all))
	those := func(scratch bool, noScratch error) {
		for i := range all {
			if all[i].scratch == scratch {
				r.Checks[i] = all[i].run(ctx, noScratch)
			}
		}
	}
	// What is here is not looked for in the scratch namespace, where there is none of it.
	onThread(func() { those(false, nil) })
	inScratch(func(err error) { those(true, err) })
	r.conclude()
	return r
}

// run makes one check; noScratch is why there is no scratch namespace, or nil.
func (p *probe) run(ctx context.Context, noScratch error) Check {
	c := Check{Name: p.name, For: p.role, Follows: p.follows}
	err := noScratch
	if err == nil || !p.scratch {
		c.Found, err = p.try(ctx)
	}
	switch {
	case err == nil:
		c.State, c.Follows = Present, ""
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		c.State, c.Found, c.Follows = Unknown, "not permitted", ""
	case errors.Is(err, errNoScratch):
		c.State, c.Found, c.Follows = Unknown, err.Error(), ""
	case errors.Is(err, fs.ErrNotExist) && c.Found != "":
		c.State = Absent
	default:
		c.State, c.Found = Absent, err.Error()
		var errno unix.Errno
		if p.scratch && errors.As(err, &errno) {
			c.Found = "the kernel answers: " + errno.Error()
		}
	}
	return c
}

// probes lists the checks in the order in which they are told.
func probes() []probe {
	const (
		rules   = "rules"
		learn   = "sessions"
		queueX  = "queue rule/xt"
		queueN  = "queue rule/nft"
		idCt    = "session id in the daemon/conntrack in the queue"
		idMark  = "session id in the daemon/packet mark"
		ebpf    = "dictionaries/ebpf"
		kmod    = "dictionaries/kmod"
		command = "dictctl nft"
	)
	return []probe{
		{"nf_tables", rules, true, "no rules at all: CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET", tryTables},
		{"nft reject", rules, true, "rules cannot reject: CONFIG_NFT_REJECT_INET", tryReject},
		{"nft nat", "", true, "no translation of addresses in rules: CONFIG_NFT_NAT", tryNat},
		{"nft redirect", "", true, "no captive portal: CONFIG_NFT_REDIR, CONFIG_NF_TABLES_INET", tryRedirect},
		{"landlock", "", false, "the portal's pages are kept from files by their user's rights and a filter of system calls alone: CONFIG_SECURITY_LANDLOCK", tryLandlock},
		{"nft table owner and persist", "", true, "dictd cannot own its tables: it watches them and puts them back (kernel 6.9)", tryOwner},
		{"nft flowtable", "", true, "no offloading of finished sessions: CONFIG_NF_FLOW_TABLE_INET, CONFIG_NFT_FLOW_OFFLOAD", tryFlowtable},
		{"flowtables in use", "", false, "all packets pass by all rules; dictd makes one: offload.enable in dictd.toml", listFlowtables},
		{"nothing filtered behind flowtables", "", false, "what dictd's flowtable carries does not pass these chains, which drop or reject: filter at forward, at priorities below offload.priority (300 unless configured)", listBehind},
		{"devices that carry flows", "", false, "flowtables work in software; where the driver can: ethtool -K DEVICE hw-tc-offload on", tryDevices},
		{"devices let go at once", "", false, "they go on for up to a second with what is taken back: dictd needs CAP_SYS_ADMIN for a network namespace of its own", trySweep},

		{"ct id in rules", learn, true, "rules cannot look up sessions: CONFIG_NFT_CT, kernel 5.3", tryCtID},
		{"conntrack events", learn, true, "rows of sessions would outlive them: CONFIG_NF_CONNTRACK_EVENTS, CONFIG_NF_CT_NETLINK", tryEvents},
		{"conntrack accounting", "", true, "no quota, no rates: CONFIG_NF_CONNTRACK_PROCFS or the sysctl nf_conntrack_acct", tryAcct},
		{"conntrack timestamps", "", true, "reused session ids are told apart by order only: CONFIG_NF_CONNTRACK_TIMESTAMP", tryTimestamp},
		{"conntrack labels", "", true, "no labels on connections: CONFIG_NF_CONNTRACK_LABELS", tryLabels},

		{"nfnetlink_queue", learn, true, "no packets for dictd: CONFIG_NETFILTER_NETLINK_QUEUE", tryQueue},
		{"nft queue expression", queueN, true, "the xt NFQUEUE target takes its place: CONFIG_NFT_QUEUE", tryQueueExpr},
		{"xt NFQUEUE through nft_compat", queueX, true, "the nft queue expression must be there: CONFIG_NETFILTER_XT_TARGET_NFQUEUE, CONFIG_NFT_COMPAT", tryQueueTarget},
		{"conntrack in the queue", idCt, true, "the session id travels in the packet's mark: CONFIG_NETFILTER_NETLINK_GLUE_CT", tryQueueCt},
		{"secmark in rules", idMark, true, "without conntrack in the queue no session id: CONFIG_NETWORK_SECMARK", trySecmark},
		{"secmark not taken", idMark, false, "SELinux or SMACK may label packets with it: their labels and our keys would mix", trySecmarkFree},

		{"bpf system call", ebpf, false, "no backend ebpf: CONFIG_BPF_SYSCALL, CONFIG_BPF_JIT", tryBPF},
		{"bpf program type syscall", ebpf, false, "no atomic writes from programs: kernel 5.14", tryBPFSyscall},
		{"bpf file system", ebpf, false, "tables cannot outlive their writer: CONFIG_BPF_SYSCALL, mount -t bpf", tryBPFFS},
		{"xt bpf through nft_compat", ebpf, true, "rules cannot consult maps: CONFIG_NETFILTER_XT_MATCH_BPF, CONFIG_NFT_COMPAT", tryMatchBPF},
		{"bpf helpers in filters", ebpf, false, "rules cannot consult maps: kernel 6.1", tryBPFHelpers},
		{"kernel types (BTF)", ebpf, false, "rules cannot consult maps, for want of the packet's layout: CONFIG_DEBUG_INFO_BTF", tryBTF},
		{"module nft_dict", kmod, false, "no backend kmod; ebpf takes its place: make install-kmod, modprobe nft_dict", tryModule},

		{"nft program", command, false, "dictctl nft cannot load or list rules: install nftables", tryProgram},
		{"seccomp user notification", command, false, "dictctl nft cannot translate: CONFIG_SECCOMP_FILTER; in a container, allow a second listener", tryListener},
		{"seccomp wait killable", command, false, "a stopped nft could send a transaction twice: kernel 5.19", tryKillable},

		{"database of countries", "", false, "sessions have no countries: get one (geoipupdate), and name it by `countries` in " + config.DefaultPath, tryCountries},
		{"registry of hardware addresses", "", false, "makers of network cards are not known: install ieee-data", tryVendors},

		{"memory", "", false, "large tables may be refused", tryMemory},
		{"socket buffers", "", false, "bursts of conntrack events may be lost; dictd dumps anew then", tryBuffers},
	}
}

// kernel returns the kernel's release and machine.
func kernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:]) + " " + unix.ByteSliceToString(u.Machine[:])
}

// readLine returns the first line of a small file of the kernel.
func readLine(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	for i, c := range b {
		if c == '\n' {
			return string(b[:i]), nil
		}
	}
	return string(b), nil
}
