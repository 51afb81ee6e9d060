// SPDX-License-Identifier: MIT

package main

import "strings"

const module = "nftdict/"

// rule says what the packages under a prefix may import of this module. The
// first rule whose prefix fits decides.
var rules = []struct {
	prefix string
	may    []string // prefixes; "" is everything
}{
	{"dict/dicttest", []string{"dict", "internal/need"}},
	{"dict", []string{"dict"}},
	{"classifier/country", []string{"classifier/country"}},
	{"classifier/vendor", nil},
	{"classifier", []string{"classifier"}},
	{"nftext/ruletest", []string{"nftext", "dict"}},
	{"nftext", []string{"nftext", "dict"}},
	{"genl", []string{"genl", "internal/nowait", "nftext", "dict"}},
	{"bpfmap", []string{"bpfmap", "nftext", "dict"}},
	{"dictd/internal/httpd", nil},
	{"dictd/internal/testns", []string{"internal/need"}},
	{"dictd/boltfile", nil},
	{"dictd/password", nil},
	{"dictd/operator", []string{"dictd/internal/httpd", "dictd/api", "dictd/password"}},
	{"dictd/quota/plan", []string{"nftext", "dict"}},
	{"dictd/quota/policy", []string{"dictd/quota/plan", "dictd/rules", "nftext", "dict"}},
	{"dictd/quota", []string{"dictd/boltfile", "dictd/quota", "dictd/event", "dictd/identity", "dict"}},
	{"dictd/portal/oidc", []string{"dictd/identity", "dictd/portal", "dict"}},
	{"dictd/portal/radius", []string{"dictd/internal/radmsg", "dictd/netns", "dictd/portal", "dict"}},
	{"dictd/portal/web", []string{"dictd/internal/httpd", "dictd/portal", "dict"}},
	{"dictd/portal/desk", []string{"dictd/portal"}},
	{"dictd/portal/child", []string{"dictd/portal", "dict"}},
	{"dictd/portal", []string{"dictd/boltfile", "dictd/password", "dictd/portal", "dictd/event", "dictd/identity", "dictd/quota", "dictd/rules", "nftext", "dict"}},
	{"dictd/offload", []string{"dictd/quota/plan", "dictd/conntrack", "dictd/netns", "dictd/offload", "dictd/rules", "nftext", "dict"}},
	{"dictd", []string{"dictd", "internal/nowait", "nftext", "classifier", "dict"}},
	{"internal/backend", []string{"internal/backend", "genl", "bpfmap", "nftext", "dict"}},
	{"internal/need", nil},
	{"internal/cputime", nil},
	{"internal/nowait", nil},
	{"internal/lint", nil},
	{"internal/manpage", []string{"internal/need"}},
	{"internal/bench", nil},
	{"internal/lab", []string{"internal/lab", "internal/need"}},
	{"internal/vm", []string{"internal/vm", "internal/need"}},
	{"internal/", []string{"internal/", "dictd", "nftext", "classifier", "dict"}},
	{"cmd/", []string{"cmd/", "internal/", "dictd", "nftext", "classifier", "dict"}},
	{"e2e", []string{"e2e", "internal/", "dictd", "nftext", "classifier", "dict"}},
}

// kernelOnly are packages that pure ones must not import: netlink, maps, raw
// system calls. The pure packages are dict, classifier and nftext, apart from
// nftext/front and nftext/rule.
var kernelOnly = []string{
	"github.com/cilium/ebpf", "github.com/mdlayher/netlink", "github.com/google/nftables", "golang.org/x/sys/unix",
	"github.com/vishvananda/netlink", "github.com/vishvananda/netns", "github.com/florianl/go-nfqueue", "github.com/ti-mo/conntrack", "syscall",
}

// refuse returns why from may not import imp, "" if it may.
func refuse(from, imp string) string {
	from = strings.TrimPrefix(from, module)
	if target, ok := strings.CutPrefix(imp, module); ok {
		for _, r := range rules {
			if !under(from, r.prefix) {
				continue
			}
			for _, p := range r.may {
				if under(target, p) {
					return ""
				}
			}
			return "imports point down, see docs/architecture.md"
		}
		return "no rule for this package in internal/lint/rules.go"
	}
	if strings.Contains(strings.SplitN(imp, "/", 2)[0], ".") && under(from, "dict") && !under(from, "dict/dicttest") {
		return "dict uses the standard library only"
	}
	pure := (under(from, "dict") && !under(from, "dict/dicttest")) || under(from, "classifier") || (under(from, "nftext") && !under(from, "nftext/front") && !under(from, "nftext/rule"))
	if pure {
		for _, k := range kernelOnly {
			if imp == k || strings.HasPrefix(imp, k+"/") {
				return "this package is pure"
			}
		}
	}
	return ""
}

// under reports whether path is prefix or lies below it; a prefix that ends
// in a slash, or none, covers all that begins so.
func under(path, prefix string) bool {
	if prefix == "" || strings.HasSuffix(prefix, "/") {
		return strings.HasPrefix(path, prefix)
	}
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}
