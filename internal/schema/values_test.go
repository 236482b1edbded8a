package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// many is more than any limit of a list, an object or a text that the schema
// does not have.
const many = 60

// Allowed returns values at the limits of a schema. like is a value that is
// valid.
func (n *Node) Allowed(root *Node, like any) []any {
	var all []any
	for _, branch := range n.AnyOf {
		all = append(all, branch.Resolve(root).Allowed(root, like)...)
	}
	if n.Const != nil {
		all = append(all, n.Const)
	}
	switch n.Type {
	case "integer":
		all = append(all, n.numbers()...)
	case "array":
		if !n.UniqueItems {
			all = append(all, lists(n.MinItems, n.MaxItems, 0, like)...)
		}
	case "object":
		if n.AdditionalProperties.Node != nil {
			all = append(all, n.objects(root, 0, like)...)
		}
	}
	return append(all, toAny(n.words())...)
}

// Refused returns values beyond the limits of a schema.
func (n *Node) Refused(root *Node, like any) []any {
	var all []any
	for _, branch := range n.AnyOf {
		branch = branch.Resolve(root)
		for _, value := range branch.Refused(root, like) {
			if typeOf(value) == branch.kind() {
				all = append(all, value)
			}
		}
	}
	switch n.Type {
	case "integer":
		all = append(all, *n.Minimum-1, *n.Maximum+1)
		if n.Not != nil {
			all = append(all, n.Not.Const)
		}
	case "array":
		if items, _ := like.([]any); n.UniqueItems && len(items) > 0 {
			all = append(all, []any{items[0], items[0]})
		}
	case "object":
		all = append(all, n.withUnknownName(root, like)...)
	}
	if n.AnyOf == nil && n.kind() != "" {
		ofOtherType := map[string]any{"string": 7, "boolean": "x", "integer": "x", "array": 7, "object": 7}
		all = append(all, ofOtherType[n.kind()])
	}
	return append(all, toAny(n.otherWords())...)
}

// numbers returns the numbers that a schema allows, or of more than a hundred
// the first and the last.
func (n *Node) numbers() []any {
	if *n.Maximum-*n.Minimum > 100 {
		return []any{*n.Minimum, *n.Maximum}
	}
	var all []any
	for number := *n.Minimum; number <= *n.Maximum; number++ {
		if n.Not == nil || n.Not.Const != float64(number) {
			all = append(all, number)
		}
	}
	return all
}

// Oversized returns lists and objects with one member more or fewer than a
// schema allows.
func (n *Node) Oversized(root *Node, like any) []any {
	if n.AdditionalProperties.Node != nil {
		return n.objects(root, 1, like)
	}
	return lists(n.MinItems, n.MaxItems, 1, like)
}

// kind returns the type of a schema's values.
func (n *Node) kind() string {
	if n.Enum != nil || n.Const != nil {
		return "string"
	}
	return n.Type
}

func typeOf(value any) string {
	switch value.(type) {
	case string:
		return "string"
	case []any:
		return "array"
	}
	return "other"
}

// words returns texts that a schema allows.
func (n *Node) words() []string {
	switch {
	case n.Enum != nil:
		return n.Enum
	case n.Type != "string":
		return nil
	case n.Format == "date":
		return []string{"2026-11-27"}
	case n.Format == "regex":
		return []string{strings.Repeat("a", *n.MaxLength-len("(a)")) + "(a)"}
	case n.Pattern != "":
		return texts(n.Pattern)
	case n.MaxLength != nil:
		return []string{strings.Repeat("a", *n.MaxLength)}
	}
	return []string{strings.Repeat("a", many*many)}
}

// otherWords returns texts that a schema does not allow. An empty text is as if
// the field was left out.
func (n *Node) otherWords() []string {
	switch {
	case n.Enum != nil:
		return []string{"?", strings.ToUpper(n.Enum[0]) + "_"}
	case n.Type != "string":
		return nil
	case n.Format == "date":
		return []string{"2026-13-01"}
	case n.Format == "regex":
		return []string{"(", strings.Repeat("a", *n.MaxLength-len("(a)")+1) + "(a)"}
	case n.Pattern != "":
		return others(n.Pattern)
	case n.MaxLength != nil:
		return []string{strings.Repeat("a", *n.MaxLength+1)}
	}
	return nil
}

// lists returns lists with as many items as the limits allow, or with so many
// beyond them. Without a limit there are many items, or no list beyond.
func lists(least, most *int, beyond int, like any) []any {
	items, _ := like.([]any)
	if len(items) == 0 {
		return nil
	}
	var all []any
	for _, size := range sizes(least, most, beyond) {
		list := make([]any, size)
		for i := range list {
			list[i] = items[0]
		}
		all = append(all, list)
	}
	return all
}

func sizes(least, most *int, beyond int) []int {
	var all []int
	switch {
	case least != nil:
		all = append(all, *least-beyond)
	case beyond == 0:
		all = append(all, 0)
	}
	switch {
	case most != nil:
		all = append(all, *most+beyond)
	case beyond == 0:
		all = append(all, many)
	}
	return all
}

// objects returns objects with as many members as the limits allow, or with so
// many beyond them.
func (n *Node) objects(root *Node, beyond int, like any) []any {
	members, _ := like.(map[string]any)
	names := slices.Sorted(maps.Keys(members))
	if len(names) == 0 || n.PropertyNames != nil && n.PropertyNames.Resolve(root).Enum != nil {
		return nil
	}
	var all []any
	for _, size := range sizes(n.MinProperties, n.MaxProperties, beyond) {
		object := map[string]any{}
		for i := range size {
			object[fmt.Sprintf("a%d", i)] = members[names[0]]
		}
		all = append(all, object)
	}
	return all
}

// withUnknownName returns objects with a member whose name the schema does not
// allow.
func (n *Node) withUnknownName(root *Node, like any) []any {
	members, _ := like.(map[string]any)
	var names []string
	if n.AdditionalProperties.Refused {
		names = append(names, "no_such_field")
	}
	if n.PropertyNames != nil {
		names = append(names, n.PropertyNames.named(root).otherWords()...)
	}
	var all []any
	for _, name := range names {
		object := maps.Clone(members)
		for _, value := range members {
			object[name] = value
		}
		if _, set := object[name]; !set {
			object[name] = ""
		}
		all = append(all, object)
	}
	return all
}

// Names returns objects whose members have names at the limits of the schema.
func (n *Node) Names(root *Node, like any) []any {
	members, _ := like.(map[string]any)
	if n.PropertyNames == nil || len(members) == 0 {
		return nil
	}
	var all []any
	for _, name := range n.PropertyNames.named(root).words() {
		object := map[string]any{}
		for _, value := range members {
			object[name] = value
		}
		all = append(all, object)
	}
	return all
}

// named returns the schema of a name, which is a text.
func (n *Node) named(root *Node) *Node {
	name := *n.Resolve(root)
	name.Type = "string"
	return &name
}

func toAny(words []string) []any {
	all := make([]any, len(words))
	for i, word := range words {
		all[i] = word
	}
	return all
}
