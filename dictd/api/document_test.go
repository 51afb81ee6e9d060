// SPDX-License-Identifier: MIT

package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/schema_validation"
)

// described is the document as tests look at it.
type described struct {
	Paths map[string]map[string]json.RawMessage // operations by method, and parameters
	Tags  []struct{ Name string }
}

type operation struct {
	ID          string `json:"operationId"`
	Tags        []string
	Summary     string
	RequestBody json.RawMessage
	Responses   map[string]json.RawMessage
}

// operations returns all operations by pattern: "GET /v1/status".
func operations(t *testing.T) map[string]operation {
	t.Helper()
	text, err := Document()
	if err != nil {
		t.Fatal(err)
	}
	var d described
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	tags := make(map[string]bool)
	for _, tag := range d.Tags {
		tags[tag.Name] = true
	}
	all, ids := make(map[string]operation), make(map[string]string)
	for path, methods := range d.Paths {
		for method, raw := range methods {
			if method == "parameters" {
				continue
			}
			var o operation
			if err := json.Unmarshal(raw, &o); err != nil {
				t.Fatal(err)
			}
			pattern := strings.ToUpper(method) + " " + path
			if ids[o.ID] != "" || o.ID == "" || o.Summary == "" || len(o.Tags) != 1 || !tags[o.Tags[0]] {
				t.Errorf("%s: want an operationId of its own (%q), a summary (%q) and one of the tags (%q)", pattern, o.ID, o.Summary, o.Tags)
			}
			ids[o.ID], all[pattern] = pattern, o
		}
	}
	return all
}

// judge validates requests and answers by the document, in which objects must have
// no members but those that it tells of.
func judge(t *testing.T) (validator.Validator, libopenapi.Document) {
	t.Helper()
	text, err := Document()
	if err != nil {
		t.Fatal(err)
	}
	var whole map[string]any
	if err := json.Unmarshal(text, &whole); err != nil {
		t.Fatal(err)
	}
	closeObjects(whole)
	if text, err = json.Marshal(whole); err != nil {
		t.Fatal(err)
	}
	doc, err := libopenapi.NewDocument(text)
	if err != nil {
		t.Fatal(err)
	}
	v, errs := validator.NewValidator(doc)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return v, doc
}

// closeObjects has schemas of objects refuse members that they do not name.
func closeObjects(v any) {
	switch v := v.(type) {
	case map[string]any:
		_, named := v["properties"].(map[string]any)
		if _, open := v["additionalProperties"]; named && !open && v["type"] == "object" {
			v["additionalProperties"] = false
		}
		for _, one := range v {
			closeObjects(one)
		}
	case []any:
		for _, one := range v {
			closeObjects(one)
		}
	}
}

func TestDocumentIsOpenAPI(t *testing.T) {
	v, _ := judge(t)
	if ok, errs := v.ValidateDocument(); !ok {
		for _, e := range errs {
			t.Errorf("%s: %s", e.Message, e.Reason)
			for _, why := range e.SchemaValidationErrors {
				t.Errorf("  %s at %s", why.Reason, why.Location)
			}
		}
	}
}

// TestDocumentHasAllRoutes compares what is told with what is there.
func TestDocumentHasAllRoutes(t *testing.T) {
	there := (&Server{}).handler().patterns
	slices.Sort(there)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(operations(t))), there); diff != "" {
		t.Errorf("routes (-told in openapi/ +there):\n%s", diff)
	}
}

// call is a request that each operation is tried with.
type call struct {
	pattern string // of the document
	path    string // "" is the pattern's
	body    string
	status  int
}

// calls try each operation with all answers that it has but those of a daemon that
// is broken or full. They run in their order. What all operations answer in the
// same way (400 for a parameter that is not known, 403, 406, and 413, 415 and 400
// for a body) is tried without being told here.
var calls = []call{
	{pattern: "GET /v1/status", status: 200},
	{pattern: "GET /v1/openapi.json", status: 200},
	{pattern: "GET /v1/sessions", status: 200},
	{pattern: "GET /v1/sessions", path: "/v1/sessions?application=dns&limit=2&after=1", status: 200},
	{pattern: "GET /v1/sessions/{ctid}", path: "/v1/sessions/1", status: 200},
	{pattern: "GET /v1/sessions/{ctid}", path: "/v1/sessions/99", status: 404},
	{pattern: "GET /v1/sessions/{ctid}/why", path: "/v1/sessions/0x1/why", status: 200},
	{pattern: "GET /v1/sessions/{ctid}/why", path: "/v1/sessions/99/why", status: 404},
	{pattern: "GET /v1/sessions", path: "/v1/sessions?search=10.0.0&sort=newest&skip=1&limit=1", status: 200},
	{pattern: "GET /v1/sessions", path: "/v1/sessions?sort=beauty", status: 400},
	{pattern: "GET /v1/tables", status: 200},
	{pattern: "GET /v1/tables/{table}/rows", path: "/v1/tables/hosts/rows?search=10.0&skip=0&limit=5", status: 200},
	{pattern: "GET /v1/tables/{table}/rows", path: "/v1/tables/nothing/rows", status: 404},
	{pattern: "GET /v1/hosts", status: 200},
	{pattern: "GET /v1/hosts", path: "/v1/hosts?limit=1&after=10.0.0.1", status: 200},
	{pattern: "GET /v1/hosts/{address}", path: "/v1/hosts/10.0.0.9", status: 200},
	{pattern: "GET /v1/hosts/{address}", path: "/v1/hosts/2001:db8::1", status: 404},
	{pattern: "GET /v1/hosts/{address}/why", path: "/v1/hosts/10.0.0.9/why", status: 200},
	{pattern: "GET /v1/hosts/{address}/why", path: "/v1/hosts/2001:db8::1/why", status: 404},
	{pattern: "GET /v1/devices", status: 200},
	{pattern: "GET /v1/devices/{mac}", path: "/v1/devices/10.0.0.9", status: 200},
	{pattern: "GET /v1/devices/{mac}", path: "/v1/devices/02:00:00:00:00:0f", status: 404},
	{pattern: "PUT /v1/users/{name}", path: "/v1/users/bob", body: `{"usergroups":["staff","sales"]}`, status: 200},
	{pattern: "PATCH /v1/users/{name}", path: "/v1/users/bob", body: `{"usergroups":["staff"]}`, status: 200},
	{pattern: "PATCH /v1/users/{name}", path: "/v1/users/eve", body: `{"usergroups":[]}`, status: 404},
	{pattern: "PUT /v1/devices/{mac}/user", path: "/v1/devices/10.0.0.9/user", body: `{"username":"bob"}`, status: 200},
	{pattern: "PUT /v1/devices/{mac}/user", path: "/v1/devices/10.0.0.8/user", body: `{"username":"bob"}`, status: 404},
	{pattern: "GET /v1/users", status: 200},
	{pattern: "GET /v1/users/{name}", path: "/v1/users/bob", status: 200},
	{pattern: "GET /v1/users/{name}", path: "/v1/users/eve", status: 404},
	{pattern: "DELETE /v1/devices/{mac}/user", path: "/v1/devices/02:00:00:00:00:09/user", status: 200},
	{pattern: "DELETE /v1/devices/{mac}/user", path: "/v1/devices/02:00:00:00:00:09/user", status: 404},
	{pattern: "DELETE /v1/users/{name}", path: "/v1/users/bob", status: 200},
	{pattern: "DELETE /v1/users/{name}", path: "/v1/users/bob", status: 404},
	{pattern: "GET /v1/usage", status: 200},
	{pattern: "GET /v1/usage", path: "/v1/usage?by=user&period=hour", status: 404},
	{pattern: "GET /v1/quotas", status: 200},
	{pattern: "GET /v1/quotas", path: "/v1/quotas?limit=1&after=user/a/b", status: 200},
	{pattern: "GET /v1/quotas", path: "/v1/quotas?after=user", status: 400},
	{pattern: "GET /v1/quotas/{kind}/{name}", path: "/v1/quotas/user/zoe", status: 200},
	{pattern: "GET /v1/quotas/{kind}/{name}", path: "/v1/quotas/user/eve", status: 404},
	{pattern: "GET /v1/quotas/{kind}/{name}", path: "/v1/quotas/cat/tom", status: 400},
	{pattern: "POST /v1/quotas/{kind}/{name}/top-up", path: "/v1/quotas/user/zoe/top-up", body: `{"amount":5,"unit":"bytes"}`, status: 200},
	{pattern: "POST /v1/quotas/{kind}/{name}/top-up", path: "/v1/quotas/user/zoe/top-up", body: `{"amount":5,"unit":"seconds"}`, status: 400},
	{pattern: "POST /v1/quotas/{kind}/{name}/top-up", path: "/v1/quotas/user/zoe/top-up", body: `{"amount":-5,"unit":"bytes"}`, status: 400},
	{pattern: "POST /v1/quotas/{kind}/{name}/top-up", path: "/v1/quotas/user/eve/top-up", body: `{"amount":5,"unit":"bytes"}`, status: 404},
	{pattern: "PUT /v1/quotas/{kind}/{name}/size", path: "/v1/quotas/user/zoe/size", body: `{"plan":"daily","amount":0,"unit":"bytes"}`, status: 200},
	{pattern: "PUT /v1/quotas/{kind}/{name}/size", path: "/v1/quotas/user/zoe/size", body: `{"plan":"x","amount":0,"unit":"bytes"}`, status: 404},
	{pattern: "POST /v1/quotas/{kind}/{name}/unset", path: "/v1/quotas/user/zoe/unset", body: `{}`, status: 200},
	{pattern: "POST /v1/quotas/{kind}/{name}/unset", path: "/v1/quotas/user/eve/unset", body: `{}`, status: 404},
	{pattern: "GET /v1/flows", path: "/v1/flows?state=offloaded&application=youtube&user=zoe&host=192.168.77.2&sort=age&limit=5", status: 200},
	{pattern: "GET /v1/flows", path: "/v1/flows?sort=beauty", status: 400},
	{pattern: "POST /v1/recall", path: "/v1/recall", body: `{"kind":"user","name":"zoe"}`, status: 200},
	{pattern: "POST /v1/recall", path: "/v1/recall", body: `{"kind":"all"}`, status: 200},
	{pattern: "POST /v1/recall", path: "/v1/recall", body: `{"kind":"ct","name":"five"}`, status: 400},
	{pattern: "POST /v1/quotas/{kind}/{name}/reset", path: "/v1/quotas/user/zoe/reset", body: `{"plan":"daily"}`, status: 200},
	{pattern: "POST /v1/quotas/{kind}/{name}/reset", path: "/v1/quotas/user/eve/reset", body: `{}`, status: 404},
	{pattern: "GET /v1/quotas/{kind}/{name}/history", path: "/v1/quotas/user/zoe/history?plan=daily", status: 200},
	{pattern: "GET /v1/quotas/{kind}/{name}/history", path: "/v1/quotas/user/eve/history", status: 404},
	{pattern: "GET /v1/portal", status: 200},
	{pattern: "GET /v1/portal/sessions", path: "/v1/portal/sessions?limit=5", status: 200},
	{pattern: "DELETE /v1/portal/sessions/{id}", path: "/v1/portal/sessions/0", status: 404},
	{pattern: "DELETE /v1/portal/sessions/{id}", path: "/v1/portal/sessions/SESSION", status: 200},
	{pattern: "GET /v1/portal/accounts", status: 200},
	{pattern: "PUT /v1/portal/accounts/{name}", path: "/v1/portal/accounts/bo", body: `{"password":"sesame","usergroups":["staff"],"devices":-1,"session":3600,"until":"2099-01-01T00:00:00Z"}`, status: 200},
	{pattern: "PUT /v1/portal/accounts/{name}", path: "/v1/portal/accounts/cy", body: `{}`, status: 400},
	{pattern: "GET /v1/portal/accounts", path: "/v1/portal/accounts?after=al&limit=1", status: 200},
	{pattern: "DELETE /v1/portal/accounts/{name}", path: "/v1/portal/accounts/bo", status: 200},
	{pattern: "DELETE /v1/portal/accounts/{name}", path: "/v1/portal/accounts/bo", status: 404},
	{pattern: "GET /v1/portal/batches", status: 200},
	{pattern: "POST /v1/portal/batches", body: `{"name":"june","count":2,"prefix":"inn","time":3600,"bytes":20000000,"devices":2,"valid":"2099-01-01T00:00:00Z","usergroups":["guests"]}`, status: 200},
	{pattern: "POST /v1/portal/batches", body: `{"name":"june","count":2}`, status: 409},
	{pattern: "POST /v1/portal/batches", body: `{"name":"july","count":2,"prefix":"<b>"}`, status: 400},
	{pattern: "GET /v1/portal/batches/{name}/vouchers", path: "/v1/portal/batches/june/vouchers", status: 200},
	{pattern: "GET /v1/portal/batches/{name}/vouchers", path: "/v1/portal/batches/july/vouchers", status: 404},
	{pattern: "POST /v1/portal/vouchers/{number}/revoke", path: "/v1/portal/vouchers/1/revoke", status: 200},
	{pattern: "POST /v1/portal/vouchers/{number}/revoke", path: "/v1/portal/vouchers/99/revoke", status: 404},
	{pattern: "POST /v1/portal/vouchers/{number}/revoke", path: "/v1/portal/vouchers/one/revoke", status: 400},
	{pattern: "POST /v1/portal/batches/{name}/revoke", path: "/v1/portal/batches/june/revoke", status: 200},
	{pattern: "POST /v1/portal/batches/{name}/revoke", path: "/v1/portal/batches/july/revoke", status: 404},
	{pattern: "DELETE /v1/portal/batches/{name}", path: "/v1/portal/batches/june", status: 200},
	{pattern: "DELETE /v1/portal/batches/{name}", path: "/v1/portal/batches/june", status: 404},
	{pattern: eventsPattern, path: "/v1/events?after=0&kind=host-*", status: 200},
}

// untried are answers of a daemon that is broken, or full: tests of their own have
// them.
var untried = []string{"500", "503", "507"}

// TestAnswersAreDescribed tries all operations, and holds what they answer against
// the document.
func TestAnswersAreDescribed(t *testing.T) {
	v, _ := judge(t)
	all := operations(t)
	src := newSource(t, 3)
	s := newServer(src)
	session := src.por.Sessions()[0].ID
	root, stranger := &Peer{}, &Peer{UID: 12345, GID: 12345}
	seen := make(map[string]bool)
	try := func(c call, by *Peer, header ...string) {
		t.Helper()
		method, path, _ := strings.Cut(c.pattern, " ")
		if c.path != "" {
			path = strings.Replace(c.path, "SESSION", session, 1)
		}
		r := httptest.NewRequest(method, "http://dictd"+path, strings.NewReader(c.body))
		r = r.WithContext(withPeer(t.Context(), by))
		if c.body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		if c.pattern == eventsPattern {
			ctx, cancel := contextThatEnds(r.Context())
			defer cancel()
			r = r.WithContext(ctx)
		}
		w := httptest.NewRecorder()
		s.handler().ServeHTTP(w, r)
		answer := w.Result()
		body, _ := io.ReadAll(answer.Body)
		answer.Body = io.NopCloser(bytes.NewReader(body))
		if answer.StatusCode != c.status {
			t.Errorf("%s %s: status %d, want %d: %s", method, path, answer.StatusCode, c.status, body)
			return
		}
		seen[fmt.Sprint(c.pattern, " ", c.status)] = true
		if answer.Header.Get("Content-Type") != "application/json" {
			return
		}
		again := httptest.NewRequest(method, "http://dictd"+path, strings.NewReader(c.body))
		again.Header = r.Header
		if ok, errs := v.ValidateHttpResponse(again, answer); !ok {
			for _, e := range errs {
				t.Errorf("%s %s: status %d: %s: %s", method, path, c.status, e.Message, e.Reason)
				for _, why := range e.SchemaValidationErrors {
					t.Errorf("  %s at %s", why.Reason, why.Location)
				}
			}
		}
		if answer.StatusCode < 300 && c.body != "" {
			if ok, errs := v.ValidateHttpRequest(again); !ok {
				t.Errorf("%s %s: the request: %v", method, path, errs[0])
			}
		}
	}
	for _, c := range calls {
		try(c, root)
	}
	for pattern, o := range all {
		path := anyPath(pattern)
		try(call{pattern, path, "", 403}, stranger)
		try(call{pattern, path, "", 406}, root, "Accept", "image/png")
		try(call{pattern, path + "?nonsense=1", "", 400}, root)
		if len(o.RequestBody) > 0 {
			try(call{pattern, path, `{"nonsense":1}`, 400}, root)
			try(call{pattern, path, `{}`, 415}, root, "Content-Type", "text/plain")
			try(call{pattern, path, `{"x":"` + strings.Repeat("x", maxBody) + `"}`, 413}, root)
		}
		for status := range o.Responses {
			seen[pattern+" "+status] = seen[pattern+" "+status] || slices.Contains(untried, status)
		}
	}
	for pattern, o := range all {
		for status := range o.Responses {
			if !seen[pattern+" "+status] {
				t.Errorf("%s: status %s is told of in openapi/, and no call of `calls` answers so", pattern, status)
			}
		}
	}
}

// anyPath puts something into the places of a pattern's path.
func anyPath(pattern string) string {
	_, path, _ := strings.Cut(pattern, " ")
	return strings.NewReplacer("{ctid}", "1", "{address}", "10.0.0.9", "{mac}", "10.0.0.9", "{", "", "}", "").Replace(path)
}

// describedAs reports what is wrong with a JSON text that should fit a schema.
func describedAs(t *testing.T, doc libopenapi.Document, schema string, text []byte) {
	t.Helper()
	model, err := doc.BuildV3Model()
	if err != nil {
		t.Fatal(err)
	}
	proxy, ok := model.Model.Components.Schemas.Get(schema)
	if !ok {
		t.Fatalf("schema %s: not in the document", schema)
	}
	if ok, errs := schema_validation.NewSchemaValidator().ValidateSchemaBytes(proxy.Schema(), text); !ok {
		t.Errorf("%s: %s: %.400s", schema, text, errs[0].Reason)
	}
}
