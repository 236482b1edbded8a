package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
	"github.com/tokenvend/tokenvend/pkg/descriptor/parser"
)

const file = "../../" + schemaFile

// place is where a descriptor has a value of a schema.
type place struct {
	document *any
	path     string // as errors of the parser name it
	value    any
	set      func(any)
}

// places collects, by the path in the schema, the places in descriptors.
type places struct {
	root *Node
	at   map[string][]place
}

// enough is how many places of one path are tried.
const enough = 6

func (p *places) visit(n *Node, schemaPath string, at place) {
	n = n.Resolve(p.root)
	if len(p.at[schemaPath]) < enough {
		p.at[schemaPath] = append(p.at[schemaPath], at)
	}
	switch value := at.value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			member := value[name]
			inner, key := n.Properties.Get(name), name
			if inner == nil {
				inner, key = n.AdditionalProperties.Node, "*"
			}
			if inner != nil {
				p.visit(inner, join(schemaPath, key), place{at.document, join(at.path, name), member,
					func(v any) { value[name] = v }})
			}
		}
	case []any:
		for i, item := range value {
			if n.Items != nil {
				p.visit(n.Items, schemaPath+"[]", place{at.document, fmt.Sprintf("%s[%d]", at.path, i), item,
					func(v any) { value[i] = v }})
			}
		}
	}
}

func join(path, name string) string { return strings.TrimPrefix(path+"."+name, ".") }

// known is the schema, with the places of all descriptors.
var known = sync.OnceValue(func() places {
	all := places{must(Read(file)), map[string][]place{}}
	for _, text := range descriptors(all.root) {
		document := decoded(text)
		all.visit(all.root, "", place{&document, "", document, func(v any) { document = v }})
	}
	return all
})

// descriptors returns the examples of the schema and of the reference, the
// catalogue, and what internal/coverage has; the shortest first, because they
// are parsed often.
func descriptors(root *Node) [][]byte {
	var texts [][]byte
	for _, example := range root.Examples {
		texts = append(texts, example)
	}
	for _, name := range catalog.Names() {
		texts = append(texts, catalog.Source(name))
	}
	reference := must(os.ReadFile("../../" + referenceFile))
	for _, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllSubmatch(reference, -1) {
		texts = append(texts, block[1])
	}
	for _, name := range must(filepath.Glob("../coverage/credentials/*.json")) {
		var secret struct {
			Descriptor json.RawMessage `json:"descriptor"`
		}
		if err := json.Unmarshal(must(os.ReadFile(name)), &secret); err != nil {
			panic(err)
		}
		texts = append(texts, secret.Descriptor)
	}
	slices.SortFunc(texts, func(a, b []byte) int { return len(a) - len(b) })
	return slices.DeleteFunc(texts, func(text []byte) bool {
		_, err := parser.Parse(text)
		return err != nil // of the blocks of the reference, some are no descriptor
	})
}

// decoded returns a value of valid JSON.
func decoded(text []byte) any {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		panic(err)
	}
	return value
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// problems returns what the parser finds with another value at a place.
func (p place) problems(value any) []parser.Problem {
	p.set(value)
	defer p.set(p.value)
	var found *parser.Error
	_, err := parser.Parse(must(json.Marshal(*p.document)))
	errors.As(err, &found)
	if found == nil {
		return nil
	}
	return found.Problems
}

// isNamed reports whether a problem names the place, a part of it, or what it
// is a part of.
func (p place) isNamed(problem parser.Problem) bool {
	whole := p.path[:max(0, strings.LastIndexAny(p.path, ".["))]
	return strings.HasPrefix(problem.Field, p.path) || problem.Field == whole
}

// allows reports whether the parser finds no fault with a value itself. Of a
// list or an object, what is said of its members does not count.
func (p place) allows(value any) bool {
	_, isText := value.(string)
	_, isNumber := value.(int)
	return !slices.ContainsFunc(p.problems(value), func(problem parser.Problem) bool {
		return problem.Field == p.path || (isText || isNumber) && strings.HasPrefix(problem.Field, p.path)
	})
}

// each calls f for every field of the schema, with where descriptors have it.
func each(t *testing.T, f func(t *testing.T, n *Node, at []place)) {
	t.Helper()
	all := known()
	root := all.root
	var walk func(n *Node, path string)
	walk = func(n *Node, path string) {
		n = n.Resolve(root)
		t.Run(path, func(t *testing.T) {
			if len(all.at[path]) == 0 {
				t.Fatalf("no descriptor has %s: add one to the examples of the schema", path)
			}
			f(t, n, all.at[path])
		})
		for _, p := range n.Properties {
			walk(p.Node, join(path, p.Name))
		}
		if n.AdditionalProperties.Node != nil && n.AdditionalProperties.Node.Resolve(root).Type != "" {
			walk(n.AdditionalProperties.Node, join(path, "*"))
		}
		if n.Items != nil {
			walk(n.Items, path+"[]")
		}
	}
	walk(root, "")
}

// What the parser allows, the schema allows.
func TestSchemaAllowsWhatTheParserAllows(t *testing.T) {
	root := known().root
	for _, text := range descriptors(root) {
		if fault := root.Fault(root, "", decoded(text)); fault != "" {
			t.Errorf("Fault(%.300s) = %s, want none", text, fault)
		}
	}
}

// What the schema allows at its limits, the parser allows in one of the
// descriptors at least: where other fields do not forbid it.
func TestParserAllowsWhatTheSchemaAllows(t *testing.T) {
	root := known().root
	each(t, func(t *testing.T, n *Node, at []place) {
		for i := range len(n.Allowed(root, at[0].value)) {
			isAllowed := slices.ContainsFunc(at, func(p place) bool {
				values := n.Allowed(root, p.value)
				return i < len(values) && p.allows(values[i])
			})
			if value := n.Allowed(root, at[0].value)[i]; !isAllowed {
				t.Errorf("Parse(%s: %.80v) = %v, want no problem there", at[0].path, value, at[0].problems(value))
			}
		}
		for _, value := range n.Names(root, at[0].value) {
			if problems := at[0].problems(value); slices.ContainsFunc(problems, isOfName) {
				t.Errorf("Parse(%s: %.80v) = %v, want no problem of a name", at[0].path, value, problems)
			}
		}
	})
}

// isOfName reports whether a problem is the form of a name.
func isOfName(p parser.Problem) bool {
	return strings.HasPrefix(p.Text, "expected a name such as") || strings.HasPrefix(p.Text, "expected a name of")
}

// What the schema does not allow, the parser refuses.
func TestParserRefusesWhatTheSchemaRefuses(t *testing.T) {
	root := known().root
	each(t, func(t *testing.T, n *Node, at []place) {
		for _, value := range n.Refused(root, at[0].value) {
			if !slices.ContainsFunc(at[0].problems(value), at[0].isNamed) {
				t.Errorf("Parse(%s: %.80v) = %v, want a problem there", at[0].path, value, at[0].problems(value))
			}
		}
		if n.Enum != nil {
			checkWords(t, n.Enum, at[0])
		}
		for _, value := range n.Oversized(root, at[0].value) {
			isIt := func(problem parser.Problem) bool { return problem.Field == at[0].path }
			if problems := at[0].problems(value); !slices.ContainsFunc(problems, isIt) {
				t.Errorf("Parse(%s: %.80v) = %v, want a problem of the number", at[0].path, value, problems)
			}
		}
		for _, p := range n.Properties {
			needs := func(at place) bool { return at.needs(p.Name) }
			if got, want := !slices.ContainsFunc(at, not(needs)), slices.Contains(n.Required, p.Name); got != want {
				t.Errorf("Parse refuses %s without %s: %t, want %t", at[0].path, p.Name, got, want)
			}
		}
	})
}

// needs reports whether the parser refuses an object without a member.
func (p place) needs(name string) bool {
	members, _ := p.value.(map[string]any)
	without := maps.Clone(members)
	delete(without, name)
	return slices.ContainsFunc(p.problems(without), func(problem parser.Problem) bool {
		return problem.Field == join(p.path, name)
	})
}

func not(f func(place) bool) func(place) bool { return func(p place) bool { return !f(p) } }

// checkWords compares the words that the parser expects with those of the
// schema.
func checkWords(t *testing.T, words []string, at place) {
	t.Helper()
	want := "expected one of " + strings.Join(words, ", ")
	for _, problem := range at.problems("?") {
		if at.isNamed(problem) && problem.Text == want {
			return
		}
	}
	t.Errorf("Parse(%s: ?) = %v, want %s", at.path, at.problems("?"), want)
}
