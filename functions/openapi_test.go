package functions_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/vend"
)

// document is the part of the OpenAPI document that is compared with the code.
type document struct {
	Paths      map[string]map[string]json.RawMessage
	Components struct {
		Parameters map[string]struct{ Name, In string }
		Schemas    map[string]schema
	}
}

type operation struct {
	Parameters []struct {
		Ref string `json:"$ref"`
	}
}

type schema struct {
	Properties map[string]schema
	Required   []string
	Enum       []any
	Items      *schema
	OneOf      []schema
	Ref        string `json:"$ref"`
}

// values returns those of an enumeration.
func (s schema) values() []string {
	var all []string
	for _, value := range s.Enum {
		all = append(all, fmt.Sprint(value))
	}
	slices.Sort(all)
	return all
}

// properties returns those of a schema, or of the schemas that it is one of.
func (d document) properties(name string) map[string]schema {
	all := maps.Clone(d.Components.Schemas[name].Properties)
	for _, one := range d.Components.Schemas[name].OneOf {
		if all == nil {
			all = map[string]schema{}
		}
		maps.Copy(all, d.Components.Schemas[reference{one.Ref}.name()].Properties)
	}
	return all
}

func readDocument(t *testing.T) document {
	t.Helper()
	return read[document](t, testbed.Template(t).API)
}

var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// routed returns vend's reply to a caller without any right. 403 means that the
// request was understood.
func routed(method, path, query, body string) vend.HTTPReply {
	return (&vend.Service{}).HTTP(context.Background(),
		vend.HTTPRequest{Method: method, Path: path, Query: query, Body: []byte(body), Caller: access.Caller{}})
}

func TestDocumentAndRouterKnowTheSamePaths(t *testing.T) {
	t.Parallel()
	d := readDocument(t)
	for path, item := range d.Paths {
		real := strings.ReplaceAll(path, "{credential}", "minut")
		var documented []string
		for _, method := range methods {
			if _, has := item[strings.ToLower(method)]; has {
				documented = append(documented, method)
			}
		}
		for _, method := range methods {
			r := routed(method, real, "", "")
			switch has := slices.Contains(documented, method); {
			case has && r.Status != http.StatusForbidden:
				t.Errorf("%s %s = %d, want 403: it is documented", method, path, r.Status)
			case !has && (r.Status != http.StatusMethodNotAllowed ||
				r.Header["Allow"] != strings.Join(documented, ", ")):
				t.Errorf("%s %s = %d, Allow %q, want 405 and Allow %v as documented", method, path, r.Status,
					r.Header["Allow"], documented)
			}
		}
	}
	for _, path := range []string{"/", "/tokens/", "/tokens/minut/other", "/tokens/minut/status/x", "/status",
		"/token/minut"} {
		if r := routed("GET", path, "", ""); r.Status != http.StatusNotFound {
			t.Errorf("GET %s = %d, want 404: it is not documented", path, r.Status)
		}
	}
}

func TestDocumentAndRouterKnowTheSameParameters(t *testing.T) {
	t.Parallel()
	d := readDocument(t)
	for path, item := range d.Paths {
		for method, raw := range item {
			if method == "parameters" || method == "post" || method == "put" {
				continue
			}
			var documented []string
			for _, p := range read[operation](t, raw).Parameters {
				documented = append(documented,
					d.Components.Parameters[p.Ref[strings.LastIndexByte(p.Ref, '/')+1:]].Name)
			}
			for _, p := range d.Components.Parameters {
				if p.In != "query" {
					continue
				}
				value := "7"
				if p.Name == "verify" {
					value = "true"
				}
				r := routed(strings.ToUpper(method), strings.ReplaceAll(path, "{credential}", "minut"),
					p.Name+"="+value, "")
				if understood := r.Status == http.StatusForbidden; understood != slices.Contains(documented, p.Name) {
					t.Errorf("%s %s?%s = %d, want what the document has: %v", method, path, p.Name, r.Status,
						documented)
				}
			}
		}
	}
}

func TestDocumentAndRouterKnowTheSameBody(t *testing.T) {
	t.Parallel()
	for method, schema := range map[string]string{"POST": "Request", "PUT": "Grant"} {
		sameBody(t, method, readDocument(t).properties(schema))
	}
}

func sameBody(t *testing.T, method string, documented map[string]schema) {
	t.Helper()
	samples := map[string]string{"min_ttl": "7", "limit": "7", "verify": "true", "renew": "true"}
	for name := range fieldsOf(reflect.TypeFor[api.Request]()) {
		value := samples[name]
		if value == "" {
			value = `"9f86d081884c7d65"`
		}
		r := routed(method, "/tokens/minut", "", `{"`+name+`":`+value+`}`)
		if _, has := documented[name]; has != (r.Status == http.StatusForbidden) {
			t.Errorf("%s with the field %s = %d, want it understood: %t", method, name, r.Status, has)
		}
		delete(documented, name)
	}
	if len(documented) > 0 {
		t.Errorf("the document of %s has %v, want fields of api.Request only", method,
			slices.Collect(maps.Keys(documented)))
	}
}

func TestDocumentHasTheFieldsThatAreSent(t *testing.T) {
	t.Parallel()
	schemas := readDocument(t).Components.Schemas
	for name, sent := range map[string]map[string]bool{
		"Token": fieldsOf(reflect.TypeFor[api.Token]()), "StatusReport": fieldsOf(reflect.TypeFor[api.StatusReport]()),
		"Page": fieldsOf(reflect.TypeFor[api.Page]()), "Forgotten": fieldsOf(reflect.TypeFor[api.Forgotten]()),
		"Authorization": fieldsOf(reflect.TypeFor[api.Authorization]()), "Problem": problemFields(t),
	} {
		schemas[name].checkFields(t, name, sent)
	}
	schemas["StatusReport"].Properties["failure"].checkFields(t, "StatusReport.failure",
		fieldsOf(reflect.TypeFor[api.Failure]()))
	schemas["StatusReport"].Properties["verified"].checkFields(t, "StatusReport.verified",
		fieldsOf(reflect.TypeFor[api.Verified]()))
	schemas["Page"].Properties["credentials"].Items.checkFields(t, "Page.credentials",
		fieldsOf(reflect.TypeFor[api.Listed]()))
}

// checkFields compares a schema with the fields that are sent. The value of a
// field reports whether it is always sent.
func (s schema) checkFields(t *testing.T, name string, sent map[string]bool) {
	t.Helper()
	if got, want := slices.Sorted(maps.Keys(s.Properties)), slices.Sorted(maps.Keys(sent)); !slices.Equal(got, want) {
		t.Errorf("the documented fields of %s = %v, want %v as sent", name, got, want)
	}
	maps.DeleteFunc(sent, func(_ string, always bool) bool { return !always })
	if got, want := slices.Sorted(slices.Values(s.Required)), slices.Sorted(maps.Keys(sent)); !slices.Equal(got, want) {
		t.Errorf("the required fields of %s = %v, want %v as always sent", name, got, want)
	}
}

// fieldsOf returns the names of a struct's fields in JSON. The value of a field
// reports whether it is always there.
func fieldsOf(of reflect.Type) map[string]bool {
	fields := map[string]bool{}
	for f := range of.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields[name] = options == ""
	}
	return fields
}

// problemFields returns the fields of a problem document. The value of a field
// reports whether the zero error has it too.
func problemFields(t *testing.T) map[string]bool {
	t.Helper()
	marshal := func(e api.Error) map[string]any {
		data, err := json.Marshal(&e)
		if err != nil {
			t.Fatal(err)
		}
		return read[map[string]any](t, data)
	}
	fields := map[string]bool{}
	least := marshal(api.Error{})
	for name := range marshal(api.Error{Code: api.Internal, Detail: "x", Credential: "x", RequestID: "x",
		RetryAfter: time.Second, Allow: "x"}) {
		_, fields[name] = least[name]
	}
	return fields
}

func TestDocumentHasTheCodesAndStates(t *testing.T) {
	t.Parallel()
	schemas := readDocument(t).Components.Schemas
	codes := constants(t, "../pkg/api/error.go", func(_, of string) bool { return of == "Code" })
	if got := schemas["Code"].values(); !slices.Equal(got, codes) {
		t.Errorf("the documented codes = %v, want %v", got, codes)
	}
	for _, code := range codes {
		if api.Code(code).Title() == "" {
			t.Errorf("Title(%s) is empty, want a title", code)
		}
	}
	states := constants(t, "../pkg/api/api.go", func(_, of string) bool { return of == "State" })
	if got := schemas["StatusReport"].Properties["state"].values(); !slices.Equal(got,
		states) {
		t.Errorf("the documented states = %v, want %v", got, states)
	}
	sources := constants(t, "../pkg/schedule/rules.go", func(name, _ string) bool {
		return strings.HasPrefix(name, "from")
	})
	if got := schemas["StatusReport"].Properties["lifetime_from"].values(); !slices.Equal(got, sources) {
		t.Errorf("the documented sources of a lifetime = %v, want %v", got, sources)
	}
}

func TestEveryOperationIsIntegratedAlike(t *testing.T) {
	t.Parallel()
	s := testbed.Template(t)
	if want := len(byRoute()); len(s.Integrations) != want {
		t.Errorf("template.yaml has %d integrations, want %d", len(s.Integrations), want)
	}
	for _, one := range s.Integrations {
		if !strings.Contains(string(one), `functions/${ApiAlias}/invocations`) ||
			!strings.Contains(string(one), `"payloadFormatVersion": "2.0"`) {
			t.Errorf("an integration = %s, want the alias api and payload 2.0", one)
		}
	}
}

const documentFile = "../docs/reference/openapi.yaml"

const documentHead = "# Generated from template.yaml: go test -tags testall ./functions -run TestDocumentIsWrittenOut -update\n"

func TestDocumentIsWrittenOut(t *testing.T) {
	t.Parallel()
	s := testbed.Template(t)
	if *update {
		if s.APIText == "" {
			t.Fatal("-update needs -tags testall: only then is there a translator of template.yaml")
		}
		if err := os.WriteFile(documentFile, []byte(documentHead+s.APIText), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(documentFile)
	text, generated := strings.CutPrefix(string(got), documentHead)
	if sum := sha256.Sum256([]byte(text)); err != nil || !generated || hex.EncodeToString(sum[:]) != s.APISum {
		t.Errorf("%s differs from template.yaml (%v), want the same: run this test with -tags testall and -update",
			documentFile, err)
	}
}
