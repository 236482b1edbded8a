package placeholder_test

import (
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/descriptor/parser"
	"github.com/tokenvend/tokenvend/pkg/descriptor/placeholder"
)

func TestExpandURL(t *testing.T) {
	d, err := parser.Parse([]byte(`{"token":{"url":"https://{variables.a}.b.test/{variables.c}?d={variables.d}"},
		"verify":{"url":"https://{variables.e}/"},
		"variables":{"a":{},"c":{},"d":{},"e":{"values":["x.test","y.test"]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ raw, value, want string }{
		{"https://{variables.a}.b.test/x", "t-1", "https://t-1.b.test/x"},
		{"https://b.test/{variables.c}", "A.b_~-", "https://b.test/A.b_~-"},
		{"https://b.test/?d={variables.d}&e", "a&b=c d#/é", "https://b.test/?d=a%26b%3Dc%20d%23%2F%C3%A9&e"},
		{"https://{variables.e}/x", "y.test", "https://y.test/x"},
		{"https://b.test/{client_id}", "id", "https://b.test/id"},
		{"https://b.test/x", "", "https://b.test/x"},
		// refused
		{"https://{variables.a}.b.test/", "a.b", ""},
		{"https://{variables.a}.b.test/", "evil.test/", ""},
		{"https://{variables.a}.b.test/", "evil.test#", ""},
		{"https://{variables.a}.b.test/", "evil.test?", ""},
		{"https://{variables.a}.b.test/", "user@evil", ""},
		{"https://{variables.a}.b.test/", "A", ""},
		{"https://{variables.a}.b.test/", "", ""},
		{"https://{variables.a}.b.test/", "{variables.c}", ""},
		{"https://{variables.a}.b.test/", strings.Repeat("a", 64), ""},
		{"https://{variables.e}/x", "z.test", ""},
		{"https://b.test/{variables.c}", ".", ""},
		{"https://b.test/{variables.c}", "..", ""},
		{"https://b.test/{variables.c}", "a/b", ""},
		{"https://b.test/{variables.c}", "%2e%2e", ""},
		{"https://b.test/{variables.c}", "a?b", ""},
		{"https://b.test/{variables.c}", strings.Repeat("a", 129), ""},
		{"https://b.test/?d={variables.d}", "a\r\nHost: evil", ""},
		{"/{variables.c}", "..", ""},
	} {
		got, err := placeholder.ExpandURL(d, c.raw, func(string) (string, error) { return c.value, nil })
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("ExpandURL(%s) with %q = %q, %v, want %q", c.raw, c.value, got, err, c.want)
		}
	}
}
