package parser

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/template"
)

// Every example of a descriptor in the reference is one.
func TestReferenceExamplesParse(t *testing.T) {
	text, err := os.ReadFile("../../../docs/reference/descriptor.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		if !strings.Contains(block[1], `"token":`) && !strings.Contains(block[1], `"grants":`) {
			continue
		}
		found++
		if _, err := Parse([]byte(block[1])); err != nil {
			t.Errorf("Parse(%s) = %v, want a descriptor", block[1], err)
		}
	}
	if found == 0 {
		t.Error("the reference has no example, want some")
	}
	for _, row := range regexp.MustCompile("`({[^`]*})` \\| `").FindAllStringSubmatch(string(text), -1) {
		if _, err := Parse([]byte(`{"use":` + row[1] + `}`)); err != nil {
			t.Errorf("Parse(use: %s) = %v, want a descriptor", row[1], err)
		}
	}
}

// The reference names every field and every function.
func TestReferenceNamesEveryField(t *testing.T) {
	text, err := os.ReadFile("../../../docs/reference/descriptor.md")
	if err != nil {
		t.Fatal(err)
	}
	names := template.Functions()
	collectFields(reflect.TypeFor[descriptor.Descriptor](), map[reflect.Type]bool{}, &names)
	for _, grant := range descriptor.GrantTypes() {
		names = append(names, string(grant))
	}
	for _, field := range descriptor.StandardFields() {
		names = append(names, string(field))
	}
	for _, name := range names {
		stands := regexp.MustCompile("[`{\"]" + regexp.QuoteMeta(name) + "[`(\"]").Match(text)
		if name != "$schema" && !stands {
			t.Errorf("the reference does not name %s", name)
		}
	}
}

// collectFields adds the JSON names of all fields of a type.
func collectFields(typ reflect.Type, seen map[reflect.Type]bool, names *[]string) {
	switch typ.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		collectFields(typ.Elem(), seen, names)
	case reflect.Struct:
		if seen[typ] {
			return
		}
		seen[typ] = true
		for field := range typ.Fields() {
			if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" {
				*names = append(*names, name)
			}
			collectFields(field.Type, seen, names)
		}
	}
}
