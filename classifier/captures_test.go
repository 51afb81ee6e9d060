// SPDX-License-Identifier: MIT

package classifier_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"

	"nftdict/classifier"
	"nftdict/classifier/pcap"
)

// capturesDir holds NAME.pcap, recorded from real programs, and NAME.toml: how
// it was made (internal/record reads that) and the truth about its flows.
const capturesDir = "testdata/captures"

// maxCaptures bounds what all captures together may take, in bytes.
const maxCaptures = 1500 << 10

// truth is what is known of a flow from how it was made. The keys beside "of"
// are those of fields; what is not named is not compared.
//
// The key "of" tells which flows it is about: "tcp 80" those with that port at an
// end (server first), "ip 47" those of a protocol without ports, "rest" those that no
// other truth is about. Where several have the same "of", each is about one flow, in order.
type truth map[string]any

// fields are what a truth can tell.
func fields(r *classifier.Result) map[string]string {
	m := map[string]string{
		"protocol": r.Protocol, "application": r.Application, "category": r.Category, "chain": r.Chain, "detail": r.Detail,
		"sni": r.SNI, "alpn": strings.Join(r.ALPN, ","), "alpn_chosen": r.ALPNChosen, "tls": r.TLSVersion,
		"ja3": r.JA3, "ja3s": r.JA3S, "ja4": r.JA4, "quic": r.QUICVersion,
		"host": r.HTTPHost, "url": r.URL, "agent": r.UserAgent, "banner": r.SSHBanner, "certificate": "",
	}
	if r.Certificate != nil {
		m["certificate"] = r.Certificate.Subject.CN
	}
	return m
}

// capture is a recorded file with its recipe's truth.
type capture struct {
	name string
	file []byte
	// Tunnels says that the truth is about what is inside of tunnels.
	Tunnels bool    `toml:"tunnels"`
	Flow    []truth `toml:"flow"`
}

func captures(t testing.TB) []capture {
	t.Helper()
	recipes, err := filepath.Glob(filepath.Join(capturesDir, "*.toml"))
	if err != nil || len(recipes) == 0 {
		t.Fatalf("no recipes in %s: %v", capturesDir, err)
	}
	var all []capture
	for _, path := range recipes {
		c := capture{name: strings.TrimSuffix(filepath.Base(path), ".toml")}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := toml.Unmarshal(text, &c); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if c.file, err = os.ReadFile(strings.TrimSuffix(path, ".toml") + ".pcap"); err != nil {
			t.Fatalf("%s was not recorded: %v", c.name, err)
		}
		all = append(all, c)
	}
	return all
}

// TestCaptureFiles holds the folder together: each capture with a recipe, each recipe with a
// truth, and all of them small.
func TestCaptureFiles(t *testing.T) {
	size, known := 0, map[string]bool{}
	for _, c := range captures(t) {
		size += len(c.file)
		known[c.name+".toml"], known[c.name+".pcap"] = true, true
		if len(c.Flow) == 0 {
			t.Errorf("%s: no flow is told of", c.name)
		}
		for _, f := range c.Flow {
			if _, ok := f["of"].(string); !ok || f["protocol"] == nil {
				t.Errorf("%s: a flow has of and protocol: %v", c.name, f)
			}
		}
	}
	if size > maxCaptures {
		t.Errorf("%d bytes of captures, want at most %d", size, maxCaptures)
	}
	entries, err := os.ReadDir(capturesDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !known[e.Name()] {
			t.Errorf("%s: no recipe", e.Name())
		}
	}
}

// TestCaptures compares what the classifier says with what was run.
func TestCaptures(t *testing.T) {
	for _, cap := range captures(t) {
		t.Run(cap.name, func(t *testing.T) {
			// One connection may announce another.
			c := classifier.New(classifier.Options{Certificates: true, Relations: classifier.NewRelations(classifier.RelationsOptions{})})
			report, err := pcap.Classify(bytes.NewReader(cap.file), c, pcap.Options{Tunnels: cap.Tunnels})
			if err != nil {
				t.Fatal(err)
			}
			told := make([]int, len(cap.Flow))
			turn := map[string]int{}
			for _, f := range report.Flows {
				about := cap.about(f.Proto, f.A.Port(), f.B.Port())
				if len(about) == 0 {
					t.Errorf("%s: nothing is told of it: %+v", flowName(f), f.Result)
					continue
				}
				of := cap.Flow[about[0]]["of"].(string)
				i := about[min(turn[of], len(about)-1)]
				turn[of]++
				told[i]++
				if diff := cmp.Diff(cap.Flow[i].want(), cap.Flow[i].got(f.Result)); diff != "" {
					t.Errorf("%s (-run +seen):\n%s%s", flowName(f), diff, explain(f.Evidence()))
				}
			}
			for i, n := range told {
				if n == 0 {
					t.Errorf("no flow is %v", cap.Flow[i])
				}
			}
		})
	}
}

// about returns the truths about a flow: all with the first "of" that fits.
func (c *capture) about(proto uint8, a, b uint16) []int {
	kind := strings.ToLower(classifier.ProtocolName(proto))
	wants := []string{kind + " " + strconv.Itoa(int(b)), kind + " " + strconv.Itoa(int(a)), "rest"}
	if proto != classifier.ProtoTCP && proto != classifier.ProtoUDP {
		wants = []string{"ip " + strconv.Itoa(int(proto)), "rest"}
	}
	for _, of := range wants {
		var out []int
		for i, f := range c.Flow {
			if f["of"] == of {
				out = append(out, i)
			}
		}
		if out != nil {
			return out
		}
	}
	return nil
}

func (f truth) want() map[string]string {
	out := map[string]string{}
	for k, v := range f {
		if k != "of" {
			out[k] = fmt.Sprint(v)
		}
	}
	return out
}

func (f truth) got(r *classifier.Result) map[string]string {
	out, all := map[string]string{}, fields(r)
	for k := range f {
		if v, ok := all[k]; ok {
			out[k] = v
		}
	}
	return out
}

func flowName(f *pcap.Flow) string {
	return fmt.Sprintf("%s %s > %s", classifier.ProtocolName(f.Proto), f.A, f.B)
}

func explain(evidence []classifier.Evidence) string {
	var out strings.Builder
	for _, e := range evidence {
		fmt.Fprintf(&out, "  packet %d %s %q %d\n", e.Packet, e.Rule, e.Seen, e.Confidence)
	}
	return out.String()
}

// step is a packet of a flow, in the order of arrival.
type step struct {
	p   classifier.Packet
	dir classifier.Dir
}

// stepsOf returns the packets of each flow of a capture.
func stepsOf(t testing.TB, file []byte, tunnels bool) [][]step {
	t.Helper()
	r, err := pcap.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	type ends struct{ e classifier.Endpoints }
	var flows [][]step
	byEnds := map[ends]int{}
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return flows
		}
		if err != nil {
			t.Fatal(err)
		}
		ip, _ := rec.Link.IP(slices.Clone(rec.Data))
		var p classifier.Packet
		if classifier.Decode(ip, &p) != nil || p.Fragment {
			continue
		}
		for inner, ok := p.Inner(); ok && tunnels; inner, ok = p.Inner() {
			if classifier.Decode(inner, &p) != nil {
				break
			}
		}
		e, dir := p.Endpoints(), classifier.Original
		i, ok := byEnds[ends{e}]
		if !ok {
			if i, ok = byEnds[ends{e.Reverse()}]; ok {
				dir = classifier.Reply
			}
		}
		if !ok {
			i = len(flows)
			byEnds[ends{e}] = i
			flows = append(flows, nil)
		}
		flows[i] = append(flows[i], step{p, dir})
	}
}

// patient are the protocols whose sessions are looked at for longer than eight
// packets with payload of a direction, and what for.
var patient = map[string]string{
	"DNS":         "each answer is a hint for later sessions",
	"FTP_CONTROL": "each transfer is announced",
	"SIP":         "each call's media are announced",
	"STUN":        "a later message names the application, and keys or media may follow",
	"SRTP":        "the same, behind the first media",
}

// TestPatience shows the captures as they are: what is not known after eight
// packets with payload of each direction that speaks is given up, but for those
// whose detector asks for more.
func TestPatience(t *testing.T) {
	const most = 8
	for _, o := range []classifier.Options{{}, {Certificates: true, Relations: classifier.NewRelations(classifier.RelationsOptions{}), Hints: classifier.NewHints(classifier.HintsOptions{})}} {
		c := classifier.New(o)
		for _, capture := range captures(t) {
			for _, flow := range stepsOf(t, capture.file, capture.Tunnels) {
				var s classifier.Session
				var seen [2]int
				for i := range flow {
					if len(flow[i].p.Payload) > 0 {
						seen[flow[i].dir]++
					}
					if c.Inspect(&s, &flow[i].p, flow[i].dir, time.Unix(1_700_000_000, 0)) == classifier.Done {
						break
					}
					if seen[flow[i].dir] > most && seen[flow[i].dir^1] > 0 {
						if p := s.Result().Protocol; patient[p] == "" {
							t.Errorf("%s: %v, %q, is looked at after %d and %d packets with payload", capture.name, flow[0].p.Endpoints(), p, seen[0], seen[1])
						}
						break
					}
				}
			}
		}
	}
}
