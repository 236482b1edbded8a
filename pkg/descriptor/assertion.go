package descriptor

import "github.com/tokenvend/tokenvend/pkg/jws"

// Assertion describes a JWT that the client signs (RFC 7523 §3): for
// private_key_jwt, for [JWTBearer], for the placeholder {assertion}, or as the
// access token itself for [SelfSigned].
type Assertion struct {
	// Algorithm is by default the usual one of the key.
	Algorithm jws.Algorithm `json:"algorithm,omitempty"`
	// Claims are added to the default ones, or replace them: iss and sub (the
	// client ID), aud (the URL of the request), jti, iat, nbf and exp. ""
	// leaves one out. Texts are templates.
	Claims Params `json:"claims,omitempty"`
	// Header has further members of the JWS header. Its default is kid, where
	// the credential has a key_id. Texts are templates.
	Header Params `json:"header,omitempty"`
	// Certificate names the members that identify the credential's certificate.
	Certificate []string `json:"certificate,omitempty"`
	// Key is the key of HS256, a template.
	Key string `json:"key,omitempty"`
	// Lifetime is from now on. 0 is a minute.
	Lifetime Duration `json:"lifetime,omitzero"`
	// Backdate is how far iat and nbf lie in the past. 0 is a minute.
	Backdate Duration `json:"backdate,omitzero"`
}
