package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// Node is the schema of a value. Its fields are the keywords of JSON Schema
// that the schema of descriptors may have.
type Node struct {
	Schema               string            `json:"$schema"`
	ID                   string            `json:"$id"`
	Ref                  string            `json:"$ref"`
	Defs                 map[string]*Node  `json:"$defs"`
	Title                string            `json:"title"` // in $defs: what a table calls the type
	Description          string            `json:"description"`
	Examples             []json.RawMessage `json:"examples"`
	Default              any               `json:"default"`
	Type                 string            `json:"type"`
	Format               string            `json:"format"`
	Enum                 []string          `json:"enum"`
	Const                any               `json:"const"`
	AnyOf                []*Node           `json:"anyOf"`
	Not                  *Node             `json:"not"`
	Pattern              string            `json:"pattern"`
	MaxLength            *int              `json:"maxLength"`
	MinLength            *int              `json:"minLength"`
	Minimum              *int              `json:"minimum"`
	Maximum              *int              `json:"maximum"`
	Items                *Node             `json:"items"`
	MinItems             *int              `json:"minItems"`
	MaxItems             *int              `json:"maxItems"`
	UniqueItems          bool              `json:"uniqueItems"`
	Properties           Properties        `json:"properties"`
	Required             []string          `json:"required"`
	PropertyNames        *Node             `json:"propertyNames"`
	AdditionalProperties Additional        `json:"additionalProperties"`
	MinProperties        *int              `json:"minProperties"`
	MaxProperties        *int              `json:"maxProperties"`
}

// Additional is the schema of members that properties does not list.
type Additional struct {
	Refused bool
	Node    *Node // nil: any value
}

// UnmarshalJSON reads false or a schema.
func (a *Additional) UnmarshalJSON(data []byte) error {
	if string(data) == "false" {
		a.Refused = true
		return nil
	}
	a.Node = new(Node)
	return strict(data, a.Node)
}

// Property is a member of an object.
type Property struct {
	Name string
	Node *Node
}

// Properties are members in the order in which the schema lists them.
type Properties []Property

// UnmarshalJSON reads an object of schemas.
func (p *Properties) UnmarshalJSON(data []byte) error {
	var nodes map[string]json.RawMessage
	if err := json.Unmarshal(data, &nodes); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	_, _ = dec.Token() // the brace: it is an object
	for dec.More() {
		token, _ := dec.Token()
		property := Property{Name: fmt.Sprint(token), Node: new(Node)}
		if err := strict(nodes[property.Name], property.Node); err != nil {
			return fmt.Errorf("%s: %w", property.Name, err)
		}
		*p = append(*p, property)
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return err
		}
	}
	return nil
}

// Get returns the schema of a member, or nil.
func (p Properties) Get(name string) *Node {
	for _, property := range p {
		if property.Name == name {
			return property.Node
		}
	}
	return nil
}

// Read reads a schema from a file. A keyword that [Node] has not is an error:
// nothing would hold the parser to it.
func Read(file string) (*Node, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	root := new(Node)
	if err := strict(data, root); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return root, nil
}

func strict(data []byte, n *Node) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	return dec.Decode(n)
}

// Resolve returns what a node refers to. The description and the default of the
// node itself win.
func (n *Node) Resolve(root *Node) *Node {
	if n.Ref == "" {
		return n
	}
	at := *root.Defs[strings.TrimPrefix(n.Ref, "#/$defs/")]
	if n.Description != "" {
		at.Description = n.Description
	}
	if n.Default != nil {
		at.Default = n.Default
	}
	return &at
}
