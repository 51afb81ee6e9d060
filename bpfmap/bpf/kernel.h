// SPDX-License-Identifier: GPL-2.0-only

/* What these programs need of the kernel, declared by hand: integer types,
 * map types and flags, and the packet's context.
 */
#ifndef NFTDICT_KERNEL_H
#define NFTDICT_KERNEL_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u32 __wsum;

typedef _Bool bool;

#define true 1
#define false 0

#include <bpf/bpf_helpers.h>

#define BPF_MAP_TYPE_HASH 1
#define BPF_MAP_TYPE_ARRAY 2

#define BPF_ANY 0
#define BPF_NOEXIST 1
#define BPF_EXIST 2

#define BPF_F_NO_PREALLOC 1
#define BPF_F_RDONLY_PROG 128
#define BPF_F_MMAPABLE 1024

#define BPF_HDR_START_MAC 0
#define BPF_HDR_START_NET 1

#define ENOENT 2
#define E2BIG 7
#define EAGAIN 11
#define ENOMEM 12
#define EBUSY 16
#define EEXIST 17
#define EINVAL 22
#define ENOSPC 28

#define noinline __attribute__((noinline))

/* The head of the context of a socket filter; what follows is not used. */
struct __sk_buff {
	__u32 len;
	__u32 pkt_type;
	__u32 mark;
	__u32 queue_mapping;
	__u32 protocol;
	__u32 vlan_present;
	__u32 vlan_tci;
	__u32 vlan_proto;
	__u32 priority;
	__u32 ingress_ifindex;
	__u32 ifindex;
};

#endif
