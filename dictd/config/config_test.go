// SPDX-License-Identifier: MIT

package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// What the documented file says is what an empty one means.
func TestExampleIsDefault(t *testing.T) {
	c, err := Parse([]byte(Example()))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(c, Default()) {
		t.Errorf("example %+v, default %+v", c, Default())
	}
	for _, text := range []string{"", "# nothing\n"} {
		if c, err := Parse([]byte(text)); err != nil || !reflect.DeepEqual(c, Default()) {
			t.Errorf("%q: %+v, %v", text, c, err)
		}
	}
}

// Those of the documents are read, and their plans are understood.
func TestDocumentedExamples(t *testing.T) {
	files, err := filepath.Glob("../../docs/examples/*.toml")
	if err != nil || len(files) < 2 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, path := range files {
		c, err := Load(path)
		if err != nil {
			t.Error(err)
			continue
		}
		if plans, err := c.QuotaPlans(); err != nil || len(plans) == 0 {
			t.Errorf("%s: %d plans, %v", path, len(plans), err)
		}
	}
}

func TestQuotaPrefixes(t *testing.T) {
	q := Quota{Exempt: []string{"10.1.2.0/24", "10.0.0.1", "10.0.0.0/8", "10.0.0.0/8", "fd00::1/64", "192.0.2.1"}}
	got, err := q.Prefixes()
	if want := "[10.0.0.0/8 192.0.2.1/32 fd00::/64]"; err != nil || fmt.Sprint(got) != want {
		t.Errorf("got %v, %v, want %s", got, err, want)
	}
}

func TestQuotaRefusals(t *testing.T) {
	plan := "[[plan]]\nname = \"p\"\nfor = [\"users\"]\nvolume = \"1MB\"\n"
	for text, want := range map[string]string{
		"[quota]\npriority = 2000":       "quota.priority 2000",
		"[quota]\nexempt = [\"x\"]":      `quota.exempt "x"`,
		"[quota]\nzone = \"Moon\"":       `quota.zone "Moon"`,
		"[quota]\nthrottle_mark = 0":     "quota.throttle_mark 0",
		plan:                             `plan "p": period ""`,
		plan + "period = \"day\"\nx = 1": `key "plan.x": unknown`,
		plan + "period = \"day\"\n" + plan + "period = \"day\"": `plan "p": exists`,
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"\nfial = \"open\"", `2:1: key "fial": unknown`},
		{"[queues]\nfirst = 1\ncuont = 2\n", `3:1: key "queues.cuont": unknown`},
		{"a = 1\n[rules]\nb = 2\n", `3:1: key "rules.b": unknown`},
		{"fail = open", "1:8"},
		{"[queues]\ncount = \"two\"", `2:9: key "queues.count"`},
		{"[rules]\nfinish_bit = -1", `2:14`},
		{"fail = \"ajar\"", `fail "ajar": invalid: want open, closed`},
		{"backend = \"\"", `backend "": invalid: want auto, kmod, ebpf`},
		{"log_level = \"loud\"", "log_level"},
		{"socket = \"\"", "want a path"},
		{"vendors = [\"/a\", \"auto\"]", `vendors "auto": invalid: want files, or "auto" alone`},
		{"vendors = [\"\"]", `vendors "": invalid`},
		{"vendors = \"auto\"", `key "vendors"`},
		{"[queues]\ncount = 0", "queues.count 0: out of range: want 1 to 256"},
		{"[queues]\nfirst = 65533", "queues.first 65533: out of range: want 0 to 65532"},
		{"[queues]\ncopy = 1", "queues.copy 1"},
		{"[rules]\ntable = \"a b\"", "rules.table: name"},
		{"[rules]\npriority = -100", "rules.priority -100"},
		{"[rules]\nfinish_bit = 3", "want one bit"},
		{"[sessions]\npackets = 0", "sessions.packets 0"},
		{"[sessions]\nlimit = -1", "sessions.limit -1"},
		{"state = \"\"", "want a directory"},
		{"[identity]\nhosts = 65537", "identity.hosts 65537"},
		{"[identity]\naddresses = 0", "identity.addresses 0"},
		{"[identity]\nleases = [\"leases\"]", `identity.leases "leases"`},
		{"[identity]\nage = 1", "identity.age 1"},
		{"[api]\nread = [\"bob\"]", `api "bob": invalid: want user:NAME`},
		{"[api]\nwrite = [\"group:\"]", `api "group:": invalid`},
		{"[identity]\ninterfaces = [\"lan0\", \"a b\"]", `identity.interfaces "a b"`},
	} {
		if _, err := Parse([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.text, err, c.want)
		}
	}
}

func TestLoadNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.toml")
	if _, err := Load(path); !os.IsNotExist(err) && err == nil {
		t.Error("a missing file loads")
	}
	if err := os.WriteFile(path, []byte("x = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.HasPrefix(err.Error(), path+":1:1: key \"x\"") {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(Example()))
	f.Add([]byte("[queues]\nfirst = 65535\ncount = 256\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse(text)
		if err != nil {
			return
		}
		if last := c.Queues.First + 2*c.Queues.Count - 1; last > 65535 || c.Queues.Count < 1 {
			t.Fatalf("queues %+v", c.Queues)
		}
	})
}

// Who may tell of sessions is an address or a network, with one secret.
func TestRADIUSRefusals(t *testing.T) {
	const listen = "[radius]\nlisten = [\"10.0.0.1:1813\"]\n"
	for text, want := range map[string]string{
		listen: "nobody may tell", "[radius]\nlisten = [\"10.0.0.1\"]\n": "want ADDRESS:PORT", "[radius]\ngroups = [\"Reply-Message\"]\n": "want Class, Filter-Id",
		listen + "[[radius.client]]\naddress = \"10.0.0.2/24\"\nsecret = \"x\"\n":                        "want an address or a network",
		listen + "[[radius.client]]\naddress = \"10.0.0.2\"\n":                                           "want secret",
		listen + "[[radius.client]]\naddress = \"10.0.0.2\"\nsecret = \"x\"\nsecret_file = \"/etc/y\"\n": "want secret",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("testing123\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Parse([]byte(listen + "[[radius.client]]\naddress = \"10.0.0.0/24\"\nsecret_file = \"" + path + "\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	known, err := c.RADIUS.Known()
	if err != nil || len(known) != 1 || string(known[0].Secret) != "testing123" || known[0].Prefix.Bits() != 24 {
		t.Errorf("known %v, %v", known, err)
	}
	c.RADIUS.Clients[0].SecretFile += "none"
	if _, err := c.RADIUS.Known(); err == nil {
		t.Error("a file that is not there has a secret")
	}
}
