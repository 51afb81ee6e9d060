// SPDX-License-Identifier: MIT

package pcap

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"nftdict/classifier"
	"nftdict/internal/need"
)

// BenchmarkClassify reads all captures of the folder that CORPUS names, as
// `dictctl classify` does, and reports what a packet and a flow cost of it,
// reading included. Run it on one core:
//
//	CORPUS=DIR GOMAXPROCS=1 go test -run '^$' -bench Classify ./classifier/pcap
func BenchmarkClassify(b *testing.B) {
	var captures [][]byte
	need.Feature(b, "corpus", func() error {
		files, err := filepath.Glob(filepath.Join(os.Getenv("CORPUS"), "pcap", "*"))
		for _, f := range files {
			data, failed := os.ReadFile(f)
			captures = append(captures, data)
			err = errors.Join(err, failed)
		}
		if len(files) == 0 && err == nil {
			err = errors.New("the environment's CORPUS names no folder with captures")
		}
		return err
	})
	c := classifier.New(classifier.Options{Hints: classifier.NewHints(classifier.HintsOptions{})})
	packets, flows := 0, 0
	b.ReportAllocs()
	for b.Loop() {
		packets, flows = 0, 0
		for _, data := range captures {
			r, _ := Classify(bytes.NewReader(data), c, Options{}) // broken captures count as far as they go
			packets, flows = packets+r.Packets, flows+len(r.Flows)
		}
	}
	perRun := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
	b.ReportMetric(perRun/float64(packets), "ns/packet")
	b.ReportMetric(perRun/float64(flows), "ns/flow")
	b.ReportMetric(float64(unsafe.Sizeof(classifier.Session{})), "B/session")
}
