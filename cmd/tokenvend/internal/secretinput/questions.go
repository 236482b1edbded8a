package secretinput

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/credential/secret"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/grant"
	"github.com/tokenvend/tokenvend/pkg/proof"
)

// Question is a field of a secret that a provider asks for.
type Question struct {
	Field    string   `json:"field"` // as in the secret: "variables.tenant"
	Help     string   `json:"help"`
	Secret   bool     `json:"secret,omitempty"`   // the answer is not shown
	File     bool     `json:"file,omitempty"`     // the answer is the path of a PEM file
	Optional bool     `json:"optional,omitempty"` // it may be left out
	Values   []string `json:"values,omitempty"`   // all values that are allowed
	Pattern  string   `json:"pattern,omitempty"`  // which the whole value matches
	Default  string   `json:"default,omitempty"`  // counts where it is left out
}

// Questions returns what a provider asks for where a credential has this grant
// type and this kind of proof; "" is [UsualGrant], and [UsualProof]. The client
// ID is first, then come variables in the order of the descriptor, then files,
// then secrets. source is the descriptor's JSON.
func Questions(d *descriptor.Descriptor, source []byte, g descriptor.Grant, kind proof.Kind) []Question {
	g = cmp.Or(g, UsualGrant(d))
	n := secret.NeededBeside(d, g, cmp.Or(kind, UsualProof(d)))
	var all []Question
	add := func(needed bool, q Question) {
		if needed {
			all = append(all, q)
		}
	}
	add(n.ClientID, Question{Field: "client_id", Help: "client id"})
	add(d.NeedsTokenURL(), Question{Field: "token_url", Help: "token URL"})
	for _, name := range memberNames(source, "variables") {
		all = append(all, variableQuestion(name, d.Variables[name]))
	}
	for _, field := range [...]string{"key_id", "scope", "audience"} {
		add(d.Example[field] != nil, Question{Field: field, Help: exampleHelp(d, field), Optional: true})
	}
	add(n.Certificate, Question{Field: "certificate", Help: "client certificate", File: true})
	add(n.PrivateKey, Question{Field: "private_key", Help: "private key", File: true})
	for _, name := range secretNames(source, n) {
		s := d.Secrets[name]
		all = append(all, Question{
			Field: "secrets." + name, Help: cmp.Or(s.Help, name), Secret: true, Optional: s.Optional,
		})
	}
	add(g == descriptor.RefreshToken, Question{Field: "refresh_token", Help: "refresh token", Secret: true})
	add(n.ClientSecret, Question{Field: "client_secret", Help: "client secret", Secret: true})
	return all
}

// UsualGrant returns the grant type of the descriptor's example, or else the
// first that the provider has.
func UsualGrant(d *descriptor.Descriptor) descriptor.Grant {
	text, _ := d.Example["grant"].(string)
	if slices.Contains(grant.Names(), text) {
		return descriptor.Grant(text)
	}
	return d.DirectGrant()
}

// UsualProof returns the kind of proof of the descriptor's example; "" where it
// has none.
func UsualProof(d *descriptor.Descriptor) proof.Kind {
	text, _ := d.Example["proof"].(string)
	return proof.Kind(text)
}

func variableQuestion(name string, v descriptor.Variable) Question {
	q := Question{
		Field: "variables." + name, Help: cmp.Or(v.Help, name), Optional: v.Default != nil,
		Values: v.Values, Pattern: v.Pattern,
	}
	if v.Default != nil {
		q.Default = *v.Default
	}
	return q
}

// exampleHelp describes a field by the descriptor's example of it.
func exampleHelp(d *descriptor.Descriptor, field string) string {
	what := field
	if field == "key_id" {
		what = "ID of the private key at the provider"
	}
	return fmt.Sprintf("%s, such as %v", what, d.Example[field])
}

// secretNames returns the named secrets that are needed, in the order of the
// descriptor. One that only templates name comes last.
func secretNames(source []byte, n secret.Needed) []string {
	var names []string
	for _, name := range append(memberNames(source, "secrets"), n.Secrets...) {
		if slices.Contains(n.Secrets, name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// memberNames returns the names of the members of one field of a JSON object,
// such as "variables", in the order in which they stand there. It returns nil
// where the field is no object.
func memberNames(data []byte, field string) []string {
	var object map[string]json.RawMessage
	if json.Unmarshal(data, &object) != nil {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(object[field]))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil
	}
	var names []string
	for dec.More() {
		name, err := dec.Token()
		var value json.RawMessage
		if text, ok := name.(string); ok && err == nil && dec.Decode(&value) == nil {
			names = append(names, text)
			continue
		}
		return names
	}
	return names
}
