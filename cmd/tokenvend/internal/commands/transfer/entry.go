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
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/strictjson"
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
	text = secretinput.WithoutMark(text)
	switch trimmed := bytes.TrimSpace(text); {
	case len(trimmed) == 0:
		return nil, clierror.Usage("the file is empty: expected a JSON list or an environment file")
	case trimmed[0] == '[':
		return readList(trimmed)
	case trimmed[0] == '{':
		return nil, clierror.Usage("expected a JSON list of credentials, as export writes it")
	}
	return readEnvironment(string(text))
}

// readList reads a JSON list of secrets, each with the name of its credential.
func readList(text []byte) (all []entry, err error) {
	var list []secretinput.Fields
	if json.Unmarshal(text, &list) != nil {
		return nil, clierror.Usage("expected a JSON list of objects, as export writes it")
	}
	if repeated := strictjson.Repeated(text); len(repeated) > 0 {
		return nil, clierror.Usage("expected each field once: %s", strings.Join(repeated, ", "))
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
// as MINUT_CLIENT_ID=abc. Other lines are passed over. Of equal names the last
// one counts.
func readEnvironment(text string) (all []entry, err error) {
	found, spelt := map[string]secretinput.Fields{}, map[[2]string]string{}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimPrefix(strings.TrimSpace(line), "export ")
		name, value, ok := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		prefix, field, known := fieldOf(name)
		if !ok || !known || strings.HasPrefix(line, "#") {
			continue
		}
		if before, twice := spelt[[2]string{prefix, field}]; twice && before != name {
			return nil, clierror.Usage("line %d: expected one %s of %s: the file has two, in different spellings",
				number, field, redact.Name(prefix))
		}
		spelt[[2]string{prefix, field}] = name
		if value, ok = unquote(strings.TrimSpace(value)); !ok {
			return nil, clierror.Usage("line %d: expected a value with both of its quotation marks", number)
		}
		if found[prefix] == nil {
			found[prefix] = secretinput.Fields{}
		}
		found[prefix].Put(field, value)
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		_, hasID := found[name]["client_id"]
		_, hasSecret := found[name]["client_secret"]
		if hasID || hasSecret {
			all = append(all, completed(name, found[name]))
		}
	}
	return all, nil
}

// unquote returns a value without the quotation marks around it, and without
// the comment after them. ok is false where the second mark is missing.
func unquote(value string) (text string, ok bool) {
	if value == "" || value[0] != '"' && value[0] != '\'' {
		return value, true
	}
	mark := value[:1]
	text, comment, ok := strings.Cut(value[1:], mark)
	if strings.HasPrefix(strings.TrimSpace(comment), "#") {
		return text, true
	}
	return strings.TrimSuffix(value[1:], mark), ok && strings.HasSuffix(value, mark)
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
