// SPDX-License-Identifier: MIT

package vm

// Networking returns the modules that the tests of this project expect of a
// kernel: nf_tables with its expressions, connection tracking, queues, BPF
// through the compatibility layer, and the virtual devices of the lab. What is
// not here loads on demand where the host's files are shown.
func Networking() []string {
	return []string{
		"nf_tables", "nf_conntrack", "nf_conntrack_netlink", "nfnetlink_queue", "nfnetlink_log", "nf_flow_table",
		"nf_flow_table_inet", "nft_ct", "nft_chain_nat", "nft_nat", "nft_masq", "nft_redir", "nft_reject_inet", "nft_reject_ipv4", "nft_reject_ipv6",
		"nft_queue", "nft_log", "nft_limit", "nft_quota", "nft_connlimit", "nft_objref", "nft_numgen", "nft_hash", "nft_fib_inet",
		"nft_flow_offload", "nft_compat", "xt_bpf", "xt_NFQUEUE", "xt_LOG", "xt_conntrack", "xt_mark", "xt_comment",
		"nf_log_syslog", "nft_meta_bridge", "nft_reject_bridge", "nf_conntrack_bridge", "bridge", "veth", "ifb", "dummy",
		"sch_htb", "sch_tbf", "sch_netem", "sch_ingress", "cls_bpf", "act_mirred",
	}
}
