package main

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// Fault returns where a value of JSON differs from a schema, or "".
func (n *Node) Fault(root *Node, path string, value any) string {
	n = n.Resolve(root)
	if n.AnyOf != nil {
		fits := func(branch *Node) bool { return branch.Fault(root, path, value) == "" }
		if !slices.ContainsFunc(n.AnyOf, fits) {
			return path + ": none of anyOf"
		}
		return ""
	}
	switch value := value.(type) {
	case string:
		return n.faultOfText(path, value)
	case float64:
		if n.Type == "integer" && (int(value) < *n.Minimum || int(value) > *n.Maximum ||
			n.Not != nil && n.Not.Const == value) {
			return path + ": out of bounds"
		}
		return n.faultOfKind(path, "integer")
	case bool:
		return n.faultOfKind(path, "boolean")
	case []any:
		if outside(len(value), n.MinItems, n.MaxItems) {
			return path + ": number of items"
		}
		for i, item := range value {
			if n.Items == nil {
				break
			}
			if fault := n.Items.Fault(root, fmt.Sprintf("%s[%d]", path, i), item); fault != "" {
				return fault
			}
		}
		return n.faultOfKind(path, "array")
	case map[string]any:
		if fault := n.faultOfMembers(root, path, value); fault != "" {
			return fault
		}
		return n.faultOfKind(path, "object")
	}
	return ""
}

// faultOfKind compares the type of a value. A schema without a type allows any.
func (n *Node) faultOfKind(path, kind string) string {
	if n.kind() != "" && n.kind() != kind {
		return path + ": not of the type " + n.kind()
	}
	return ""
}

func (n *Node) faultOfText(path, text string) string {
	_, notDate := time.Parse(time.DateOnly, text)
	switch {
	case n.Enum != nil && !slices.Contains(n.Enum, text), n.Const != nil && n.Const != text:
		return path + ": not one of the words"
	case n.Pattern != "" && !regexp.MustCompile(n.Pattern).MatchString(text), n.Format == "date" && notDate != nil:
		return path + ": another pattern"
	case outside(len(text), n.MinLength, n.MaxLength):
		return path + ": length"
	}
	return n.faultOfKind(path, "string")
}

func (n *Node) faultOfMembers(root *Node, path string, members map[string]any) string {
	if outside(len(members), n.MinProperties, n.MaxProperties) {
		return path + ": number of members"
	}
	for _, name := range n.Required {
		if _, given := members[name]; !given {
			return path + ": without " + name
		}
	}
	for name, member := range members {
		at, inner := path+"."+name, n.Properties.Get(name)
		if inner == nil {
			if n.AdditionalProperties.Refused {
				return at + ": unknown"
			}
			inner = n.AdditionalProperties.Node
		}
		if n.PropertyNames != nil {
			if fault := n.PropertyNames.Resolve(root).faultOfText(at, name); fault != "" {
				return fault
			}
		}
		if inner != nil {
			if fault := inner.Fault(root, at, member); fault != "" {
				return fault
			}
		}
	}
	return ""
}

func outside(size int, least, most *int) bool {
	return least != nil && size < *least || most != nil && size > *most
}
