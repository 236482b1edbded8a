package descriptor

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Short returns a grant type without its namespace: "jwt-bearer".
func (g Grant) Short() string { return string(g[strings.LastIndexByte(string(g), ':')+1:]) }

// AllGrants returns the grant types by which tokens are obtained, those of a
// user's account and of a refresh token last.
func (d *Descriptor) AllGrants() []Grant {
	var all []Grant
	all = append(all, d.Grants...)
	if len(d.Grants) == 0 && d.Example["grant"] == nil {
		all = append(all, ClientCredentials)
	}
	if d.Connects() {
		all = append(all, AuthorizationCode)
	}
	if d.Refreshes() {
		all = append(all, RefreshToken)
	}
	return all
}

// MemberNames returns the names of the members of one field of a JSON object,
// such as "variables", in the order in which they stand there. It returns nil
// where the field is no object.
func MemberNames(data []byte, field string) []string {
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
