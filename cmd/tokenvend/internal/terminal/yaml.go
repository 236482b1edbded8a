package terminal

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// YAML writes data for programs on the output, with the names and values of its
// JSON. Characters that are not printed are written as YAML's own escapes.
func (c Console) YAML(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	// JSON is YAML; a node keeps the order of fields.
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(escapeYAML(string(text))), &document); err != nil {
		return err
	}
	setStyle(&document)
	var b strings.Builder
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(&document); err != nil {
		return err
	}
	_, err = io.WriteString(c.out, escapeYAML(b.String()))
	return err
}

// setStyle gives a node the usual style of YAML instead of JSON's. A text with
// characters that are not printed keeps its quotes, inside which they can be
// escaped.
func setStyle(n *yaml.Node) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" || strings.IndexFunc(n.Value, isUnprinted) < 0 {
		n.Style = 0
	}
	for _, child := range n.Content {
		setStyle(child)
	}
}

func isUnprinted(r rune) bool { return !isPrinted(r) }

// escapeYAML escapes what is left in quoted texts.
func escapeYAML(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || isPrinted(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
