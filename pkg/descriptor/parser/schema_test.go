package parser

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

type object = map[string]any

func schema(t *testing.T) object {
	t.Helper()
	data, err := os.ReadFile("../descriptor.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var s object
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// internal/schema tries every word and every limit of the schema.
func TestSchemaAndStructHaveTheSameFields(t *testing.T) {
	s := schema(t)
	agree(t, "", s, s["$defs"].(object), reflect.TypeFor[descriptor.Descriptor]())
}

func agree(t *testing.T, path string, node, defs object, typ reflect.Type) {
	t.Helper()
	node = resolve(node, defs)
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct {
		return
	}
	var fields []string
	properties, _ := node["properties"].(object)
	for _, field := range reflect.VisibleFields(typ) {
		if field.Anonymous {
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		fields = append(fields, name)
		if inner, ok := properties[name].(object); ok {
			agree(t, path+"/"+name, inner, defs, field.Type)
		}
	}
	slices.Sort(fields)
	if names := slices.Sorted(maps.Keys(properties)); !slices.Equal(fields, names) {
		t.Errorf("%s: the struct has %v, the schema %v, want slices.Equal(fields, names)", path, fields, names)
	}
	if node["additionalProperties"] != false {
		t.Errorf(`%s: the schema lets unknown fields pass, want node["additionalProperties"] = false`, path)
	}
}

func resolve(node, defs object) object {
	if ref, ok := node["$ref"].(string); ok {
		return defs[strings.TrimPrefix(ref, "#/$defs/")].(object)
	}
	return node
}
