// SPDX-License-Identifier: MIT

package main

import "testing"

func TestRefuse(t *testing.T) {
	for _, tt := range []struct {
		from, imp string
		ok        bool
	}{
		{"nftdict/bpfmap", "nftdict/dict", true},
		{"nftdict/bpfmap", "nftdict/nftext", true},
		{"nftdict/bpfmap", "nftdict/genl", false},
		{"nftdict/dictd/queue", "nftdict/bpfmap", false},
		{"nftdict/dictd", "nftdict/internal/backend", false},
		{"nftdict/internal/backend", "nftdict/bpfmap", true},
		{"nftdict/cmd/dictctl", "nftdict/internal/backend", true},
		{"nftdict/cmd/dictctl", "nftdict/bpfmap", false},
		{"nftdict/dict", "github.com/google/go-cmp/cmp", false},
		{"nftdict/dict", "net/netip", true},
		{"nftdict/nftext", "golang.org/x/sys/unix", false},
		{"nftdict/nftext/front", "golang.org/x/sys/unix", true},
		{"nftdict/classifier", "golang.org/x/net/publicsuffix", true},
		{"nftdict/classifier", "syscall", false},
		{"nftdict/dictionary", "nftdict/dict", false},
	} {
		if why := refuse(tt.from, tt.imp); (why == "") != tt.ok {
			t.Errorf("refuse(%s, %s) = %q, want ok %v", tt.from, tt.imp, why, tt.ok)
		}
	}
}
