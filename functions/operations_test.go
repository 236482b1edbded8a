package functions_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/api"
)

// route is a method and a path of the API.
type route struct{ method, path string }

// byRoute returns the operations of the API by their routes. Some operations
// share one.
func byRoute() map[route][]api.Operation {
	routes := map[route][]api.Operation{}
	for o := range api.Operations().All() {
		at := route{strings.ToLower(o.Method), o.Path}
		routes[at] = append(routes[at], o)
	}
	return routes
}

// documented is an operation as the OpenAPI document has it.
type documented struct {
	OperationID string
	Parameters  []reference
	RequestBody *struct{ Content content }
	Responses   map[string]reference
}

type reference struct {
	Ref string `json:"$ref"`
}

// name returns the last part of the reference.
func (r reference) name() string { return r.Ref[strings.LastIndexByte(r.Ref, '/')+1:] }

type content map[string]struct{ Schema reference }

// template.yaml, and docs/reference/openapi.yaml which is generated from it,
// describe the operations of the table and no other.
func TestDocumentHasTheOperations(t *testing.T) {
	t.Parallel()
	d := readDocument(t)
	want := byRoute()
	for path, item := range d.Paths {
		for method, raw := range item {
			if method == "parameters" {
				continue
			}
			operations := want[route{method, path}]
			if operations == nil {
				t.Errorf("the document has %s %s, which api.Operations has not", method, path)
				continue
			}
			delete(want, route{method, path})
			t.Run(operations[0].Name, func(t *testing.T) {
				checkDocumented(t, d, read[documented](t, raw), operations)
			})
		}
	}
	for at := range want {
		t.Errorf("api.Operations has %s %s, which the document has not", at.method, at.path)
	}
}

// checkDocumented compares a documented operation with those of its route.
func checkDocumented(t *testing.T, d document, got documented, operations []api.Operation) {
	t.Helper()
	if got.OperationID != operations[0].Name {
		t.Errorf("operationId %q, want %q", got.OperationID, operations[0].Name)
	}
	var parameters []string
	if got.RequestBody != nil {
		schema := got.RequestBody.Content["application/json"].Schema.name()
		parameters = slices.Collect(maps.Keys(d.properties(schema)))
	}
	for _, p := range got.Parameters {
		parameters = append(parameters, d.Components.Parameters[p.name()].Name)
	}
	taken := map[string]bool{}
	for _, o := range operations {
		for _, name := range o.Parameters {
			taken[name] = true
		}
		if (got.RequestBody != nil) != o.HasBody() {
			t.Errorf("%s: it is documented with a body: %t, want %t", o.Name, got.RequestBody != nil, o.HasBody())
		}
		if reply := reflect.TypeOf(o.Reply).Name(); got.Responses["200"].name() != reply {
			t.Errorf("%s: it is answered with %q, want %q", o.Name, got.Responses["200"].name(), reply)
		}
	}
	slices.Sort(parameters)
	if want := slices.Sorted(maps.Keys(taken)); !slices.Equal(parameters, want) {
		t.Errorf("parameters %v, want %v", parameters, want)
	}
}
