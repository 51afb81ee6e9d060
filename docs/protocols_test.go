// SPDX-License-Identifier: MIT

package docs

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nftdict/classifier"
)

// The protocols named in daemon.md are those that there are.
func TestProtocols(t *testing.T) {
	_, list, ok := strings.Cut(read(t, "daemon.md"), "<!-- protocols -->\n")
	list, _, end := strings.Cut(list, "<!-- end -->")
	if !ok || !end {
		t.Fatal("daemon.md has no list of protocols")
	}
	got := regexp.MustCompile(`[^\s,.]+`).FindAllString(list, -1)
	if d := cmp.Diff(classifier.Protocols(), slices.Clone(got)); d != "" {
		t.Errorf("daemon.md (-detectors +document):\n%s", d)
	}
}
