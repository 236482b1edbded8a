package testbed

import "testing"

// Property returns a property of a resource of template.yaml, expanded and
// resolved with these parameters, and with the defaults of the others. nil:
// there is none.
func Property(t testing.TB, resource, property string, given map[string]any) any {
	t.Helper()
	g, err := readGolden()
	if err != nil {
		t.Fatal(err)
	}
	var properties map[string]any
	r := newResolver(g.Expansion, "123456789012", "arn:aws:kms:us-east-1:123456789012:key/1", given)
	if err := r.properties(resource, &properties); err != nil {
		t.Fatalf("%s: %v", resource, err)
	}
	return properties[property]
}

// HasResource reports whether a stack with these parameters has a resource of
// template.yaml.
func HasResource(t testing.TB, resource string, given map[string]any) bool {
	t.Helper()
	g, err := readGolden()
	if err != nil {
		t.Fatal(err)
	}
	condition := g.Expansion.Resources[resource].Condition
	return condition == "" || newResolver(g.Expansion, "123456789012", "", given).condition(condition)
}
