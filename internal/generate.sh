#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Rebuilds what is generated: BPF objects by clang 14 (Debian 12's), man pages
# and the checksums beside them (internal/generate.sum). With --check it
# changes nothing and fails if a source and what was made of it do not belong
# together; where clang 14 is installed it also compiles again and compares.
set -euo pipefail
cd "$(dirname "$0")/.."
sum=internal/generate.sum
packages="clang-14 llvm-14 libbpf-dev"

list() { git ls-files -co --exclude-standard 'bpfmap/*.c' 'bpfmap/*.h' 'bpfmap/*_bpfel.go' 'bpfmap/*_bpfel.o' 'docs/man/*' | LC_ALL=C sort -u; }
sums() { list | while read -r f; do [ -e "$f" ] && sha256sum "$f"; done; }
build() {
	GOFLAGS=-mod=mod go generate ./bpfmap/...
	go run ./cmd/dictctl man docs/man
	go run ./internal/manpage nft-dict 7 2026-11-20 "dictionaries in the rules of nft" docs/rules.md >docs/man/nft-dict.7
	go run ./internal/manpage dictd.conf 5 2026-11-21 "the configuration of dictd" docs/config.md >docs/man/dictd.conf.5
}

case "${1:-}" in
--check)
	if ! diff -u "$sum" <(sums); then
		echo "generated files and their sources differ: run 'make generate' and commit" >&2
		exit 1
	fi
	if command -v clang-14 >/dev/null && [ -e /usr/include/bpf/bpf_helpers.h ]; then
		tmp=$(mktemp -d)
		trap 'rm -rf "$tmp"' EXIT
		git ls-files -co --exclude-standard -z | tar --null -T - --ignore-failed-read -c 2>/dev/null | tar -x -C "$tmp"
		(cd "$tmp" && git init -q && build)
		list | while read -r f; do
			cmp -s "$f" "$tmp/$f" || { echo "$f: not what 'make generate' makes of the sources" >&2; exit 1; }
		done
		echo "generated files: rebuilt, the same"
	else
		echo "generated files: checksums agree (no clang-14 here to rebuild them)"
	fi
	;;
"")
	if ! command -v clang-14 >/dev/null || [ ! -e /usr/include/bpf/bpf_helpers.h ]; then
		echo "installing from the distribution: $packages"
		apt-get update -q >/dev/null
		DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $packages >/dev/null
	fi
	build
	sums >"$sum"
	echo "generated; commit the result with its sources"
	;;
*)
	echo "usage: $0 [--check]" >&2
	exit 2
	;;
esac
