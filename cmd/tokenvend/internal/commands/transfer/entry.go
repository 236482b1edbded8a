package transfer

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretinput"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
)

// Members of an exported credential besides the fields of its secret.
const (
	nameMember    = "name"
	omittedMember = "omitted" // the fields that the export has left out
)

// entry is a credential that was read, to be made.
type entry struct {
	name    string
	fields  secretinput.Fields
	omitted []string // fields that an export has left out
}

// readEntries reads a JSON list of credentials, or else an environment file.
func readEntries(text []byte) ([]entry, error) {
	switch trimmed := bytes.TrimSpace(text); {
	case len(trimmed) == 0:
		return nil, clierror.Usage("the file is empty: expected a JSON list or an environment file")
	case trimmed[0] == '[':
		return readList(trimmed)
	case trimmed[0] == '{':
		return nil, clierror.Usage("expected a JSON list of credentials, as export writes it")
	}
	return readEnvironment(string(text)), nil
}

// readList reads a JSON list of secrets, each with the name of its credential.
func readList(text []byte) (all []entry, err error) {
	var list []secretinput.Fields
	if json.Unmarshal(text, &list) != nil {
		return nil, clierror.Usage("expected a JSON list of objects, as export writes it")
	}
	for _, fields := range list {
		e := entry{fields: fields}
		_ = json.Unmarshal(fields[nameMember], &e.name) // a wrong name is reported with the rest
		_ = json.Unmarshal(fields[omittedMember], &e.omitted)
		delete(fields, nameMember)
		delete(fields, omittedMember)
		e.omitted = slices.DeleteFunc(e.omitted, func(field string) bool { _, has := fields[field]; return has })
		all = append(all, e)
	}
	return all, nil
}

// knownFields are the fields that are recognized in environment files and in
// existing secrets, however they are written: CLIENT_ID, clientId, client-id.
var knownFields = []string{
	"provider", "client_id", "client_secret", "refresh_token", "token_url", "scope", "audience",
}

// plain returns a name without what separates its words.
func plain(name string) string {
	return strings.NewReplacer("_", "", "-", "", ".", "").Replace(strings.ToLower(name))
}

// fieldOf returns the field that a name ends with, and what precedes it.
func fieldOf(name string) (prefix, field string, ok bool) {
	words := strings.FieldsFunc(name, func(r rune) bool { return r == '_' || r == '-' || r == '.' })
	for first := range words {
		last := plain(strings.Join(words[first:], ""))
		for _, field := range knownFields {
			if last == plain(field) {
				return strings.ToLower(strings.Join(words[:first], "_")), field, true
			}
		}
	}
	return "", "", false
}

// readEnvironment reads the lines NAME_FIELD=VALUE of an environment file, such
// as MINUT_CLIENT_ID=abc. Other lines are passed over.
func readEnvironment(text string) (all []entry) {
	found := map[string]secretinput.Fields{}
	for line := range strings.Lines(text) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "export ")
		name, value, ok := strings.Cut(line, "=")
		prefix, field, known := fieldOf(strings.TrimSpace(name))
		if !ok || !known || strings.HasPrefix(line, "#") {
			continue
		}
		if found[prefix] == nil {
			found[prefix] = secretinput.Fields{}
		}
		found[prefix].Put(field, unquote(strings.TrimSpace(value)))
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		_, hasID := found[name]["client_id"]
		_, hasSecret := found[name]["client_secret"]
		if hasID || hasSecret {
			all = append(all, completed(name, found[name]))
		}
	}
	return all
}

func unquote(value string) string {
	if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		return value[1 : n-1]
	}
	return value
}

// fromSecret reads the value of an existing secret: a JSON object.
func fromSecret(name string, value []byte) (entry, error) {
	var found map[string]any
	if json.Unmarshal(value, &found) != nil {
		return entry{}, clierror.Usage("--secret %s: the secret is no JSON object", name)
	}
	fields := secretinput.Fields{}
	for member, value := range found {
		prefix, field, known := fieldOf(member)
		if !known || prefix != "" {
			continue
		}
		if _, twice := fields[field]; twice {
			return entry{}, clierror.Usage("--secret %s: expected one %s: the secret has two, in different spellings",
				name, field)
		}
		fields.Put(field, value)
	}
	return completed(name, fields), nil
}

// completed adds what follows from the other fields: the provider of that name,
// or a standard one where there is a token URL; and the grant of a refresh
// token.
func completed(name string, fields secretinput.Fields) entry {
	if _, has := fields["provider"]; !has {
		_, hasURL := fields["token_url"]
		switch {
		case slices.Contains(catalog.Names(), name):
			fields.Put("provider", name)
		case hasURL:
			fields.Put("provider", "oauth2")
		}
	}
	if _, has := fields["refresh_token"]; has {
		fields.Put("grant", descriptor.RefreshToken)
	}
	return entry{name: name, fields: fields}
}
