// SPDX-License-Identifier: MIT

package bpfmap

// The objects are committed, so that building needs no compiler for BPF. The
// same compiler gives the same bytes.

//go:generate go run github.com/cilium/ebpf/cmd/bpf2go -cc clang-14 -strip llvm-strip-14 -target bpfel -go-package bpfmap -no-global-types -type area -type row_req -type cell_req -type text -type table_state -type named_row -type row writer bpf/store.c -- -O2 -mcpu=v3 -Wall -Werror
//go:generate go run github.com/cilium/ebpf/cmd/bpf2go -cc clang-14 -strip llvm-strip-14 -target bpfel -go-package bpfmap -no-global-types -type packet_layout -type condition -type statement -type chain -type ref -type value -type item -type text -type automaton rule bpf/rule.c -- -O2 -mcpu=v3 -Wall -Werror
