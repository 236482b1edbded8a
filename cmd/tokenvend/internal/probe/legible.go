package probe

import (
	"encoding/base64"
	"regexp"
	"strings"
)

// secretName matches names whose values are shown only where they are made of a
// credential: a descriptor can have a secret in plain there.
var secretName = regexp.MustCompile(
	`(?i)(key|secret|token|password|passwd|pwd|authorization|cookie|signature|sig|code|credentials?|assertion)$`)

// hidden stands for a value of the descriptor that may be a secret.
const hidden = "[not shown]"

// legibleOf returns the value of a header field or a parameter as it is shown.
func legibleOf(name, value string) string {
	text := legible(value)
	madeOfNames := strings.Contains(text, "[") || strings.Contains(text, "%5B")
	if secretName.MatchString(name) && text != "" && !madeOfNames {
		return hidden
	}
	return text
}

// jwt matches a JSON Web Token in the compact serialization (RFC 7515 §7.1).
var jwt = regexp.MustCompile(`eyJ[\w-]*\.[\w-]+\.[\w-]*`)

// legible decodes what is only encoded: the JSON of a JWT, and HTTP Basic.
func legible(value string) string {
	if encoded, ok := strings.CutPrefix(value, "Basic "); ok {
		if text, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			return "Basic base64(" + string(text) + ")"
		}
	}
	return jwt.ReplaceAllStringFunc(value, func(token string) string {
		parts := strings.Split(token, ".")
		header, err := base64.RawURLEncoding.DecodeString(parts[0])
		claims, failed := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil || failed != nil {
			return hidden
		}
		return "[JWT " + string(header) + " " + string(claims) + "]"
	})
}
