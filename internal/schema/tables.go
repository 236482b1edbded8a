package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// marked is a table of a page. The comment before it has the path of an object,
// such as "steps[]" or "response.success", and may have names of fields: those
// of the table.
var marked = regexp.MustCompile(`(?s)(<!-- fields of ([^ ]+)((?: [a-z_]+)*) -->\n).*?(<!-- end -->)`)

// withTables returns a page with the tables of its marks.
func withTables(root *Node, page string) (string, error) {
	var err error
	text := marked.ReplaceAllStringFunc(page, func(old string) string {
		mark := marked.FindStringSubmatch(old)
		object := root.at(root, mark[2])
		if object == nil {
			err = fmt.Errorf("%s: the schema has no such object", mark[2])
			return old
		}
		return mark[1] + "\n" + table(root, object, strings.Fields(mark[3])) + "\n" + mark[4]
	})
	return text, err
}

// at returns the schema of the object at a path.
func (n *Node) at(root *Node, path string) *Node {
	for part := range strings.SplitSeq(path, ".") {
		name, isList := strings.CutSuffix(part, "[]")
		inner := n.Properties.Get(name)
		if name == "*" {
			inner = n.AdditionalProperties.Node
		}
		if inner == nil {
			return nil
		}
		n = inner.Resolve(root)
		if isList {
			n = n.Items.Resolve(root)
		}
	}
	return n
}

// table returns the table of an object's fields: of those that are named, or of
// all.
func table(root, object *Node, names []string) string {
	var b strings.Builder
	b.WriteString("| field | value | default | what it is |\n|---|---|---|---|\n")
	for _, p := range object.Properties {
		if len(names) > 0 && !slices.Contains(names, p.Name) {
			continue
		}
		n := p.Node.Resolve(root)
		standard := standard(n)
		if slices.Contains(object.Required, p.Name) {
			standard = "required"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", p.Name, value(root, n), standard, n.Description)
	}
	return b.String()
}

// standard returns the default of a field.
func standard(n *Node) string {
	switch n.Default {
	case nil:
		return ""
	case " ":
		return "a space"
	}
	return fmt.Sprintf("`%v`", n.Default)
}

// value returns what values a field may have.
func value(root, n *Node) string {
	switch {
	case n.Title != "":
		return n.Title
	case n.Enum != nil:
		return "`" + strings.Join(n.Enum, "`, `") + "`"
	case n.Type == "array":
		return "list of " + bounds(n.MinItems, n.MaxItems) + plural(value(root, n.Items.Resolve(root)))
	case n.Type == "object" && n.AdditionalProperties.Node != nil:
		return "object of " + bounds(n.MinProperties, n.MaxProperties) +
			plural(value(root, n.AdditionalProperties.Node.Resolve(root))) + " by name"
	case n.Type == "integer":
		return fmt.Sprintf("number from %d to %d", *n.Minimum, *n.Maximum)
	case n.Type == "boolean":
		return "`true`, `false`"
	case n.Type == "string" && n.MaxLength != nil:
		return fmt.Sprintf("text of up to %d characters", *n.MaxLength)
	case n.Type == "string" && n.Pattern != "":
		return "text like `" + strings.ReplaceAll(n.Pattern, "|", `\|`) + "`"
	case n.Type == "string":
		return "text"
	}
	return n.Type
}

func bounds(least, most *int) string {
	switch {
	case least != nil && most != nil:
		return fmt.Sprintf("%d to %d ", *least, *most)
	case most != nil:
		return fmt.Sprintf("up to %d ", *most)
	}
	return ""
}

// plural returns the name of a type for several values.
func plural(name string) string {
	word, rest, _ := strings.Cut(name, " ")
	switch {
	case strings.HasPrefix(word, "`"):
		return name
	case strings.HasSuffix(word, "s"):
		word += "e"
	}
	return strings.TrimSpace(word + "s " + rest)
}
