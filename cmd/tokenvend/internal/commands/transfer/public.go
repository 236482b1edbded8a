package transfer

import (
	"encoding/json"
	"encoding/pem"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretinput"
)

// publicFields are the fields of a secret that are no secret. A field that is
// not known may hold anything, and its name too.
var publicFields = []string{
	"provider", "client_id", "key_id", "proof", "variables", "grant", "scope", "audience", "keep_warm", "idle_after",
	"max_variants", "lifetime", "quota", "allow",
}

// secretFields are the fields of a secret that are or may hold secrets. Those
// of mixedFields are shown where they hold none.
var (
	secretFields = []string{"client_secret", "private_key", "refresh_token", "params", "secrets"}
	mixedFields  = []string{"certificate", "token_url", "descriptor"}
)

// public returns what of a secret may be shown, with the names of the rest.
func public(name string, fields secretinput.Fields) secretinput.Fields {
	shown, omitted := secretinput.Fields{}, []string{}
	shown.Put(nameMember, name)
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		isMixed := slices.Contains(mixedFields, field)
		switch {
		case slices.Contains(publicFields, field), isMixed && !mayHoldSecret(field, fields.Value(field)):
			shown[field] = fields[field]
		case isMixed, slices.Contains(secretFields, field):
			omitted = append(omitted, field)
		}
	}
	if len(omitted) > 0 {
		text, _ := json.Marshal(omitted) // strings: cannot fail
		shown[omittedMember] = text
	}
	return shown
}

// mayHoldSecret reports whether one of mixedFields may hold a secret.
func mayHoldSecret(field string, value any) bool {
	text, isText := value.(string)
	switch field {
	case "certificate":
		return !isText || !isCertificates(text)
	case "token_url":
		return !isText || strings.Contains(text, "?")
	}
	return holdsValues(value)
}

// isCertificates reports whether a text in PEM is nothing but certificates. A
// private key or a text beside them is accepted in a secret, and not used.
func isCertificates(text string) bool {
	var certificates []byte
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return false
		}
		certificates = append(certificates, pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes})...)
	}
	return slices.Equal(strings.Fields(string(certificates)), strings.Fields(text))
}

// placeholderAlone matches a template that is one placeholder, without a text
// in quotes.
var placeholderAlone = regexp.MustCompile(`^\{[^{}']*\}$`)

// holdsValues reports whether a descriptor sends texts that may be secret: in
// parameters, header fields, an assertion or the query of a URL.
func holdsValues(v any) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, holdsValues)
	case map[string]any:
		for name, value := range v {
			url, _ := value.(string)
			hasQuery := name == "url" && strings.Contains(url, "?")
			if hasQuery || isSent(name, value) && holdsText(value) || holdsValues(value) {
				return true
			}
		}
	}
	return false
}

// isSent reports whether a member of a descriptor has templates that are sent,
// or that sign what is sent.
func isSent(name string, value any) bool {
	_, isObject := value.(map[string]any)
	switch name {
	case "params", "headers", "claims", "key":
		return true
	case "header": // of an assertion; a text is the name of a header field
		return isObject
	}
	return false
}

// holdsText reports whether templates have more than placeholders.
func holdsText(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case string:
		return v != "" && !placeholderAlone.MatchString(v)
	case []any:
		return slices.ContainsFunc(v, holdsText)
	case map[string]any:
		for _, value := range v {
			if holdsText(value) {
				return true
			}
		}
		return false
	}
	return true // a number, true or false
}
