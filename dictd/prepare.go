// SPDX-License-Identifier: MIT

package dictd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/classifier"
	"nftdict/dictd/config"
	"nftdict/dictd/queue"
)

// memories are what classifiers remember of sessions, over a reload, too.
type memories struct {
	hints     *classifier.Hints
	history   *classifier.History
	relations *classifier.Relations
	garden    *classifier.Hints // answers that are of the walled garden
}

func newMemories() memories {
	return memories{
		classifier.NewHints(classifier.HintsOptions{}),
		classifier.NewHistory(classifier.HistoryOptions{}),
		classifier.NewRelations(classifier.RelationsOptions{}),
		classifier.NewHints(classifier.HintsOptions{MaxTTL: 24 * time.Hour}),
	}
}

// newClassifier makes a classifier as configured, which tells g what clients were
// answered.
func newClassifier(c *config.Config, m *memories, g *gardener) (*classifier.Classifier, error) {
	o := classifier.Options{Answered: g.answered(), Hints: m.hints, History: m.history, Relations: m.relations, Certificates: c.Sessions.Certificates, MaxPackets: int(c.Sessions.Packets), MaxBytes: c.Sessions.Bytes}
	if c.Domains != "" {
		f, err := os.Open(c.Domains)
		if err != nil {
			return nil, fmt.Errorf("domains: %w", err)
		}
		defer f.Close()
		own, err := classifier.ParseDomainLists(f, listsBeside(c.Domains))
		if err != nil {
			return nil, fmt.Errorf("domains %s: %w", c.Domains, err)
		}
		o.Domains = classifier.BuiltinDomains().Merge(own)
	}
	return classifier.New(o), nil
}

// listsBeside opens lists in the directory of file, and below it.
func listsBeside(file string) classifier.Opener {
	return func(name string) (io.ReadCloser, error) {
		root, err := os.OpenRoot(filepath.Dir(file))
		if err != nil {
			return nil, err
		}
		defer root.Close()
		return root.Open(filepath.FromSlash(name))
	}
}

// probeSource finds out whether the kernel attaches conntrack data to queued
// packets.
func (d *Daemon) probeSource(c *config.Config) (queue.Source, error) {
	source, err := queue.Probe(uint16(c.Queues.First), d.o.NetNS)
	if errors.Is(err, unix.EPERM) {
		err = fmt.Errorf("%w: another process reads the queue, or CAP_NET_ADMIN is missing", err)
	}
	return source, err
}

// conntrackMax returns the kernel's limit of connections.
func conntrackMax() int {
	const fallback = 262144
	n, err := sysctl("net/netfilter/nf_conntrack_max")
	if err != nil || n <= 0 {
		return fallback
	}
	return n
}

// sysctl reads a number of the thread's network namespace.
func sysctl(name string) (int, error) {
	text, err := os.ReadFile("/proc/sys/" + name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// findWarnings looks for what makes the daemon less than it could be.
func (d *Daemon) findWarnings() []string {
	var found []string
	if d.o.Compiler == nil {
		found = append(found, "this backend compiles no rules: the row of an ended connection stays until its DESTROY event is read, even if its id is used again")
	}
	if _, err := os.Stat("/sys/module/nft_dict"); err == nil && d.o.Backend == "ebpf" {
		found = append(found, "the module nft_dict is loaded: rules and rows of dictctl are in its tables, which this daemon does not fill, unless it is told --backend ebpf; remedy: backend = \"auto\", or rmmod nft_dict")
	}
	if d.o.NetNS != 0 {
		return found // the files below tell of the process's own namespace
	}
	if n, err := sysctl("net/netfilter/nf_conntrack_events"); err == nil && n == 0 {
		found = append(found, "conntrack events are off: rows of ended connections stay up to five minutes; remedy: sysctl net.netfilter.nf_conntrack_events=1")
	}
	if n, err := sysctl("net/netfilter/nf_conntrack_acct"); err == nil && n == 0 {
		found = append(found, "conntrack does not count packets: connections that the daemon cannot finish visit it for ever; remedy: sysctl net.netfilter.nf_conntrack_acct=1")
	}
	if lsm, err := os.ReadFile("/sys/kernel/security/lsm"); err == nil && d.source == queue.ByMark {
		for _, name := range []string{"selinux", "smack"} {
			if strings.Contains(string(lsm), name) {
				found = append(found, name+" is active: this kernel carries the conntrack id in the packet's mark and keeps the mark in the security mark, so labels of packets are lost")
			}
		}
	}
	return found
}
