package reference

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

func TestOf(t *testing.T) {
	for field, want := range map[string]string{
		"":                            "descriptor-reference",
		"name":                        "descriptor-reference",
		"token.auth":                  "requests",
		"token.url":                   "urls",
		"token.urls":                  "requests",
		"tokens":                      "descriptor-reference",
		"steps[0].take.x":             "steps",
		"response.scope":              "response",
		"response.expiry.kind":        "expiry",
		"response.extra_match.a":      "extra-further-values-for-callers",
		"response.success.values":     "success-the-vendors-own-code",
		"authorize.params.resource":   "authorization-request",
		"authorize.extra.company":     "authorization-response",
		"variables.tenant.pattern":    "named-secrets-and-variables",
		"refresh.fields.client_id":    "other-requests",
		"assertion.claims.exp":        "assertion",
		"then.access_token":           "then",
		"permanent.status[0]":         "refusals",
		"(a name not shown).whatever": "descriptor-reference",
	} {
		if got := Of(field); got != page+"#"+want {
			t.Errorf("Of(%q) = %q, want the anchor %s", field, got, want)
		}
	}
}

// Each anchor is a heading of the page, and each section is of a field that
// descriptors have.
func TestSectionsExist(t *testing.T) {
	text, err := os.ReadFile("../../../" + page)
	if err != nil {
		t.Fatal(err)
	}
	anchors := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(string(text), -1) {
		anchors[anchorOf(heading[1])] = true
	}
	for _, s := range append([]section{{"", top}}, sections...) {
		if !anchors[s.anchor] {
			t.Errorf("%s has no heading %s, want one for %q", page, s.anchor, s.field)
		}
		if !isField(reflect.TypeFor[descriptor.Descriptor](), s.field) {
			t.Errorf("sections has %q, want a field of descriptors", s.field)
		}
	}
}

// Each field of a descriptor has a section, but those that are for readers.
func TestEachFieldHasASection(t *testing.T) {
	forReaders := []string{"$schema", "name", "title", "docs", "checked", "setup", "notes", "example"}
	for field := range reflect.TypeFor[descriptor.Descriptor]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		hasNone := Of(name) == page+"#"+top
		if want := slices.Contains(forReaders, name); hasNone != want {
			t.Errorf("Of(%q) = %q, want the top of the page: %t", name, Of(name), want)
		}
	}
}

// anchorOf returns the anchor that GitHub gives to a heading.
func anchorOf(heading string) string {
	kept := regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(heading), "")
	return strings.ReplaceAll(kept, " ", "-")
}

// isField reports whether a type has a field of that path.
func isField(typ reflect.Type, path string) bool {
	if path == "" {
		return true
	}
	first, rest, _ := strings.Cut(path, ".")
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	for _, field := range reflect.VisibleFields(typ) {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name == first && !field.Anonymous {
			return isField(field.Type, rest)
		}
	}
	return false
}
